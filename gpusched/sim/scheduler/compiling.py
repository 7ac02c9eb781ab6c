"""Objects of the store as the scheduler holds them; what templates share is compiled once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gpusched.api import scheme
from gpusched.api.core import Node
from gpusched.api.core import Pod as PodModel
from gpusched.api.shared import Shared
from gpusched.cluster.node import NodeInfo, compile_node
from gpusched.cluster.objects import ClusterObjects, Lister
from gpusched.cluster.pod import PodInfo, PodShape, compile_pod
from gpusched.cluster.resources import ResourceNames
from gpusched.controllers.protocol import Key
from gpusched.kube.framework.events import EventResource
from gpusched.sim.calendar import Calendar
from gpusched.sim.manifest import manifest_of
from gpusched.sim.pod import Json, Pod, PodTemplate
from gpusched.sim.scheduler.shapes import Shapes


@dataclass(frozen=True, slots=True)
class WatchedKind:
    """A kind that plugins read beside pods and nodes.

    Attributes:
        lister: Picks its lister.
        namespaced: Whether it is found by namespace and name, or by name alone.
        event: What its changes are called; None if no plugin registers for them.
    """

    lister: Callable[[ClusterObjects], Lister[Any, Any]]
    namespaced: bool = True
    event: EventResource | None = None


WATCHED: dict[str, WatchedKind] = {
    "Namespace": WatchedKind(lambda o: o.namespaces, namespaced=False),
    "Service": WatchedKind(lambda o: o.services),
    "ReplicaSet": WatchedKind(lambda o: o.replica_sets),
    "ReplicationController": WatchedKind(lambda o: o.replication_controllers),
    "StatefulSet": WatchedKind(lambda o: o.stateful_sets),
    "PodDisruptionBudget": WatchedKind(lambda o: o.disruption_budgets),
    "PersistentVolumeClaim": WatchedKind(
        lambda o: o.claims, event=EventResource.PERSISTENT_VOLUME_CLAIM
    ),
    "PersistentVolume": WatchedKind(
        lambda o: o.volumes, namespaced=False, event=EventResource.PERSISTENT_VOLUME
    ),
    "StorageClass": WatchedKind(
        lambda o: o.storage_classes, namespaced=False, event=EventResource.STORAGE_CLASS
    ),
    "CSINode": WatchedKind(lambda o: o.csi_nodes, namespaced=False, event=EventResource.CSI_NODE),
    "CSIDriver": WatchedKind(
        lambda o: o.csi_drivers, namespaced=False, event=EventResource.CSI_DRIVER
    ),
    "CSIStorageCapacity": WatchedKind(
        lambda o: o.csi_capacities, event=EventResource.CSI_STORAGE_CAPACITY
    ),
    "VolumeAttachment": WatchedKind(
        lambda o: o.volume_attachments, namespaced=False, event=EventResource.VOLUME_ATTACHMENT
    ),
    "ResourceClaim": WatchedKind(lambda o: o.resource_claims, event=EventResource.RESOURCE_CLAIM),
    "ResourceSlice": WatchedKind(
        lambda o: o.resource_slices, namespaced=False, event=EventResource.RESOURCE_SLICE
    ),
    "DeviceClass": WatchedKind(
        lambda o: o.device_classes, namespaced=False, event=EventResource.DEVICE_CLASS
    ),
}


class Compiler:
    """Turns objects of the store into compiled ones.

    Args:
        resources: Resource names to rows.
        calendar: Wall time of t = 0, for pods that must be read through their manifest.
        whole: Whether plugins may read more of a pod's spec than those in the tree do.
    """

    def __init__(
        self, resources: ResourceNames, calendar: Calendar, *, whole: bool = False
    ) -> None:
        self.resources = resources
        self._calendar = calendar
        self._shapes: dict[PodTemplate, PodShape] = {}
        self._by_content = Shapes(resources, whole=whole)
        self._nodes = Shared(self._nameless)

    def shape(self, pod: Pod) -> PodShape:
        """Return what a pod shares with the others of its template, and with more."""
        return self._shapes.get(pod.template) or self._compile(pod.template)

    def _compile(self, template: PodTemplate) -> PodShape:
        # As created: the pod at hand may be bound already, its siblings are not.
        shape = self._shapes[template] = self._by_content.of(template)
        return shape

    def pod(self, pod: Pod) -> PodInfo:
        """Return a pod as the scheduler holds it."""
        shape = self.shape(pod)
        if isinstance(pod.detail, dict):
            return compile_pod(self._model(pod), self.resources, shape)
        info = PodInfo(shape, pod.name, pod.uid, shape.requests)
        if pod.nominated or pod.started is not None or pod.deletion is not None:
            refresh(info, pod)
        return info

    def node(self, node: Json) -> NodeInfo:
        """Return a node as the scheduler holds it; siblings share all but their metadata."""
        meta = node["metadata"]
        shared = self._nodes.of((node.get("spec"), node.get("status")))
        labels, annotations = meta.get("labels") or _NONE, meta.get("annotations") or _NONE
        return shared.named(meta["name"], labels, annotations)

    def _nameless(self, spec: Json | None, status: Json | None) -> NodeInfo:
        return compile_node(Node.model_validate(_as_read(spec, status)), self.resources)

    def other(self, obj: Json) -> Any:
        """Return the model of any other object."""
        return scheme.model_of(obj)

    def _model(self, pod: Pod) -> PodModel:
        return PodModel.model_validate(manifest_of(pod, self._calendar))


def refresh(info: PodInfo, pod: Pod) -> bool:
    """Copy what changes during a pod's life; its shape and its place stay.

    Returns:
        Whether anything did.
    """
    disruption = pod.condition("DisruptionTarget") if pod.deletion is not None else None
    preempted = disruption == ("True", "PreemptionByScheduler")
    terminating = pod.deletion is not None
    before = (info.nominated_node, info.start_time, info.terminating, info.preempted)
    if before == (pod.nominated, pod.started, terminating, preempted):
        return False
    info.nominated_node = pod.nominated
    info.start_time = pod.started
    info.terminating, info.preempted = terminating, preempted
    return True


def lister_key(kind: WatchedKind, key: Key) -> Any:
    """Return the lister's key of an object."""
    return key if kind.namespaced else key[1]


def _as_read(spec: Json | None, status: Json | None) -> Json:
    """Return what a scheduler reads of a node: a cluster has many, and they are written often."""
    status = status or {}
    conditions = status.get("conditions") or ()
    return {
        "spec": spec or {},
        "status": {
            **{name: status[name] for name in _NODE_STATUS if name in status},
            "conditions": [{"type": c["type"], "status": c["status"]} for c in conditions],
        },
    }


_NONE: Mapping[str, str] = {}
_NODE_STATUS = ("allocatable", "images", "declaredFeatures")
