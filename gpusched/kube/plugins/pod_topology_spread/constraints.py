"""Spread constraints, compiled: a pod's own, or the profile's defaults.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread/common.go and
pkg/scheduler/framework/plugins/helper/spread.go (DefaultSelector), v1.36.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gpusched.api.config import PodTopologySpreadArgs
from gpusched.api.meta import LabelSelector as ApiLabelSelector
from gpusched.api.placement import TopologySpreadConstraint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import has_label, per_node
from gpusched.cluster.node_affinity import required_node_affinity
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodShape
from gpusched.cluster.requirements import IN, Requirement
from gpusched.cluster.selectors import EVERYTHING, NOTHING, LabelSelector
from gpusched.cluster.tolerations import repelled, tolerations_of

HOSTNAME: Final = "kubernetes.io/hostname"
HARD: Final = "DoNotSchedule"
SOFT: Final = "ScheduleAnyway"
_HONOR: Final = "Honor"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One spread constraint.

    Attributes:
        key: The topology key.
        max_skew: How much more pods than the least filled domain a domain may have.
        min_domains: With fewer domains than these the least filled one counts as empty.
        selector: Which pods count; the labels of ``matchLabelKeys`` are among its requirements.
        action: ``DoNotSchedule`` or ``ScheduleAnyway``.
        honors_affinity: Nodes that the pod's node selector and affinity rule out do not count.
        honors_taints: Nodes whose taints the pod does not bear do not count.
    """

    key: str
    max_skew: int
    min_domains: int
    selector: LabelSelector
    action: str
    honors_affinity: bool
    honors_taints: bool

    def counts_nodes(self, pod: PodShape, nodes: Nodes) -> Mask:
        """Return True where the inclusion policies let a node count; shape (N,)."""
        found = np.ones(len(nodes), np.bool_)
        if self.honors_affinity:
            found &= required_node_affinity(pod).matches(nodes)
        if self.honors_taints:
            found &= ~repelled(nodes, tolerations_of(pod))
        return found


SYSTEM_DEFAULTS: Final = tuple(
    Constraint(
        key,
        skew,
        min_domains=1,
        selector=NOTHING,
        action=SOFT,
        honors_affinity=True,
        honors_taints=False,
    )
    for key, skew in ((HOSTNAME, 3), ("topology.kubernetes.io/zone", 5))
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """The constraints of pods that have none of their own.

    Attributes:
        constraints: The constraints; their selectors are filled in pod by pod.
        is_system: Whether they are the built-in ones, which nodes without a zone may score by.
    """

    constraints: tuple[Constraint, ...] = SYSTEM_DEFAULTS
    is_system: bool = True

    @classmethod
    def of(cls, args: PodTopologySpreadArgs) -> "Defaults":
        """Return the defaults that the plugin's arguments ask for."""
        if args.defaulting_type == "System":
            return cls()
        given = [TopologySpreadConstraint.model_validate(c) for c in args.default_constraints]
        return cls(tuple(_constraint(c, {}) for c in given), is_system=False)

    def of_pod(self, pod: PodShape, action: str, objects: ClusterObjects) -> tuple[Constraint, ...]:
        """Return a pod's constraints of one kind: its own, or these if it has none at all."""
        if pod.spec.topology_spread_constraints:
            return own_constraints(pod, action)
        found = tuple(c for c in self.constraints if c.action == action)
        selector = _default_selector(pod, objects) if found else EVERYTHING
        if selector.is_empty:
            return ()
        return tuple(replace(constraint, selector=selector) for constraint in found)


def own_constraints(pod: PodShape, action: str) -> tuple[Constraint, ...]:
    """Return the constraints of one kind that the pod itself has."""
    return tuple(c for c in pod.memo(_compile, _compile) if c.action == action)


def _compile(pod: PodShape) -> tuple[Constraint, ...]:
    given = pod.spec.topology_spread_constraints or ()
    return tuple(_constraint(constraint, pod.labels) for constraint in given)


def _constraint(given: TopologySpreadConstraint, labels: Mapping[str, str]) -> Constraint:
    selector = LabelSelector.compile(given.label_selector)
    wanted = tuple(Requirement(k, IN, (labels[k],)) for k in given.match_label_keys if k in labels)
    return Constraint(
        key=given.topology_key,
        max_skew=given.max_skew,
        min_domains=1 if given.min_domains is None else given.min_domains,
        selector=selector.plus(wanted),
        action=given.when_unsatisfiable,
        honors_affinity=(given.node_affinity_policy or _HONOR) == _HONOR,
        honors_taints=given.node_taints_policy == _HONOR,
    )


def _default_selector(pod: PodShape, objects: ClusterObjects) -> LabelSelector:
    """Return what the pod's services and its owner select by."""
    labels: dict[str, str] = {}
    for service in objects.services:
        chosen = service.spec.selector
        if chosen is None or service.metadata.namespace != pod.namespace:
            continue
        if chosen.items() <= pod.labels.items():
            labels.update(chosen)
    return _with_owner(labels, pod, objects)


def _with_owner(labels: dict[str, str], pod: PodShape, objects: ClusterObjects) -> LabelSelector:
    """Return the selector for labels and for what the controlling owner selects by."""
    owner = pod.owner
    kind = (owner.api_version, owner.kind) if owner else None
    key = (pod.namespace, owner.name if owner else "")
    if kind == ("v1", "ReplicationController"):
        controller = objects.replication_controllers.get(key)
        found = controller.spec.selector if controller else None
        return LabelSelector.of_labels(labels | (found or {}))
    selector = LabelSelector.of_labels(labels)
    if kind == ("apps/v1", "ReplicaSet"):
        replica_set = objects.replica_sets.get(key)
        return _plus(selector, replica_set.spec.selector if replica_set else None)
    if kind == ("apps/v1", "StatefulSet"):
        stateful_set = objects.stateful_sets.get(key)
        return _plus(selector, stateful_set.spec.selector if stateful_set else None)
    return selector


def _plus(selector: LabelSelector, owners: ApiLabelSelector | None) -> LabelSelector:
    return selector.plus(LabelSelector.compile(owners).requirements)


def has_all_keys(constraints: Iterable[Constraint], nodes: Nodes) -> Mask:
    """Return True where a node has the topology keys of all constraints; shape (N,)."""
    found = np.ones(len(nodes), np.bool_)
    for constraint in constraints:
        found &= has_label(nodes, constraint.key)
    return found


class MatchingPods:
    """How many placed pods match a selector on each node; worked out once per selector.

    Terminating pods do not count, nor does anything if the selector is empty.
    """

    def __init__(self, pod: PodShape, snapshot: Snapshot) -> None:
        self._namespace = pod.namespace
        self._snapshot = snapshot
        self._known: dict[LabelSelector, Ints] = {}

    def of(self, selector: LabelSelector) -> Ints:
        """Return the pods of the namespace that match; shape (N,), do not write."""
        if selector not in self._known:
            self._known[selector] = self._count(selector)
        return self._known[selector]

    def _count(self, selector: LabelSelector) -> Ints:
        snapshot = self._snapshot
        shapes: Sequence[PodShape] = ()
        if not selector.is_empty:
            shapes = [
                shape
                for shape in snapshot.placed
                if shape.namespace == self._namespace and selector.matches(shape.labels)
            ]
        leaving = [snapshot.terminating[shape] for shape in shapes if shape in snapshot.terminating]
        staying = per_node(snapshot.nodes, [snapshot.placed[shape] for shape in shapes])
        return staying - per_node(snapshot.nodes, leaving) if leaving else staying
