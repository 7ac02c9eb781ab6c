"""PostFilter: giving up an allocation that keeps the pod from every node.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(PostFilter), v1.36.1
"""

from collections.abc import Callable, Iterable
from typing import Final

from gpusched.api.resource import ResourceClaim, ResourceClaimStatus
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.status import Status, unschedulable
from gpusched.kube.plugins.dynamic_resources.reserving import FINALIZER
from gpusched.kube.plugins.dynamic_resources.state import ClaimWrite, DraState

NO_CLAIMS: Final = "no new claims to deallocate"
DEALLOCATED: Final = "deallocation of ResourceClaim completed"
DELETED: Final = "deletion of ResourceClaim completed"
NOTHING_HELPS: Final = "still not schedulable"


def release(
    state: DraState, pod: PodInfo, unavailable: Iterable[int], draw: Callable[[int], int]
) -> Status:
    """Return what could be given up; the change itself is left in ``state.writes``.

    Args:
        state: The attempt's data.
        pod: The pod.
        unavailable: Positions of allocated claims that turned nodes away, ascending.
        draw: Upstream takes any of the claims that may go: the one that this draws.
    """
    if not state.claims:
        return unschedulable(NO_CLAIMS)
    candidates = [state.claims[at] for at in unavailable if _may_go(state, state.claims[at], pod)]
    if candidates:
        claim = candidates[draw(len(candidates))]
        freed = claim.model_copy(update={"status": ResourceClaimStatus()})
        state.writes = (ClaimWrite(freed),)
        return unschedulable(DEALLOCATED)
    if state.extended is not None and state.extended.is_left_over:
        state.writes = (ClaimWrite(_unprotected(state.extended.claim), deleted=True),)
        return unschedulable(DELETED)
    return unschedulable(NOTHING_HELPS)


def _may_go(state: DraState, claim: ResourceClaim, pod: PodInfo) -> bool:
    consumers = claim.status.reserved_for
    free = not consumers or (len(consumers) == 1 and consumers[0].uid == pod.uid)
    return free and not state.is_extended(claim)


def _unprotected(claim: ResourceClaim) -> ResourceClaim:
    finalizers = tuple(name for name in claim.metadata.finalizers if name != FINALIZER)
    metadata = claim.metadata.model_copy(update={"finalizers": finalizers})
    return claim.model_copy(update={"metadata": metadata})
