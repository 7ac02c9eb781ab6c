"""Which PersistentVolume suits a claim on a node, and whether one can be made there.

Source: kubernetes/component-helpers storage/volume/pv_helpers.go (FindMatchingVolume), v0.36.1;
kubernetes/kubernetes pkg/scheduler/framework/plugins/volumebinding/binder.go
(checkVolumeProvisions, hasEnoughCapacity), v1.36.1
"""

from collections.abc import Collection, Iterable
from typing import Final

from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.storage import (
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.selectors import LabelSelector, NodeSelector
from gpusched.cluster.volume_claims import STORAGE

NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
_FILESYSTEM: Final = "Filesystem"
_AVAILABLE: Final = "Available"


def requested(claim: PersistentVolumeClaim) -> Quantity:
    """Return how much storage a claim asks for."""
    return claim.spec.resources.requests.get(STORAGE, ZERO)


def reaches(volume: PersistentVolume, node: NodeInfo) -> bool:
    """Return whether a node can use a volume; only labels count, the node's name is not known."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    return NodeSelector.compile(affinity.required).matches_one(node.labels, "")


def is_kept_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Return whether a volume names this claim as its own."""
    reference = volume.spec.claim_ref
    if reference is None:
        return False
    same = (reference.namespace, reference.name) == (claim.metadata.namespace, claim.metadata.name)
    return same and reference.uid in ("", claim.metadata.uid)


def matching_volume(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    node: NodeInfo,
    taken: Collection[str],
) -> PersistentVolume | None:
    """Return the volume that is kept for a claim, or else the smallest free one that suits it.

    Args:
        claim: The claim.
        volumes: The volumes of its class; of equal ones the first wins.
        node: Where it must be usable.
        taken: Names of volumes that other claims of the pod have got.
    """
    smallest: PersistentVolume | None = None
    for volume in volumes:
        if volume.metadata.name in taken or not _could_serve(volume, claim):
            continue
        if is_kept_for(volume, claim):
            return volume if reaches(volume, node) else None
        smaller = smallest is None or _size(volume) < _size(smallest)
        if smaller and _is_free(volume, claim) and reaches(volume, node):
            smallest = volume
    return smallest


def _size(volume: PersistentVolume) -> Quantity:
    return volume.spec.capacity.get(STORAGE, ZERO)


def _could_serve(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Return what even the volume that is kept for a claim must fulfil."""
    wanted, offered = claim.spec, volume.spec
    return (
        (offered.claim_ref is None or is_kept_for(volume, claim))
        and _size(volume) >= requested(claim)
        and (wanted.volume_mode or _FILESYSTEM) == (offered.volume_mode or _FILESYSTEM)
        and (wanted.volume_attributes_class_name or "")
        == (offered.volume_attributes_class_name or "")
        and volume.metadata.deletion_timestamp is None
    )


def _is_free(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    selector = claim.spec.selector
    return (
        volume.status.phase == _AVAILABLE
        and (selector is None or LabelSelector.compile(selector).matches(volume.metadata.labels))
        and set(claim.spec.access_modes) <= set(volume.spec.access_modes)
    )


def can_be_made(storage_class: StorageClass, node: NodeInfo) -> bool:
    """Return whether a class makes volumes for a node."""
    if storage_class.provisioner in ("", NO_PROVISIONER):
        return False
    terms = storage_class.allowed_topologies
    return not terms or any(
        term.match_label_expressions
        and all(node.labels.get(each.key) in each.values for each in term.match_label_expressions)
        for term in terms
    )


def has_room(
    storage_class: StorageClass,
    claim: PersistentVolumeClaim,
    node: NodeInfo,
    objects: ClusterObjects,
) -> bool:
    """Return whether a driver that reports capacities has enough for a claim near a node."""
    driver = objects.csi_drivers.get(storage_class.provisioner)
    if STORAGE not in claim.spec.resources.requests or driver is None:
        return True
    if not driver.spec.storage_capacity:
        return True
    size, name = requested(claim).value(), storage_class.metadata.name
    return any(
        capacity.storage_class_name == name and _holds(capacity, size) and _is_near(capacity, node)
        for capacity in objects.csi_capacities
    )


def volume_limit(capacity: CSIStorageCapacity) -> Quantity | None:
    """Return the largest volume that can be made."""
    return capacity.maximum_volume_size or capacity.capacity


def _holds(capacity: CSIStorageCapacity, size: int) -> bool:
    limit = volume_limit(capacity)
    return limit is not None and limit.value() >= size


def _is_near(capacity: CSIStorageCapacity, node: NodeInfo) -> bool:
    topology = capacity.node_topology
    return topology is not None and LabelSelector.compile(topology).matches(node.labels)
