"""Filter: no domain may have ``maxSkew`` pods more than the least filled one.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread/filtering.go,
v1.36.1.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import DomainCounts, has_label, sum_by_class
from gpusched.cluster.nodes import Mask, Nodes
from gpusched.cluster.pod import PodShape
from gpusched.kube.framework.status import Code, Rejection
from gpusched.kube.plugins.pod_topology_spread.constraints import (
    Constraint,
    MatchingPods,
    has_all_keys,
)

MISMATCH: Final = "node(s) didn't match pod topology spread constraints"
MISSING_LABEL: Final = f"{MISMATCH} (missing required label)"
NO_DOMAIN: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """One hard constraint and what was counted for it.

    Attributes:
        constraint: The constraint.
        own: 1 if the pod matches its own selector, else 0.
        pods: Matching pods by domain, on nodes that count.
        domains: True for values that a node that counts has; shape (V,).
        floor: The pods of the least filled domain when they were counted.
        on_floor: How many domains had so few.
    """

    constraint: Constraint
    own: int
    pods: DomainCounts
    domains: Mask
    floor: int
    on_floor: int

    @classmethod
    def of(cls, pod: PodShape, constraint: Constraint, pods: DomainCounts, domains: Mask) -> Self:
        """Return the spread of freshly counted pods."""
        own = int(constraint.selector.matches(pod.labels))
        counted = pods.counts[domains]
        floor = int(counted.min()) if counted.size else NO_DOMAIN
        return cls(constraint, own, pods, domains, floor, int(np.count_nonzero(counted == floor)))

    def clone(self) -> Self:
        """Return a copy whose changes do not show here."""
        return replace(self, pods=self.pods.clone())

    def least(self) -> int:
        """Return the number of pods that the least filled domain is taken to have.

        While a domain on the floor is untouched, only the changed ones can be lower.
        """
        if np.count_nonzero(self.domains) < self.constraint.min_domains:
            return 0
        changes = self.pods.changes
        now = [self.pods.of(value) for value in changes]
        left_floor = sum(
            count - change == self.floor
            for count, change in zip(now, changes.values(), strict=True)
        )
        if changes and left_floor == self.on_floor:
            return int(self.pods.table()[self.domains].min())
        return min([self.floor, *now])

    def is_skewed(self, nodes: Nodes) -> Mask:
        """Return True where one pod more would be too many; shape (N,)."""
        return self.pods.at(nodes) + self.own - self.least() > self.constraint.max_skew


@dataclass(frozen=True, slots=True, eq=False)
class SpreadState:
    """PreFilter's data.

    Attributes:
        pod: The incoming pod's shape.
        spreads: Its hard constraints, in order.
    """

    pod: PodShape
    spreads: tuple[Spread, ...]

    def clone(self) -> "SpreadState":
        """See `StateData`."""
        return SpreadState(self.pod, tuple(spread.clone() for spread in self.spreads))

    def change(self, other: PodShape, nodes: Nodes, by: int) -> None:
        """Count (or uncount) a pod on the one node of ``nodes``.

        As upstream, terminating pods count here, and an empty selector matches every pod: `count`
        treats both otherwise.
        """
        if other.namespace != self.pod.namespace:
            return
        labels = nodes.info(0).labels
        if any(spread.constraint.key not in labels for spread in self.spreads):
            return
        for spread in self.spreads:
            constraint = spread.constraint
            if (
                constraint.selector.matches(other.labels)
                and constraint.counts_nodes(self.pod, nodes)[0]
            ):
                spread.pods.change(labels, by)


def count(pod: PodShape, constraints: tuple[Constraint, ...], snapshot: Snapshot) -> SpreadState:
    """Return the pods that hard constraints have to do with, by domain.

    A node without all topology keys counts for none of the constraints.
    """
    nodes = snapshot.nodes
    matching = MatchingPods(pod, snapshot)
    complete = has_all_keys(constraints, nodes)
    spreads = []
    for constraint in constraints:
        counted = complete & constraint.counts_nodes(pod, nodes)
        pods = np.where(counted, matching.of(constraint.selector), 0)
        spreads.append(
            Spread.of(
                pod,
                constraint,
                DomainCounts.of_pods(constraint.key, nodes, pods),
                sum_by_class(nodes.label(constraint.key), counted.astype(np.int64)) > 0,
            )
        )
    return SpreadState(pod, tuple(spreads))


def rejections(state: SpreadState, nodes: Nodes) -> list[Rejection]:
    """Return who is turned away, each node by the first constraint that it breaks."""
    found = []
    alive = np.ones(len(nodes), np.bool_)
    for spread in state.spreads:
        has_key = has_label(nodes, spread.constraint.key)
        lacking = alive & ~has_key
        skewed = alive & has_key & spread.is_skewed(nodes)
        found.append(Rejection(MISSING_LABEL, lacking, Code.UNSCHEDULABLE_AND_UNRESOLVABLE))
        found.append(Rejection(MISMATCH, skewed))
        alive &= ~(lacking | skewed)
    return found
