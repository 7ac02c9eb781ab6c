"""Filter for one node: are the allocated claims usable there, can the others be allocated there?

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/
{dynamicresources,extendeddynamicresources}.go (Filter), v1.36.1
"""

from typing import Final

from gpusched.api.resource import ResourceClaim
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.status import SUCCESS, Status, error, unresolvable
from gpusched.kube.plugins.dynamic_resources.allocator import (
    AllocationError,
    ClaimAllocation,
    NodeError,
)
from gpusched.kube.plugins.dynamic_resources.binding_conditions import is_hopeless
from gpusched.kube.plugins.dynamic_resources.extended_resources import (
    RequestMapping,
    with_requests,
)
from gpusched.kube.plugins.dynamic_resources.state import DraState, NodeAllocation

NOT_ON_NODE: Final = "resourceclaim not available on the node"
CANNOT_ALLOCATE: Final = "cannot allocate all claims"
CANNOT_FIT: Final = "cannot fit resource"
LEFT_OVER: Final = "cannot schedule extended resource claim"


def filter_node(
    state: DraState, pod: PodInfo, node: NodeInfo, objects: ClusterObjects, deadline: int
) -> Status:
    """Return whether a node can serve a pod's claims; what it would get is kept in ``state``.

    Args:
        state: The attempt's data.
        pod: The pod.
        node: The node.
        objects: For the classes behind extended resources.
        deadline: Allocations made before this time whose devices are not ready have timed out.
    """
    extended = _extended_claim(state, pod, node, objects)
    if isinstance(extended, Status):
        return extended
    claim, mappings = extended
    unavailable = _unavailable(state, node, deadline)
    found = _allocate(state, node, claim)
    if isinstance(found, Status):
        return found
    if unavailable:
        state.unavailable[node.name] = tuple(unavailable)
        return unresolvable(NOT_ON_NODE)
    if found is not None:
        state.allocations[node.name] = NodeAllocation(found, mappings)
    return SUCCESS


def _extended_claim(
    state: DraState, pod: PodInfo, node: NodeInfo, objects: ClusterObjects
) -> tuple[ResourceClaim | None, tuple[RequestMapping, ...]] | Status:
    """Return the claim for extended resources as a node needs it, or a verdict on the node."""
    if state.extended is None:
        return None, ()
    if state.extended.is_final:
        return unresolvable(LEFT_OVER)
    resources = state.extended.by_devices(node, objects.class_of_resource)
    if resources is None:
        return unresolvable(CANNOT_FIT)
    if not resources and not state.has_user_claims:
        return SUCCESS
    return with_requests(state.extended.claim, pod, resources, objects.class_of_resource)


def _unavailable(state: DraState, node: NodeInfo, deadline: int) -> list[int]:
    """Return the positions of allocated claims that are of no use on a node."""
    found = []
    for at, (claim, selector) in enumerate(zip(state.claims, state.selectors, strict=True)):
        elsewhere = selector is not None and not selector.matches_one(node.labels, node.name)
        if elsewhere or is_hopeless(claim, deadline):
            found.append(at)
    return found


def _allocate(
    state: DraState, node: NodeInfo, extended: ResourceClaim | None
) -> tuple[ClaimAllocation, ...] | Status | None:
    if state.allocator is None:
        return None
    claims = [
        extended if extended is not None and state.is_extended(claim) else claim
        for claim in state.to_allocate()
    ]
    try:
        found = state.allocator.allocate(node, claims)
    except AllocationError as failure:
        return error(str(failure))
    except NodeError as failure:
        return unresolvable(str(failure))
    return unresolvable(CANNOT_ALLOCATE) if found is None else found
