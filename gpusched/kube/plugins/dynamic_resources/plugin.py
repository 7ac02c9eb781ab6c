"""DynamicResources: a pod's claims must get their devices on the node.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go,
v1.36.1
"""

from collections.abc import Sequence
from typing import ClassVar, Final, cast

import numpy as np

from gpusched.api.config import DynamicResourcesArgs
from gpusched.api.resource import DeviceClass, ResourceClaim
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.selectors import NodeSelector
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.events import EventHint
from gpusched.kube.framework.interface import (
    DeviceCounts,
    Handle,
    NodeStatuses,
    PostFilterResult,
    PreFilterResult,
)
from gpusched.kube.framework.normalize import default_normalize
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
)
from gpusched.kube.plugins.dynamic_resources import reserving
from gpusched.kube.plugins.dynamic_resources.allocator import Allocator
from gpusched.kube.plugins.dynamic_resources.claims import ClaimError, DevicesInUse, pod_claims
from gpusched.kube.plugins.dynamic_resources.device_counts import count_on
from gpusched.kube.plugins.dynamic_resources.extended_resources import extended_resources
from gpusched.kube.plugins.dynamic_resources.hints import registrations
from gpusched.kube.plugins.dynamic_resources.node_filter import NOT_ON_NODE, filter_node
from gpusched.kube.plugins.dynamic_resources.pools import PoolIndex
from gpusched.kube.plugins.dynamic_resources.releasing import release
from gpusched.kube.plugins.dynamic_resources.requests import wanted_devices
from gpusched.kube.plugins.dynamic_resources.scoring import TooFewAllocationsError, raw_score
from gpusched.kube.plugins.dynamic_resources.state import ClaimWrite, DraState, InFlight

_NOT_FOUND: Final = "not found"
_LATE: Final = 2**63 - 1


