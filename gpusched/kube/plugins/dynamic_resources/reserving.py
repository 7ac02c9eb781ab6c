"""From a chosen node to written claims: Reserve, Unreserve and PreBind.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(Reserve, Unreserve, bindClaim), v1.36.1
"""

from collections.abc import Iterator
from typing import Final

from gpusched.api.resource import (
    AllocationResult,
    ResourceClaim,
    ResourceClaimConsumerReference,
)
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.status import SUCCESS, Status, error
from gpusched.kube.plugins.dynamic_resources.allocation import allocation_result
from gpusched.kube.plugins.dynamic_resources.claims import is_reserved_for
from gpusched.kube.plugins.dynamic_resources.state import ClaimWrite, DraState, InFlight

FINALIZER: Final = "resource.kubernetes.io/delete-protection"


def reserve(state: DraState, node: str, in_flight: InFlight) -> Status:
    """Take in memory what Filter found for a node."""
    waiting = state.to_allocate()
    if not waiting or state.allocator is None:
        return SUCCESS
    found = state.allocations.get(node)
    if found is None or not found.claims:
        if all(state.is_extended(claim) for claim in waiting):
            return SUCCESS  # the node's device plugin provides the resources
        return error("claim allocation not found for node")
    for original, allocated in zip(waiting, found.claims, strict=True):
        in_flight.add(_allocated(original, allocated.claim, allocation_result(allocated, node)))
    return SUCCESS


def _allocated(
    original: ResourceClaim, claim: ResourceClaim, allocation: AllocationResult
) -> ResourceClaim:
    """Return a claim with its allocation and protected from deletion."""
    finalizers = original.metadata.finalizers
    if FINALIZER not in finalizers:
        finalizers = (*finalizers, FINALIZER)
    return claim.model_copy(
        update={
            "metadata": claim.metadata.model_copy(update={"finalizers": finalizers}),
            "status": claim.status.model_copy(update={"allocation": allocation}),
        }
    )


def unreserve(state: DraState, in_flight: InFlight) -> None:
    """Give back what Reserve took."""
    for claim in state.claims:
        in_flight.remove(claim.metadata.uid)


def pre_bind(
    state: DraState, pod: PodInfo, node: str, in_flight: InFlight, now: int | None
) -> Iterator[ClaimWrite]:
    """Yield the claims as they are to be written: allocated, and reserved for the pod.

    Args:
        state: The attempt's data.
        pod: The pod.
        node: Where it goes.
        in_flight: What Reserve took; it is taken out.
        now: The time of the allocation, in microseconds; None where no clock runs.
    """
    for claim in state.claims:
        uid = claim.metadata.uid
        allocated = in_flight.get(uid)
        in_flight.remove(uid)
        bound = allocated or claim
        if is_reserved_for(claim, pod) or bound.status.allocation is None:
            continue  # reserved already, or provided by a device plugin
        created = state.is_extended(claim)
        if created:
            bound = _nameless(bound)
        found = state.allocations.get(node)
        mappings = found.mappings if created and found is not None else ()
        yield ClaimWrite(_reserved(bound, pod, now), created=created, mappings=mappings)


def _nameless(claim: ResourceClaim) -> ResourceClaim:
    """Return a claim whose name and UID are for the API server to choose."""
    metadata = claim.metadata.model_copy(update={"name": "", "uid": ""})
    return claim.model_copy(update={"metadata": metadata})


def _reserved(claim: ResourceClaim, pod: PodInfo, now: int | None) -> ResourceClaim:
    consumer = ResourceClaimConsumerReference(resource="pods", name=pod.name, uid=pod.uid)
    allocation = claim.status.allocation
    assert allocation is not None, "only an allocated claim is reserved"
    if allocation.allocation_timestamp is None and now is not None:
        allocation = allocation.model_copy(update={"allocation_timestamp": now})
    reserved_for = (*claim.status.reserved_for, consumer)
    update = {"allocation": allocation, "reserved_for": reserved_for}
    return claim.model_copy(update={"status": claim.status.model_copy(update=update)})
