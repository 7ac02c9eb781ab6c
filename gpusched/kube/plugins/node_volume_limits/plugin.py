"""NodeVolumeLimits: a CSI driver attaches only so many volumes to a node."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

import numpy as np

from gpusched.api.storage import CSINode, PersistentVolumeClaim
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Mask, Nodes, NodeState
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.volume_claims import (
    ClaimUse,
    class_of_claim,
    not_found,
    not_owner,
    uses_claim,
)
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import SKIP, Code, Rejection, Status, error, unresolvable
from gpusched.kube.plugins.node_volume_limits.migration import (
    DRIVERS,
    UNCOUNTED_PROVISIONERS,
    migrated,
    migrated_volume,
)

REASON: Final = "node(s) exceed max volume count"

AttachedVolume: TypeAlias = tuple[str, str]
"""Driver and handle."""


class NodeVolumeLimits:
    """Turn away nodes on which a driver would have too many volumes.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodevolumelimits/csi.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeVolumeLimits"

    def __init__(self) -> None:
        self._objects = ClusterObjects()

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:  # noqa: ARG002 - the interface's
        """See PreFilterPlugin; pods without volumes that are counted skip Filter."""
        self._objects = snapshot.objects
        return PreFilterResult() if has_counted_volumes(pod.shape) else PreFilterResult(SKIP)

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:  # noqa: ARG002 - the interface's
        """See FilterPlugin; limits, and what is attached, are looked up node by node."""
        attachments = _attachments(self._objects)
        found: dict[tuple[str, Code], Mask] = {}
        for node in nodes.states:
            status = self._check(pod, node, nodes, attachments)
            if status is not None:
                key = (status.message, status.code)
                found.setdefault(key, np.zeros(len(nodes), np.bool_))[node.row] = True
        return [Rejection(reason, mask, code) for (reason, code), mask in found.items()]

    def _check(
        self,
        pod: PodInfo,
        node: NodeState,
        nodes: Nodes,
        attachments: Mapping[str, set[AttachedVolume]],
    ) -> Status | None:
        name = nodes.info(node.row).name
        csi_node = self._objects.csi_nodes.get(name)
        wanted = _volumes(pod, csi_node, self._objects, is_new=True)
        if isinstance(wanted, Status):
            return wanted
        limits = _limits(csi_node)
        if not wanted or not limits:
            return None
        attached: set[AttachedVolume] = set()
        for other in node.pods:
            volumes = _volumes(other, csi_node, self._objects, is_new=False)
            if isinstance(volumes, Status):
                return volumes
            attached |= volumes
        present = Counter(driver for driver, _ in attached | attachments.get(name, set()))
        more = Counter(driver for driver, _ in wanted - attached)
        if any(d in limits and present[d] + count > limits[d] for d, count in more.items()):
            return Status(Code.UNSCHEDULABLE, (REASON,))
        return None

    def events_to_register(self) -> Sequence[EventHint]:
        """Drivers that take more, pods and attachments that go, claims that were missing."""
        resource = EventResource
        claim = ClusterEvent(resource.PERSISTENT_VOLUME_CLAIM, Action.ADD)
        attachment = ClusterEvent(resource.VOLUME_ATTACHMENT, Action.DELETE)
        return (
            EventHint(ClusterEvent(resource.CSI_NODE, Action.ADD)),
            EventHint(ClusterEvent(resource.CSI_NODE, Action.UPDATE), _takes_more),
            EventHint(ClusterEvent(resource.POD, Action.DELETE), _frees_volumes),
            EventHint(claim, lambda pod, change: uses_claim(pod, change.new)),
            EventHint(attachment, _is_detached),
        )


def _has_counted_volumes(shape: PodShape) -> bool:
    return any(
        volume.persistent_volume_claim is not None
        or volume.ephemeral is not None
        or migrated(volume) is not None
        for volume in shape.spec.volumes
    )


def has_counted_volumes(shape: PodShape) -> bool:
    """Return whether a pod has claims or disks that a CSI driver may have to attach."""
    return shape.memo(_has_counted_volumes, _has_counted_volumes)


def _limits(csi_node: CSINode | None) -> dict[str, int]:
    if csi_node is None:
        return {}
    return {
        driver.name: driver.allocatable.count
        for driver in csi_node.spec.drivers
        if driver.allocatable is not None and driver.allocatable.count is not None
    }