class DynamicResources:
    """Turn away nodes that cannot serve a pod's claims; allocate, reserve and release devices.

    Allocations between Reserve and PreBind are kept in memory, in the plugin, as upstream keeps
    them. What is to be written to the API is returned: by `pre_bind`, and after a failed attempt
    by `writes_after_post_filter`.

    Attributes:
        now: The present in microseconds, which decides whether devices that become ready late
            have timed out; the end of time where no clock runs.
    """

    name: ClassVar[str] = "DynamicResources"

    def __init__(self, args: DynamicResourcesArgs, handle: Handle) -> None:
        self._binding_timeout = args.binding_timeout_us
        self._handle = handle
        self._in_flight = InFlight()
        self._index: tuple[ClusterObjects | None, int, PoolIndex] = (None, -1, PoolIndex(()))
        self._used: tuple[ClusterObjects | None, tuple[int, int], DevicesInUse] = (
            None, (-1, -1), DevicesInUse(),
        )  # fmt: skip
        self._objects = ClusterObjects()
        self.now = _LATE

    def pre_enqueue(self, pod: PodInfo, snapshot: Snapshot) -> Status:
        """See PreEnqueuePlugin; a pod waits until all its claims are there."""
        try:
            pod_claims(pod, snapshot.objects)
        except ClaimError as failure:
            return unresolvable(str(failure))
        return SUCCESS

    def lets_in(self, shape: PodShape) -> bool:
        """See GateByShape."""
        return not shape.spec.resource_claims

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        data = DraState()
        state.write(self.name, data)
        objects = self._objects = snapshot.objects
        try:
            claims = pod_claims(pod, objects)
        except ClaimError as failure:
            return PreFilterResult(unresolvable(str(failure)))
        data.extended = extended_resources(pod, objects, snapshot.nodes.resources)
        if data.extended is not None:
            claims.append(data.extended.claim)
        if not claims:
            return PreFilterResult(SKIP)
        for claim in claims:
            if claim.status.allocation is None:
                status = self._check(claim, objects, is_extended=data.is_extended(claim))
                if not status.is_success:
                    return PreFilterResult(status)
        data.selectors = [_where(claim) for claim in claims]
        data.claims = claims
        if data.to_allocate():
            data.allocator = Allocator(
                self._pool_index(objects), objects.device_classes, self._in_use(objects)
            )
        return PreFilterResult()

    def _check(self, claim: ResourceClaim, objects: ClusterObjects, *, is_extended: bool) -> Status:
        """Return whether a claim could be allocated at all."""
        if claim.metadata.uid in self._in_flight:
            key = f"{claim.metadata.namespace}/{claim.metadata.name}"
            return unresolvable(f"resource claim {key} is in the process of being allocated")
        if is_extended:
            return SUCCESS
        for request in claim.spec.devices.requests:
            for wanted in wanted_devices(request):
                if not wanted.class_name:
                    return error(f"request {wanted.reference}: unsupported request type")
                if objects.device_classes.get(wanted.class_name) is None:
                    text = f"device class {wanted.class_name} does not exist"
                    return unresolvable(f"request {wanted.reference}: {text}")
        return SUCCESS

    def _pool_index(self, objects: ClusterObjects) -> PoolIndex:
        version = objects.resource_slices.version
        if self._index[0] is not objects or self._index[1] != version:
            self._index = (objects, version, PoolIndex(objects.resource_slices))
        return self._index[2]

    def _in_use(self, objects: ClusterObjects) -> DevicesInUse:
        version = (objects.resource_claims.version, self._in_flight.version)
        if self._used[0] is not objects or self._used[1] != version:
            claims = (*objects.resource_claims, *self._in_flight.claims())
            self._used = (objects, version, DevicesInUse.of(claims))
        return self._used[2]

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; the search for devices is done node by node."""
        data = state.read(self.name)
        if not isinstance(data, DraState):
            return (Rejection(_NOT_FOUND, np.ones(len(nodes), np.bool_), Code.ERROR),)
        found: dict[tuple[str, Code], Mask] = {}
        for row in range(len(nodes)):
            node, deadline = nodes.info(row), self.now - self._binding_timeout
            status = filter_node(data, pod, node, self._objects, deadline)
            if not status.is_success:
                key = (status.message, status.code)
                found.setdefault(key, np.zeros(len(nodes), np.bool_))[row] = True
        return [Rejection(reason, mask, code) for (reason, code), mask in found.items()]

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, diagnosis: NodeStatuses
    ) -> PostFilterResult:
        """See PostFilterPlugin; an allocation is given up that no node can use."""
        data = state.read(self.name)
        if not isinstance(data, DraState):
            return PostFilterResult(error(_NOT_FOUND))
        unavailable = sorted(_unavailable(data, snapshot.nodes, diagnosis))
        return PostFilterResult(release(data, pod, unavailable, self._handle.draw))

    def score(
        self,
        state: CycleState,
        pod: PodInfo,  # noqa: ARG002 - the interface's
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """Return how far to the front the chosen alternatives stand."""
        data = state.read(self.name)
        if not isinstance(data, DraState):
            return error(_NOT_FOUND)
        names = [snapshot.nodes.info(row).name for row in rows.tolist()]
        try:
            return np.array([raw_score(data, name) for name in names], np.int64)
        except TooFewAllocationsError as failure:
            return error(str(failure))

    def normalize_score(self, state: CycleState, pod: PodInfo, scores: Ints) -> Ints:  # noqa: ARG002 - the interface's
        """Return scores in proportion to the largest."""
        return default_normalize(scores)

    def reserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> Status:  # noqa: ARG002 - the interface's
        """See ReservePlugin."""
        data = state.read(self.name)
        if not isinstance(data, DraState):
            return error(_NOT_FOUND)
        return reserving.reserve(data, node, self._in_flight)

    def unreserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> None:  # noqa: ARG002 - the interface's
        """See ReservePlugin."""
        data = state.read(self.name)
        if isinstance(data, DraState):
            reserving.unreserve(data, self._in_flight)

    def is_idle(self, state: CycleState) -> bool:
        """See SparingReserve."""
        data = state.read(self.name)
        return isinstance(data, DraState) and not data.claims

    def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> tuple[ClaimWrite, ...]:
        """Return the claims to be written before the pod is bound; they are no longer in flight.

        Whoever stores them must do so before the next attempt.
        """
        data = state.read(self.name)
        if not isinstance(data, DraState):
            return ()
        now = None if self.now == _LATE else self.now
        return tuple(reserving.pre_bind(data, pod, node, self._in_flight, now))

    def writes_after_post_filter(self, state: CycleState) -> tuple[ClaimWrite, ...]:
        """Return the claims that PostFilter wants changed."""
        data = state.read(self.name)
        return data.writes if isinstance(data, DraState) else ()

    def count_devices(
        self, device_class: DeviceClass, snapshot: Snapshot, rows: Ints
    ) -> DeviceCounts:
        """See DeviceCountingPlugin."""
        objects = snapshot.objects
        index, in_use = self._pool_index(objects), self._in_use(objects)
        nodes = [snapshot.nodes.info(row) for row in rows.tolist()]
        counts = [count_on(node, device_class, index, in_use) for node in nodes]
        columns = np.array(counts, np.int64).reshape(len(nodes), 2)
        return DeviceCounts(columns[:, 0], columns[:, 1])

    def events_to_register(self) -> Sequence[EventHint]:
        """See EnqueueExtensions."""
        return registrations()


def _where(claim: ResourceClaim) -> NodeSelector | None:
    allocation = claim.status.allocation
    if allocation is None or allocation.node_selector is None:
        return None
    return NodeSelector.compile(allocation.node_selector)


def _unavailable(data: DraState, nodes: Nodes, diagnosis: NodeStatuses) -> set[int]:
    """Return the claims that turned away a node which no earlier plugin had turned away."""
    reasons_of = cast("Diagnosis", diagnosis).reasons_of  # belongs into NodeStatuses
    return {
        at
        for name, positions in data.unavailable.items()
        if (row := nodes.row_of(name)) is not None and NOT_ON_NODE in reasons_of(row)
        for at in positions
    }
