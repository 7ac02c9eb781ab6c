"""What Filter and Score say of a shape's constraints, kept up to date pod by pod.

The same rules as in `filtering` and `scoring`, on counts that follow pods as they come and go.
What services and owners select by must stay the same meanwhile.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import by_node, has_label, sum_by_class
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.pod import PodShape
from gpusched.cluster.tally import Counting, Tally
from gpusched.kube.framework.interface import OpenDomains
from gpusched.kube.plugins.pod_topology_spread.constraints import (
    HOSTNAME,
    Constraint,
    has_all_keys,
)
from gpusched.kube.plugins.pod_topology_spread.filtering import NO_DOMAIN
from gpusched.kube.plugins.pod_topology_spread.scoring import normalise, topologies

_FEW: Final = 64
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class FollowedSpread:
    """One hard constraint.

    Attributes:
        tally: Matching pods by domain, on nodes that count.
        counted: The domains that a node that counts is in, as indices.
        is_short: Whether there are fewer domains than ``minDomains``.
        allowance: How many pods more than the least filled domain a domain may have before the
            pod comes.
    """

    tally: Tally
    counted: Ints
    is_short: bool
    allowance: int

    def open_domains(self) -> OpenDomains:
        """Return the domains that have room for the pod."""
        sums = self.tally.sums
        least = 0
        if not self.is_short:
            least = int(sums[self.counted].min()) if len(self.counted) else NO_DOMAIN
        is_open = self.tally.labelled & (sums <= self.allowance + least)
        return OpenDomains(self.tally.classes.ids, is_open)


def follow(
    pod: PodShape, constraints: Sequence[Constraint], snapshot: Snapshot
) -> list[FollowedSpread]:
    """Return a shape's hard constraints on the nodes as they are."""
    nodes = snapshot.nodes
    complete = has_all_keys(constraints, nodes)
    found = []
    for constraint in constraints:
        counted = complete & constraint.counts_nodes(pod, nodes)
        counting = _matching(pod, constraint, "hard")
        tally = snapshot.tallies.by_label(constraint.key, counting, counted)
        domains = np.flatnonzero(sum_by_class(tally.classes, counted.astype(np.int64)) > 0)
        own = int(constraint.selector.matches(pod.labels))
        found.append(
            FollowedSpread(
                tally,
                domains,
                is_short=len(domains) < constraint.min_domains,
                allowance=constraint.max_skew - own,
            )
        )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class FollowedCost:
    """One soft constraint.

    Attributes:
        tally: Matching pods by domain; by node, if the domains are hosts.
        is_by_host: Whether they are.
        allowance: What is added to each cost.
        has_key: False for nodes that cost nothing; shape (N,); None if all have the key.
    """

    tally: Tally
    is_by_host: bool
    allowance: float
    has_key: Mask | None

    def of(self, rows: Ints, live: Ints) -> Floats:
        """Return what each row costs, shape (K,), if ``live`` are those that are not ignored."""
        sums = self.tally.sums
        if self.is_by_host:
            cost = self._price(sums.take(rows), len(live))
        else:
            ids = self.tally.classes.ids
            places = ids.take(rows)
            domains = _distinct(places if live is rows else ids.take(live), len(sums))
            if len(sums) < len(rows):
                cost = self._price(sums, domains).take(places)
            else:
                cost = self._price(sums.take(places), domains)
        return cost if self.has_key is None else np.where(self.has_key[rows], cost, 0.0)

    def _price(self, pods: Ints, domains: int) -> Floats:
        return pods * math.log(domains + 2) + self.allowance


@dataclass(frozen=True, slots=True, eq=False)
class FollowedScores:
    """The soft constraints of a shape.

    Attributes:
        costs: What each of them costs, in order.
        complete: False for nodes that are ignored; shape (N,); None if none is.
    """

    costs: Sequence[FollowedCost]
    complete: Mask | None

    def of(self, rows: Ints) -> Ints:
        """Return the normalised scores of feasible rows; shape (K,)."""
        complete = None if self.complete is None else self.complete[rows]
        live = rows if complete is None else rows[complete]
        first, *others = self.costs
        total = first.of(rows, live)
        for cost in others:
            total += cost.of(rows, live)
        # Nobody pays between nothing and a pod's log(2): adding a half rounds as Go does.
        raw = (total + 0.5).astype(np.int64)
        return normalise(raw, None if complete is None else ~complete)


def follow_scores(
    pod: PodShape, constraints: Sequence[Constraint], snapshot: Snapshot, *, needs_all_keys: bool
) -> FollowedScores:
    """Return a shape's soft constraints on the nodes as they are; see `scoring.prepare`."""
    nodes = snapshot.nodes
    complete = has_all_keys(constraints, nodes) if needs_all_keys else None
    costs = [
        FollowedCost(
            _tally_of_cost(pod, constraint, snapshot, complete),
            constraint.key == HOSTNAME,
            float(constraint.max_skew - 1),
            _some(has_label(nodes, constraint.key)),
        )
        for constraint in constraints
    ]
    return FollowedScores(costs, _some(complete))


def _tally_of_cost(
    pod: PodShape, constraint: Constraint, snapshot: Snapshot, complete: Mask | None
) -> Tally:
    """Count on all nodes by host, else on those that count, without all keys or not."""
    nodes, counting = snapshot.nodes, _matching(pod, constraint, "soft")
    if constraint.key == HOSTNAME:
        return snapshot.tallies.of(by_node(nodes), counting)
    counted = constraint.counts_nodes(pod, nodes)
    counted = counted if complete is None else counted & complete
    classes = topologies(nodes, constraint.key)
    return snapshot.tallies.of(classes, counting, _some(counted))


def _distinct(places: Ints, most: int) -> int:
    """Return how many different places there are; as a rule the first few show them all."""
    few = int(np.count_nonzero(np.bincount(places[:_FEW])))
    if few == most or len(places) <= _FEW:
        return few
    return int(np.count_nonzero(np.bincount(places)))


def _some(nodes: Mask | None) -> Mask | None:
    """Return which nodes are meant; None if they all are."""
    return None if nodes is None or nodes.all() else nodes


def _matching(pod: PodShape, constraint: Constraint, kind: str) -> Counting:
    """Count pods of the namespace that match; an empty selector matches none (`MatchingPods`)."""
    namespace, selector = pod.namespace, constraint.selector

    def weigh(shape: PodShape) -> int:
        if selector.is_empty or shape.namespace != namespace:
            return 0
        return int(selector.matches(shape.labels))

    name = (kind, namespace, selector, constraint.key)
    return Counting(weigh, staying=True, sign=selector.sign, name=name)
