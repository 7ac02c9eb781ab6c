"""VolumeZone: bound volumes must be in the node's zone and region, as their labels say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

import numpy as np

from gpusched.api.storage import PersistentVolume
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import BETA_REGION, BETA_ZONE, REGION, ZONE, NodeInfo
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.volume_claims import (
    WAIT_FOR_FIRST_CONSUMER,
    binding_mode_not_set,
    class_of_claim,
    named_claims,
    not_found,
)
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    unresolvable,
)

REASON: Final = "node(s) had no available volume zone"
_PRE_FILTER: Final = "PreFilterVolumeZone"
_LABELS: Final = (BETA_ZONE, BETA_REGION, ZONE, REGION)
_GA_LABEL: Final = {BETA_ZONE: ZONE, BETA_REGION: REGION}
_DELIMITER: Final = "__"

Topology: TypeAlias = tuple[str, frozenset[str]]
"""A label's key, and the values of which a node must have one."""


@dataclass(frozen=True, slots=True)
class VolumeTopologies:
    """What all bound volumes of a pod ask of a node."""

    topologies: tuple[Topology, ...]

    def clone(self) -> "VolumeTopologies":
        """Return itself: it never changes."""
        return self


class VolumeZone:
    """Turn away nodes in other zones than the pod's volumes.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/volumezone/volume_zone.go,
    v1.36.1.
    """

    name: ClassVar[str] = "VolumeZone"

    def __init__(self) -> None:
        self._objects = ClusterObjects()

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        self._objects = snapshot.objects
        found = _topologies(pod, snapshot.objects)
        if isinstance(found, Status):
            return PreFilterResult(found)
        if not found.topologies:
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, found)
        return PreFilterResult()

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; nodes without any of the labels are in every zone."""
        found = state.read(_PRE_FILTER)
        if not isinstance(found, VolumeTopologies):
            looked_up = _topologies(pod, self._objects)
            if isinstance(looked_up, Status):
                everywhere = np.ones(len(nodes), np.bool_)
                return (Rejection(looked_up.message, everywhere, looked_up.code),)
            found = looked_up
        classes = nodes.classes(_node_topology, _node_topology)
        away = ~classes.select(lambda labels: _is_inside(dict(labels), found.topologies))
        if not away.any():
            return ()
        return (Rejection(REASON, away, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),)

    def events_to_register(self) -> Sequence[EventHint]:
        """Classes that delay binding, nodes, the pod's claims, and volumes that move."""
        resource = EventResource
        node, changed = Action.ADD | Action.UPDATE_NODE_LABEL, Action.ADD | Action.UPDATE
        return (
            EventHint(ClusterEvent(resource.STORAGE_CLASS, Action.ADD), _binds_late),
            EventHint(ClusterEvent(resource.NODE, node)),
            EventHint(ClusterEvent(resource.PERSISTENT_VOLUME_CLAIM, changed), _is_named),
            EventHint(ClusterEvent(resource.PERSISTENT_VOLUME, changed), _moved),
        )


def _topologies(pod: PodInfo, objects: ClusterObjects) -> VolumeTopologies | Status:
    found: list[Topology] = []
    for name in named_claims(pod.shape):
        volume = _volume(pod.namespace, name, objects)
        if isinstance(volume, PersistentVolume):
            found += volume_topologies(volume)
        elif not volume.is_success:
            return volume
    return VolumeTopologies(tuple(found))


def _volume(namespace: str, name: str, objects: ClusterObjects) -> PersistentVolume | Status:
    """Return a claim's volume, Success where it may come later, or why the pod cannot run."""
    if not name:
        return unresolvable("PersistentVolumeClaim had no name")
    claim = objects.claims.get((namespace, name))
    if claim is None:
        return unresolvable(not_found(name))
    if not claim.spec.volume_name:
        return _may_come_later(class_of_claim(claim), objects)
    volume = objects.volumes.get(claim.spec.volume_name)
    return volume or unresolvable(f'persistentvolume "{claim.spec.volume_name}" not found')


def _may_come_later(storage_class: str, objects: ClusterObjects) -> Status:
    if not storage_class:
        return unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
    found = objects.storage_classes.get(storage_class)
    if found is None:
        return unresolvable(f'storageclass.storage.k8s.io "{storage_class}" not found')
    if found.volume_binding_mode is None:
        return unresolvable(binding_mode_not_set(storage_class))
    if found.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER:
        return SUCCESS
    return unresolvable("PersistentVolume had no name")


def volume_topologies(volume: PersistentVolume) -> list[Topology]:
    """Return what a volume's zone and region labels ask; a label with an empty part asks nothing.

    >>> volume_topologies(PersistentVolume(metadata={"labels": {ZONE: "a__b"}}))[0][1] == {"a", "b"}
    True
    """
    found = []
    for key in _LABELS:
        if key in volume.metadata.labels:
            parts = [part.strip() for part in volume.metadata.labels[key].split(_DELIMITER)]
            if all(parts):
                found.append((key, frozenset(parts)))
    return found


def _node_topology(node: NodeInfo) -> tuple[tuple[str, str], ...]:
    return tuple((key, node.labels[key]) for key in _LABELS if key in node.labels)


def _is_inside(labels: dict[str, str], topologies: Sequence[Topology]) -> bool:
    return not labels or all(
        labels.get(key, labels.get(_GA_LABEL.get(key, key))) in values for key, values in topologies
    )


def _binds_late(_pod: PodInfo, change: Change) -> bool:
    return bool(change.new.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER)


def _is_named(pod: PodInfo, change: Change) -> bool:
    metadata = change.new.metadata
    return metadata.namespace == pod.namespace and metadata.name in named_claims(pod.shape)


def _moved(_pod: PodInfo, change: Change) -> bool:
    if change.old is None:
        return True
    return volume_topologies(change.old) != volume_topologies(change.new)
