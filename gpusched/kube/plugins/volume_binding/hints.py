"""Which events may cure what VolumeBinding said of a pod.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/volumebinding/volume_binding.go
(EventsToRegister), v1.36.1
"""

from collections.abc import Sequence
from typing import Final

from gpusched.cluster.pod import PodInfo
from gpusched.cluster.volume_claims import uses_claim
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.plugins.volume_binding.matching import volume_limit

_MIGRATED: Final = "storage.alpha.kubernetes.io/migrated-plugins"


def registrations() -> Sequence[EventHint]:
    """Return what the plugin registers."""
    resource = EventResource
    node, changed = Action.ADD | Action.UPDATE_NODE_LABEL, Action.ADD | Action.UPDATE
    return (
        EventHint(ClusterEvent(resource.STORAGE_CLASS, changed), _class_helps),
        EventHint(ClusterEvent(resource.PERSISTENT_VOLUME_CLAIM, changed), _claim_helps),
        EventHint(ClusterEvent(resource.PERSISTENT_VOLUME, changed)),
        EventHint(ClusterEvent(resource.NODE, node)),
        EventHint(ClusterEvent(resource.CSI_NODE, changed), _migration_changed),
        EventHint(ClusterEvent(resource.CSI_DRIVER, Action.UPDATE), _stops_counting),
        EventHint(ClusterEvent(resource.CSI_STORAGE_CAPACITY, changed), _has_more_room),
    )


def _class_helps(_pod: PodInfo, change: Change) -> bool:
    return change.old is None or change.old.allowed_topologies != change.new.allowed_topologies


def _claim_helps(pod: PodInfo, change: Change) -> bool:
    return uses_claim(pod, change.new)


def _migration_changed(_pod: PodInfo, change: Change) -> bool:
    if change.old is None:
        return True
    before, after = change.old.metadata.annotations, change.new.metadata.annotations
    return bool(before.get(_MIGRATED, "") != after.get(_MIGRATED, ""))


def _stops_counting(pod: PodInfo, change: Change) -> bool:
    """Only for inline volumes of the driver, as upstream."""
    driver = change.new.metadata.name
    inline = any(v.csi is not None and v.csi.driver == driver for v in pod.shape.spec.volumes)
    before, after = change.old.spec.storage_capacity, change.new.spec.storage_capacity
    return inline and bool(before) and not after


def _has_more_room(_pod: PodInfo, change: Change) -> bool:
    if change.old is None:
        return True
    before, after = volume_limit(change.old), volume_limit(change.new)
    return after is not None and (before is None or after.value() > before.value())