def _volumes(
    pod: PodInfo, csi_node: CSINode | None, objects: ClusterObjects, *, is_new: bool
) -> set[AttachedVolume] | Status:
    """Return the volumes of a pod that count on a node, or what is wrong with its claims."""
    found: set[AttachedVolume] = set()
    if not has_counted_volumes(pod.shape):
        return found
    for use, inline in _sources(pod):
        counted: AttachedVolume | Status | None
        if use is None:
            counted = inline if csi_node is not None else None
        else:
            counted = _used(pod, use, csi_node, objects, is_new=is_new)
        if isinstance(counted, Status):
            return counted
        if counted is not None:
            found.add(counted)
    return found


def _used(
    pod: PodInfo,
    use: ClaimUse,
    csi_node: CSINode | None,
    objects: ClusterObjects,
    *,
    is_new: bool,
) -> AttachedVolume | Status | None:
    claim = objects.claims.get((pod.namespace, use.name))
    if claim is None:
        where = f"looking up PVC {pod.namespace}/{use.name}"
        return unresolvable(f"{where}: {not_found(use.name)}") if is_new else None
    if use.ephemeral and (problem := not_owner(pod, claim)):
        return error(problem)
    return _claimed(claim, csi_node, objects)


def _sources(pod: PodInfo) -> Iterator[tuple[ClaimUse | None, AttachedVolume | None]]:
    """Yield each volume as a claim, or as a disk under its CSI driver."""
    for volume in pod.shape.spec.volumes:
        if volume.persistent_volume_claim is not None:
            yield ClaimUse(volume.persistent_volume_claim.claim_name, ephemeral=False), None
        elif volume.ephemeral is not None:
            yield ClaimUse(f"{pod.name}-{volume.name}", ephemeral=True), None
        else:
            yield None, migrated(volume)


def _claimed(
    claim: PersistentVolumeClaim, csi_node: CSINode | None, objects: ClusterObjects
) -> AttachedVolume | None:
    """Return the volume behind a claim; one that is still to come counts for its class."""
    volume = objects.volumes.get(claim.spec.volume_name) if claim.spec.volume_name else None
    if volume is None:
        return _to_come(claim, csi_node, objects)
    if volume.spec.csi is not None:
        found = (volume.spec.csi.driver, volume.spec.csi.volume_handle)
        return found if all(found) else None
    return migrated_volume(volume) if csi_node is not None else None


def _to_come(
    claim: PersistentVolumeClaim, csi_node: CSINode | None, objects: ClusterObjects
) -> AttachedVolume | None:
    storage_class = objects.storage_classes.get(class_of_claim(claim))
    if storage_class is None or not storage_class.provisioner:
        return None
    provisioner = storage_class.provisioner
    if provisioner in UNCOUNTED_PROVISIONERS or (provisioner in DRIVERS and csi_node is None):
        return None
    handle = f"to come: {claim.metadata.namespace}/{claim.metadata.name}"
    return DRIVERS.get(provisioner, provisioner), handle


def _attachments(objects: ClusterObjects) -> dict[str, set[AttachedVolume]]:
    """Return what is attached to each node by VolumeAttachments of CSI volumes."""
    found: dict[str, set[AttachedVolume]] = {}
    for attachment in objects.volume_attachments:
        name = attachment.spec.source.persistent_volume_name
        volume = objects.volumes.get(name) if name is not None else None
        if attachment.spec.attacher and volume is not None and volume.spec.csi is not None:
            attached = (attachment.spec.attacher, volume.spec.csi.volume_handle)
            found.setdefault(attachment.spec.node_name, set()).add(attached)
    return found


def _takes_more(_pod: PodInfo, change: Change) -> bool:
    before, after = _limits(change.old), _limits(change.new)
    return any(limit > before.get(driver, 0) for driver, limit in after.items())


def _frees_volumes(_pod: PodInfo, change: Change) -> bool:
    gone: PodInfo = change.old
    return bool(gone.node_name or gone.nominated_node) and has_counted_volumes(gone.shape)


def _is_detached(pod: PodInfo, change: Change) -> bool:
    attacher = change.old.spec.attacher
    return any(
        volume.persistent_volume_claim is not None
        or ((disk := migrated(volume)) is not None and disk[0] == attacher)
        for volume in pod.shape.spec.volumes
    )
