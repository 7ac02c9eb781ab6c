"""Which events may cure what DynamicResources said of a pod.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(EventsToRegister), v1.36.1
"""

from collections.abc import Sequence

from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.plugins.dynamic_resources.claims import ClaimError, pod_claims


def registrations() -> Sequence[EventHint]:
    """Return what the plugin registers."""
    resource = EventResource
    node = Action.ADD | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_ALLOCATABLE
    changed = Action.ADD | Action.UPDATE
    generated = Action.UPDATE_POD_GENERATED_RESOURCE_CLAIM
    return (
        EventHint(ClusterEvent(resource.NODE, node)),
        EventHint(ClusterEvent(resource.RESOURCE_CLAIM, changed), _claim_helps),
        EventHint(ClusterEvent(resource.POD, generated), _has_its_claims),
        EventHint(ClusterEvent(resource.DEVICE_CLASS, changed)),
        EventHint(ClusterEvent(resource.RESOURCE_SLICE, changed)),
    )


def _claim_helps(pod: PodInfo, change: Change) -> bool:
    """A claim of any pod was deallocated, or one of this pod's came or changed its status."""
    try:
        claims = pod_claims(pod, change.snapshot.objects)
    except ClaimError:
        return False
    old, new = change.old, change.new
    if old is not None and old.status.allocation is not None and new.status.allocation is None:
        return True
    if all(claim.metadata.uid != new.metadata.uid for claim in claims):
        return False
    return old is None or old.status != new.status


def _has_its_claims(pod: PodInfo, change: Change) -> bool:
    if change.new.uid != pod.uid:
        return False
    return _are_there(change.new, change.snapshot.objects)


def _are_there(pod: PodInfo, objects: ClusterObjects) -> bool:
    try:
        pod_claims(pod, objects)
    except ClaimError:
        return False
    return True
