"""VolumeRestrictions: disks that take one pod at a time, and claims that take one pod ever."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.api.volumes import RBD, Volume
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.volume_claims import named_claims, not_found
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
)

DISK_CONFLICT: Final = "node(s) had no available disk"
CLAIM_CONFLICT: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
    "already in-use by another pod"
)
_PRE_FILTER: Final = "PreFilterVolumeRestrictions"
_NOT_FOUND: Final = f'cannot read "{_PRE_FILTER}" from cycleState'
_ONE_POD: Final = "ReadWriteOncePod"


@dataclass(slots=True)
class ExclusiveClaims:
    """The pod's claims that only one pod may use.

    Attributes:
        names: Their names; namespaces are not told apart where pods come and go, as upstream.
        users: How many uses of them stand in the way.
    """

    names: frozenset[str]
    users: int

    def clone(self) -> "ExclusiveClaims":
        """Return a copy."""
        return ExclusiveClaims(self.names, self.users)


class VolumeRestrictions:
    """Turn away nodes whose pods have a disk that the pod needs for itself.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/volumerestrictions/
    volume_restrictions.go, v1.36.1.
    """

    name: ClassVar[str] = "VolumeRestrictions"

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin; all claims that the pod names must exist."""
        exclusive = set()
        for name in named_claims(pod.shape):
            claim = snapshot.objects.claims.get((pod.namespace, name))
            if claim is None:
                return PreFilterResult(unresolvable(not_found(name)))
            if _ONE_POD in claim.spec.access_modes:
                exclusive.add(name)
        used = exclusive & _claims_in_use(snapshot, pod.namespace) if exclusive else set()
        if not used and not disks(pod.shape):
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, ExclusiveClaims(frozenset(exclusive), len(used)))
        return PreFilterResult()

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; an exclusive claim in use turns away every node."""
        conflict = np.zeros(len(nodes), np.bool_)
        wanted = disks(pod.shape)
        if wanted:
            for node in nodes.states:
                conflict[node.row] = any(
                    disks_conflict(wanted, disks(other.shape)) for other in node.pods
                )
        rejections = [Rejection(DISK_CONFLICT, conflict)] if conflict.any() else []
        data = state.read(_PRE_FILTER)
        if not isinstance(data, ExclusiveClaims):
            rejections.append(Rejection(_NOT_FOUND, ~conflict, Code.ERROR))
        elif data.users > 0:
            rejections.append(Rejection(CLAIM_CONFLICT, ~conflict))
        return rejections

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:  # noqa: ARG002 - the interface's
        """See PreFilterExtensions."""
        return _count(state, other, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:  # noqa: ARG002 - the interface's
        """See PreFilterExtensions."""
        return _count(state, other, -1)

    def events_to_register(self) -> Sequence[EventHint]:
        """Pods that give up a disk or claim, new nodes, and claims that were missing."""
        resource = EventResource
        claim = ClusterEvent(resource.PERSISTENT_VOLUME_CLAIM, Action.ADD)
        return (
            EventHint(ClusterEvent(resource.POD, Action.DELETE), _gives_way),
            EventHint(ClusterEvent(resource.NODE, Action.ADD)),
            EventHint(claim, _is_named),
        )


def _count(state: CycleState, other: PodInfo, sign: int) -> Status:
    data = state.read(_PRE_FILTER)
    if not isinstance(data, ExclusiveClaims):
        return error(_NOT_FOUND)
    data.users += sign * sum(name in data.names for name in named_claims(other.shape))
    return SUCCESS


def _claims_in_use(snapshot: Snapshot, namespace: str) -> set[str]:
    """Return the claims of a namespace that pods on nodes use."""
    return {
        name
        for shape, nodes in snapshot.placed.items()
        if shape.namespace == namespace and any(node.row >= 0 for node in nodes)
        for name in named_claims(shape)
    }


def _disks(shape: PodShape) -> tuple[Volume, ...]:
    return tuple(
        volume
        for volume in shape.spec.volumes
        if volume.gce_persistent_disk
        or volume.aws_elastic_block_store
        or volume.rbd
        or volume.iscsi
    )


def disks(shape: PodShape) -> tuple[Volume, ...]:
    """Return the volumes of a pod that are disks which pods may not share."""
    return shape.memo(_disks, _disks)


def disks_conflict(wanted: Iterable[Volume], present: Sequence[Volume]) -> bool:
    """Return whether two pods' disks exclude each other."""
    return any(_conflict(one, other) for one in wanted for other in present)


def _conflict(one: Volume, other: Volume) -> bool:
    if one.gce_persistent_disk and other.gce_persistent_disk:
        mine, theirs = one.gce_persistent_disk, other.gce_persistent_disk
        return mine.pd_name == theirs.pd_name and not (mine.read_only and theirs.read_only)
    if one.aws_elastic_block_store and other.aws_elastic_block_store:
        return one.aws_elastic_block_store.volume_id == other.aws_elastic_block_store.volume_id
    if one.iscsi and other.iscsi:
        both_read_only = one.iscsi.read_only and other.iscsi.read_only
        return one.iscsi.iqn == other.iscsi.iqn and not both_read_only
    return bool(one.rbd and other.rbd and _same_image(one.rbd, other.rbd))


def _same_image(one: RBD, other: RBD) -> bool:
    if one.read_only and other.read_only:
        return False
    same = (one.pool or "rbd", one.image) == (other.pool or "rbd", other.image)
    return same and not set(one.monitors).isdisjoint(other.monitors)


def _gives_way(pod: PodInfo, change: Change) -> bool:
    gone: PodInfo = change.old
    if gone.namespace != pod.namespace:
        return False
    if disks_conflict(disks(pod.shape), disks(gone.shape)):
        return True
    return not set(named_claims(pod.shape)).isdisjoint(named_claims(gone.shape))


def _is_named(pod: PodInfo, change: Change) -> bool:
    metadata = change.new.metadata
    return metadata.namespace == pod.namespace and metadata.name in named_claims(pod.shape)
