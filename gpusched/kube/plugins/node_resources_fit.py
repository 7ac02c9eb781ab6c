"""NodeResourcesFit: a node must have every requested resource free."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.api.config import NodeResourcesFitArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.request_table import RequestTable, table_of
from gpusched.cluster.requests import Requests
from gpusched.cluster.resources import STANDARD, ResourceNames, is_extended
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import Handle, PreFilterResult
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status
from gpusched.kube.scoring_strategies import Demand, Places, places, strategy

TOO_MANY_PODS: Final = "Too many pods"
_PRE_FILTER: Final = "PreFilterNodeResourcesFit"
_NOT_FOUND: Final = f'error reading "{_PRE_FILTER}" from cycleState: not found'


@dataclass(frozen=True, slots=True)
class FitState:
    """What Filter needs beside the pod's compiled requests.

    Attributes:
        delegated: Rows of resources that dynamic resource allocation may serve instead.
    """

    delegated: frozenset[int] = frozenset()

    def clone(self) -> "FitState":
        """Return itself: nobody changes it."""
        return self


class NodeResourcesFit:
    """Turn away nodes with too little left of a resource, rate the others by what is left.

    A request larger than the node's whole allocatable is unresolvable: evicting pods cannot
    help, so preemption is not tried there.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/fit.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeResourcesFit"

    def __init__(
        self, args: NodeResourcesFitArgs | None = None, handle: Handle | None = None
    ) -> None:
        self._handle = handle
        args = args or NodeResourcesFitArgs()
        self._ignored = frozenset(args.ignored_resources)
        self._ignored_groups = frozenset(args.ignored_resource_groups)
        self._scored = tuple(resource.name for resource in args.resources)
        self._weights = np.array([resource.weight for resource in args.resources], np.int64)
        self._strategy = strategy(args)

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        names = snapshot.nodes.resources
        state.write(_PRE_FILTER, FitState(_delegated(pod.shape.requests, names, snapshot.objects)))
        return PreFilterResult()

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; one rejection per short resource and code."""
        prepared = state.read(_PRE_FILTER)
        if not isinstance(prepared, FitState):
            return (Rejection(_NOT_FOUND, np.ones(len(nodes), np.bool_), Code.ERROR),)
        rejections = []
        full = nodes.pod_counts >= nodes.allowed_pods
        if full.any():
            rejections.append(Rejection(TOO_MANY_PODS, full))
        allocatable, requested = nodes.allocatable, nodes.requested
        requests = pod.shape.requests
        for row, amount in zip(requests.rows, requests.amounts, strict=True):
            if amount == 0 or self._is_ignored(nodes.resources.names[row]):
                continue
            short = amount > allocatable[row] - requested[row]
            if row in prepared.delegated:
                short &= allocatable[row] != 0
            if short.any():
                reason = f"Insufficient {nodes.resources.names[row]}"
                rejections += _by_code(reason, short, amount > allocatable[row])
        return rejections

    def fits(self, pods: RequestTable, nodes: Nodes) -> Mask:
        """See `AmountsFilterPlugin`."""
        at, least = pods.amounts.named(self._counted(pods.rows, nodes.resources))
        free = nodes.allocatable.take(at, axis=0) - nodes.requested.take(at, axis=0)
        enough = np.logical_and.reduce(least <= free[:, np.newaxis])
        passed: Mask = enough & (nodes.pod_counts < nodes.allowed_pods)
        return passed

    def _counted(self, rows: tuple[int, ...], resources: ResourceNames) -> tuple[int, ...]:
        if not (self._ignored or self._ignored_groups):
            return rows
        return tuple(row for row in rows if not self._is_ignored(resources.names[row]))

    def _is_ignored(self, resource: str) -> bool:
        if not (self._ignored or self._ignored_groups) or not is_extended(resource):
            return False
        return resource in self._ignored or resource.partition("/")[0] in self._ignored_groups

    def pre_score(
        self, _state: CycleState, _pod: PodInfo, _snapshot: Snapshot, _rows: Ints
    ) -> Status:
        """See PreScorePlugin; there is nothing to prepare, a pod's shape carries its requests."""
        return SUCCESS

    def score(
        self,
        _state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """Return what the configured strategy makes of the node's state with the pod on it."""
        scores: Ints = self._rate(table_of(pod.shape), places(self._handle, snapshot, rows))[0]
        return scores

    def reads(self, names: ResourceNames) -> Sequence[int]:
        """See `AmountsScorePlugin`."""
        return names.rows(self._scored)

    def rate(self, pods: RequestTable, nodes: Nodes) -> Ints:
        """See `AmountsScorePlugin`."""
        return self._rate(pods, Places(nodes))

    def _rate(self, pods: RequestTable, where: Places) -> Ints:
        groups = pods.scored.counted(where.nodes.resources.rows(self._scored))
        return pods.gather(
            groups, lambda group: self._strategy(Demand.of(group, self._weights, where))
        )

    def events_to_register(self) -> Sequence[EventHint]:
        """Pods that go or shrink, nodes that come or grow, device classes that map a resource."""
        resource = EventResource
        node = Action.ADD | Action.UPDATE_NODE_ALLOCATABLE
        device_class = Action.ADD | Action.UPDATE
        return (
            EventHint(ClusterEvent(resource.POD, Action.DELETE), _was_placed, by_shape=True),
            EventHint(
                ClusterEvent(resource.POD, Action.UPDATE_POD_SCALE_DOWN), _shrank, by_shape=True
            ),
            EventHint(ClusterEvent(resource.NODE, node), self._node_suits_now, by_shape=True),
            EventHint(
                ClusterEvent(resource.DEVICE_CLASS, device_class), _maps_a_request, by_shape=True
            ),
        )

    def _node_suits_now(self, pod: PodInfo, change: Change) -> bool:
        names = change.snapshot.nodes.resources
        requests = pod.shape.requests
        delegated = _delegated(requests, names, change.snapshot.objects)
        if not self._fits_empty(requests, change.new, names, delegated):
            return False
        return change.old is None or _grew(requests, change.old, change.new, delegated)

    def _fits_empty(
        self,
        requests: Requests,
        node: NodeInfo,
        names: ResourceNames,
        delegated: frozenset[int],
    ) -> bool:
        if node.allowed_pods < 1:
            return False
        allocatable = dict(node.allocatable)
        return all(
            amount <= allocatable.get(row, 0)
            or self._is_ignored(names.names[row])
            or (row in delegated and not allocatable.get(row, 0))
            for row, amount in zip(requests.rows, requests.amounts, strict=True)
            if amount
        )


def _by_code(reason: str, short: Mask, never: Mask) -> list[Rejection]:
    """Split a reason by whether the node could ever hold the request."""
    never = never & short
    if not never.any():
        return [Rejection(reason, short)]
    unresolvable = Rejection(reason, never, Code.UNSCHEDULABLE_AND_UNRESOLVABLE)
    full = short & ~never
    return [Rejection(reason, full), unresolvable] if full.any() else [unresolvable]


def _delegated(requests: Requests, names: ResourceNames, objects: ClusterObjects) -> frozenset[int]:
    if not len(objects.device_classes) or not requests.has_scalars:
        return frozenset()
    return frozenset(
        row
        for row in requests.rows
        if row >= len(STANDARD) and objects.class_of_resource(names.names[row]) is not None
    )


def _was_placed(_pod: PodInfo, change: Change) -> bool:
    return bool(change.old.node_name or change.old.nominated_node)


def _shrank(pod: PodInfo, change: Change) -> bool:
    """The pod itself asks for less, or a placed one for less of what the pod needs."""
    if change.new.uid == pod.uid:
        return True
    if not change.new.node_name:
        return False
    requests = pod.shape.requests
    needed = zip(requests.rows, requests.amounts, strict=True)
    return any(
        amount and change.new.accounted.amount(row) < change.old.accounted.amount(row)
        for row, amount in needed
    )


def _grew(requests: Requests, old: NodeInfo, new: NodeInfo, delegated: frozenset[int]) -> bool:
    if new.allowed_pods > old.allowed_pods:
        return True
    before, after = dict(old.allocatable), dict(new.allocatable)
    needed = zip(requests.rows, requests.amounts, strict=True)
    return any(
        amount and (row in delegated or after.get(row, 0) > before.get(row, 0))
        for row, amount in needed
    )


def _maps_a_request(pod: PodInfo, change: Change) -> bool:
    names = change.snapshot.nodes.resources.names
    scalars = (names[row] for row in pod.shape.requests.rows if row >= len(STANDARD))
    mapped = (change.snapshot.objects.class_of_resource(name) for name in scalars)
    name = change.new.metadata.name
    return any(found is not None and found.metadata.name == name for found in mapped)
