"""The objects beside pods and nodes that a scheduler reads, by kind and name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from gpusched.api.core import Namespace, Service
from gpusched.api.policy import PodDisruptionBudget
from gpusched.api.resource import DeviceClass, ResourceClaim, ResourceSlice
from gpusched.api.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from gpusched.api.workloads import ReplicaSet, ReplicationController, StatefulSet

K = TypeVar("K")
V = TypeVar("V")
NamespacedName = tuple[str, str]


class Lister(Generic[K, V]):
    """Objects of one kind by key, in order of arrival; an update keeps its place.

    Attributes:
        version: Grows with every change, so that readers may keep what they derived.
    """

    __slots__ = ("_objects", "version")

    def __init__(self) -> None:
        self._objects: dict[K, V] = {}
        self.version = 0

    def __iter__(self) -> Iterator[V]:
        """Iterate over the objects in order of arrival."""
        return iter(self._objects.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._objects)

    def get(self, key: K) -> V | None:
        """Return the object under ``key``, or None."""
        return self._objects.get(key)

    def put(self, key: K, value: V) -> None:
        """Add or replace an object."""
        self._objects[key] = value
        self.version += 1

    def delete(self, key: K) -> None:
        """Remove an object; nothing happens if it is not there."""
        if self._objects.pop(key, None) is not None:
            self.version += 1


class Selector(Protocol):
    """A workload that selects its pods."""

    @property
    def spec(self) -> Any:
        """Return its spec, which has a ``selector``."""
        ...


W = TypeVar("W", bound=Selector)


class WorkloadLister(Lister[NamespacedName, W]):
    """Workloads, which are written time and again while what they select by stays the same."""

    __slots__ = ("_selections",)

    def __init__(self) -> None:
        super().__init__()
        self._selections: dict[NamespacedName, int] = {}

    def put(self, key: NamespacedName, value: W) -> None:
        """Add or replace a workload."""
        old = self.get(key)
        super().put(key, value)
        if old is None or old.spec.selector != value.spec.selector:
            self._selections[key] = self.version

    def delete(self, key: NamespacedName) -> None:
        """Remove a workload; nothing happens if it is not there."""
        super().delete(key)
        self._selections.pop(key, None)

    def selection(self, key: NamespacedName) -> int:
        """Return a number that is another one once a workload selects anew; 0 if it is absent."""
        return self._selections.get(key, 0)


def _lister() -> Lister[K, V]:
    return Lister()


def _workload_lister() -> WorkloadLister[W]:
    return WorkloadLister()


@dataclass(slots=True)
class ClusterObjects:
    """Listers for every kind that a plugin reads; cluster-scoped kinds by name."""

    namespaces: Lister[str, Namespace] = field(default_factory=_lister)
    services: Lister[NamespacedName, Service] = field(default_factory=_lister)
    replica_sets: WorkloadLister[ReplicaSet] = field(default_factory=_workload_lister)
    replication_controllers: WorkloadLister[ReplicationController] = field(
        default_factory=_workload_lister
    )
    stateful_sets: WorkloadLister[StatefulSet] = field(default_factory=_workload_lister)
    disruption_budgets: Lister[NamespacedName, PodDisruptionBudget] = field(default_factory=_lister)
    claims: Lister[NamespacedName, PersistentVolumeClaim] = field(default_factory=_lister)
    volumes: Lister[str, PersistentVolume] = field(default_factory=_lister)
    storage_classes: Lister[str, StorageClass] = field(default_factory=_lister)
    csi_nodes: Lister[str, CSINode] = field(default_factory=_lister)
    csi_drivers: Lister[str, CSIDriver] = field(default_factory=_lister)
    csi_capacities: Lister[NamespacedName, CSIStorageCapacity] = field(default_factory=_lister)
    volume_attachments: Lister[str, VolumeAttachment] = field(default_factory=_lister)
    resource_claims: Lister[NamespacedName, ResourceClaim] = field(default_factory=_lister)
    resource_slices: Lister[str, ResourceSlice] = field(default_factory=_lister)
    device_classes: Lister[str, DeviceClass] = field(default_factory=_lister)

    _classes_by_resource: dict[str, DeviceClass] = field(default_factory=dict, repr=False)
    _classes_version: int = field(default=0, repr=False)

    def class_of_resource(self, resource: str) -> DeviceClass | None:
        """Return the device class by which an extended resource may be had, or None.

        Every class answers to a name of its own; of several classes with one
        ``extendedResourceName`` the newest one counts, among equals the first by name.

        Source: kubernetes/kubernetes pkg/scheduler/util/deviceclass.go, v1.36.1.
        """
        if self._classes_version != self.device_classes.version:
            self._classes_by_resource = _classes_by_resource(self.device_classes)
            self._classes_version = self.device_classes.version
        return self._classes_by_resource.get(resource)

    def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """Return a namespace's labels, or None if there is no such object."""
        namespace = self.namespaces.get(name)
        return None if namespace is None else namespace.metadata.labels

    def selection(self, namespace: str, kind: str, name: str) -> int:
        """Return what stands for a workload's selector (`WorkloadLister.selection`)."""
        key = (namespace, name)
        if kind == "ReplicaSet":
            return self.replica_sets.selection(key)
        if kind == "StatefulSet":
            return self.stateful_sets.selection(key)
        return self.replication_controllers.selection(key) if kind == "ReplicationController" else 0


IMPLICIT_RESOURCE_PREFIX: Final = "deviceclass.resource.kubernetes.io/"


def _classes_by_resource(classes: Iterable[DeviceClass]) -> dict[str, DeviceClass]:
    by_name = sorted(classes, key=lambda each: each.metadata.name.encode(), reverse=True)
    by_age = sorted(by_name, key=lambda each: each.metadata.creation_timestamp or 0)
    found: dict[str, DeviceClass] = {}
    for each in by_age:
        if each.spec.extended_resource_name:
            found[each.spec.extended_resource_name] = each
        found[IMPLICIT_RESOURCE_PREFIX + each.metadata.name] = each
    return found
