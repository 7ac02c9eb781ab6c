"""Cluster events and queueing hints: what may cure which rejection.

Source: kubernetes/kube-scheduler framework/types.go (ClusterEvent, ActionType), v1.36.1;
specification, sections 7.6 to 7.8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Any, Protocol, TypeAlias, runtime_checkable

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.interface import Plugin


class EventResource(Enum):
    """What changed; values are upstream's labels."""

    POD = "Pod"
    ASSIGNED_POD = "AssignedPod"
    UNSCHEDULED_POD = "UnschedulablePod"
    NODE = "Node"
    PERSISTENT_VOLUME = "PersistentVolume"
    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    STORAGE_CLASS = "storage.k8s.io/StorageClass"
    CSI_NODE = "storage.k8s.io/CSINode"
    CSI_DRIVER = "storage.k8s.io/CSIDriver"
    CSI_STORAGE_CAPACITY = "storage.k8s.io/CSIStorageCapacity"
    VOLUME_ATTACHMENT = "storage.k8s.io/VolumeAttachment"
    RESOURCE_CLAIM = "resource.k8s.io/ResourceClaim"
    RESOURCE_SLICE = "resource.k8s.io/ResourceSlice"
    DEVICE_CLASS = "resource.k8s.io/DeviceClass"
    WILDCARD = "*"


class Action(IntFlag):
    """How it changed; the bits are ordered as upstream's, their order matters in matching."""

    ADD = 1 << 0
    DELETE = 1 << 1
    UPDATE_NODE_ALLOCATABLE = 1 << 2
    UPDATE_NODE_LABEL = 1 << 3
    UPDATE_NODE_TAINT = 1 << 4
    UPDATE_NODE_CONDITION = 1 << 5
    UPDATE_NODE_ANNOTATION = 1 << 6
    UPDATE_NODE_DECLARED_FEATURE = 1 << 7
    UPDATE_POD_LABEL = 1 << 8
    UPDATE_POD_SCALE_DOWN = 1 << 9
    UPDATE_POD_TOLERATION = 1 << 10
    UPDATE_POD_SCHEDULING_GATES_ELIMINATED = 1 << 11
    UPDATE_POD_GENERATED_RESOURCE_CLAIM = 1 << 12
    UPDATE = 0x1FFC
    ALL = 0x1FFF


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something that happened, or (in a registration) the pattern of what interests a plugin.

    Attributes:
        resource: What changed.
        action: How; several bits in a pattern, one (or ``UPDATE``) in a happening.
        label: The name in metrics and logs, e.g. ``AssignedPodDelete``.
    """

    resource: EventResource
    action: Action
    label: str = ""

    def matches(self, happening: "ClusterEvent") -> bool:
        """Return whether this pattern covers ``happening`` (specification, section 7.6)."""
        if self.resource is EventResource.WILDCARD:
            return True
        return (
            _covers(self.resource, happening.resource)
            and bool(self.action & happening.action)
            and int(happening.action) <= int(self.action)
        )


def _covers(pattern: EventResource, resource: EventResource) -> bool:
    pods = (EventResource.ASSIGNED_POD, EventResource.UNSCHEDULED_POD)
    return pattern is resource or (pattern is EventResource.POD and resource in pods)


@dataclass(frozen=True, slots=True)
class Change:
    """The objects of an event, compiled: `PodInfo`, `NodeInfo` or the model of the kind.

    Attributes:
        old: The object before; None when it was added.
        new: The object after; None when it was deleted.
        snapshot: The cluster after the change.
    """

    old: Any
    new: Any
    snapshot: Snapshot


Hint: TypeAlias = Callable[[PodInfo, Change], bool]
"""(waiting pod, change) -> True to queue the pod again, False to skip the event."""


@dataclass(frozen=True, slots=True)
class EventHint:
    """One registration of a plugin; without a hint every matching event queues.

    Attributes:
        event: The pattern.
        hint: Judges an event; None for one that always queues.
        by_shape: The hint reads nothing of the waiting pod but its shape, unless the change is one
            of that very pod: replicas need not be asked about one by one.
    """

    event: ClusterEvent
    hint: Hint | None = None
    by_shape: bool = False


@runtime_checkable
class EnqueueExtensions(Plugin, Protocol):
    """Names the events that may cure the plugin's rejections.

    A plugin that registers Node/Add but not Node/UpdateNodeTaint need not add the latter:
    the queue does so, as upstream, with a hint that always queues.
    """

    def events_to_register(self) -> Sequence[EventHint]:
        """Return the registrations; asked once."""
        ...
