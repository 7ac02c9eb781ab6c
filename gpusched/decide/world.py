"""The cluster of a case: its objects accepted, compiled and put into the scheduler's cache."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from gpusched.api.core import Namespace, Node, Pod
from gpusched.api.meta import KubeObject
from gpusched.api.scheme import kind_of, model_of
from gpusched.api.wire import Json
from gpusched.cluster.cache import Cache
from gpusched.cluster.node import compile_node
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, compile_pod
from gpusched.cluster.resources import ResourceNames
from gpusched.decide.accepting import UnreadableObjectError, accept
from gpusched.decide.case import Case, MalformedCaseError

_LISTERS: Final = {
    "CSIDriver": "csi_drivers",
    "CSINode": "csi_nodes",
    "CSIStorageCapacity": "csi_capacities",
    "DeviceClass": "device_classes",
    "Namespace": "namespaces",
    "PersistentVolume": "volumes",
    "PersistentVolumeClaim": "claims",
    "PodDisruptionBudget": "disruption_budgets",
    "ReplicaSet": "replica_sets",
    "ReplicationController": "replication_controllers",
    "ResourceClaim": "resource_claims",
    "ResourceSlice": "resource_slices",
    "Service": "services",
    "StatefulSet": "stateful_sets",
    "StorageClass": "storage_classes",
    "VolumeAttachment": "volume_attachments",
}
"""Kind to the lister that holds its objects."""

_FINISHED: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PendingPod:
    """A pod of the queue.

    Attributes:
        key: ``namespace/name``, or its index if it cannot be read.
        problem: Why the API server refuses it; empty if it does not.
        scheduler_name: ``spec.schedulerName``.
        info: The pod, compiled; None if it is refused.
    """

    key: str
    problem: str = ""
    scheduler_name: str = ""
    info: PodInfo | None = None


@dataclass(slots=True)
class World:
    """What the scheduler sees of a case.

    Attributes:
        cache: Nodes, and the pods on them.
        pending: The queue.
        waiting: Unbound pods among the objects, with the names of their schedulers.
        placed: Pods on nodes by key.
    """

    cache: Cache = field(default_factory=lambda: Cache(ResourceNames(), ClusterObjects()))
    pending: list[PendingPod] = field(default_factory=list)
    waiting: list[tuple[str, PodInfo]] = field(default_factory=list)
    placed: dict[str, PodInfo] = field(default_factory=dict)

    def place(self, pod: PodInfo, node: str) -> None:
        """Put a pod on a node."""
        self.cache.add_pod(pod, node)
        self.placed[pod.key] = pod

    def evict(self, key: str) -> None:
        """Take a pod away for good.

        Raises:
            MalformedCaseError: There is no such pod on a node.
        """
        pod = self.placed.pop(key, None)
        if pod is None:
            raise MalformedCaseError(f"victim {key} not found")
        self.cache.remove_pod(pod)


def build(case: Case) -> World:
    """Return the world of a case.

    Raises:
        MalformedCaseError: The API server would not accept one of the objects.
    """
    world = World()
    stored = [_stored(obj, f"objects[{at}]") for at, obj in enumerate(case.objects)]
    pods = [obj for obj in stored if obj["kind"] == "Pod" and not _is_finished(obj)]
    for obj in stored:
        _add(world.cache, obj)
    for obj in pods:
        _add_pod(world, obj)
    world.pending = [_pending(world, obj, at) for at, obj in enumerate(case.pending)]
    _add_namespaces(world)
    return world


def _stored(obj: Any, place: str) -> Json:
    try:
        accepted = accept(obj)
    except UnreadableObjectError as error:
        raise MalformedCaseError(f"{place}: {error}") from None
    if accepted.errors:
        raise MalformedCaseError(f"{place}: {'; '.join(accepted.errors)}")
    return accepted.stored


def _is_finished(pod: Json) -> bool:
    return (pod.get("status") or {}).get("phase") in _FINISHED


def _add(cache: Cache, obj: Json) -> None:
    """Put a node into the cache, any other object where plugins look for it."""
    kind = kind_of(obj)
    if kind is None or kind.kind == "Pod":
        return
    model = model_of(obj)
    if isinstance(model, Node):
        cache.add_node(compile_node(model, cache.resources))
        return
    lister = getattr(cache.objects, _LISTERS.get(kind.kind, ""), None)
    if lister is not None:
        lister.put(_key(model, namespaced=kind.namespaced), model)


def _key(model: KubeObject, *, namespaced: bool) -> str | tuple[str, str]:
    metadata = model.metadata
    return (metadata.namespace, metadata.name) if namespaced else metadata.name


def _add_pod(world: World, obj: Json) -> None:
    pod = Pod.model_validate(obj)
    info = compile_pod(pod, world.cache.resources)
    if info.node_name:
        world.place(info, info.node_name)
    else:
        world.waiting.append((pod.spec.scheduler_name, info))


def _pending(world: World, obj: Any, at: int) -> PendingPod:
    try:
        accepted = accept(obj)
    except UnreadableObjectError as error:
        return PendingPod(str(at), problem=str(error))
    stored = accepted.stored
    if stored["kind"] != "Pod":
        raise MalformedCaseError("pending: not a Pod")
    key = f"{stored['metadata']['namespace']}/{stored['metadata'].get('name', '')}"
    if accepted.errors:
        return PendingPod(key, problem="; ".join(accepted.errors))
    pod = Pod.model_validate(stored)
    info = compile_pod(pod, world.cache.resources)
    if info.node_name:
        raise MalformedCaseError(f"pending pod {info.name} has a nodeName")
    return PendingPod(key, scheduler_name=pod.spec.scheduler_name, info=info)


def _add_namespaces(world: World) -> None:
    """Every namespace of a pod exists, with the one label that each has."""
    namespaces = world.cache.objects.namespaces
    for name in dict.fromkeys(_pod_namespaces(world)):
        if namespaces.get(name) is None:
            labels = {"kubernetes.io/metadata.name": name}
            namespaces.put(
                name,
                Namespace.model_validate({"metadata": {"name": name, "labels": labels}}),
            )


def _pod_namespaces(world: World) -> Iterable[str]:
    for pod in (*world.placed.values(), *(info for _, info in world.waiting)):
        yield pod.namespace
    for pending in world.pending:
        if "/" in pending.key:
            yield pending.key.partition("/")[0]
