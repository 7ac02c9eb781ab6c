"""A cluster as a fleet and a scenario: what its scheduler reads, and nothing else.

Each kind has a list of the fields that are kept; secrets, environments, commands, annotations and
whatever else a manifest may hold never leave the cluster.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from typing_extensions import override

from gpusched.controllers.protocol import ApiError
from gpusched.errors import Fault, InvalidInputError
from gpusched.live.cluster import Cluster
from gpusched.sim.control_plane import SYSTEM_CLASSES, SYSTEM_NAMESPACES
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import TERMINAL, Json

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Node": (
        "spec.taints", "spec.unschedulable", "status.capacity", "status.allocatable",
        "status.conditions", "status.images", "status.declaredFeatures",
    ),
    "ResourceSlice": ("spec",),
    "DeviceClass": ("spec",),
    "StorageClass": ("provisioner", "reclaimPolicy", "volumeBindingMode", "allowedTopologies"),
    "PriorityClass": ("value", "globalDefault", "preemptionPolicy"),
    "Namespace": (),
    "Service": ("spec.selector", "spec.ports"),
    "PodDisruptionBudget": ("spec.minAvailable", "spec.maxUnavailable", "spec.selector"),
    "ResourceClaim": ("spec",),
    "PersistentVolume": (
        "spec.capacity", "spec.accessModes", "spec.nodeAffinity", "spec.storageClassName",
        "spec.volumeMode", "spec.persistentVolumeReclaimPolicy", "spec.claimRef.name",
        "spec.claimRef.namespace", "spec.hostPath",
    ),
    "PersistentVolumeClaim": (
        "spec.accessModes", "spec.resources", "spec.storageClassName", "spec.volumeMode",
        "spec.volumeName", "spec.selector",
    ),
    "Pod": (
        "spec.nodeName", "spec.nodeSelector", "spec.affinity", "spec.tolerations",
        "spec.topologySpreadConstraints", "spec.priorityClassName", "spec.preemptionPolicy",
        "spec.schedulerName", "spec.schedulingGates", "spec.overhead", "spec.resources",
        "spec.resourceClaims", "spec.hostNetwork", "spec.restartPolicy",
        "spec.terminationGracePeriodSeconds",
    ),
}  # fmt: skip
"""What is kept of each kind beside its name, its namespace and its labels."""

_CONTAINER: Final = ("name", "image", "resources", "ports", "restartPolicy")
_FLEET: Final = ("Node", "ResourceSlice", "DeviceClass")
_SETUP: Final = (
    "Namespace", "PriorityClass", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
    "ResourceClaim", "Service", "PodDisruptionBudget",
)  # fmt: skip
_READY: Final = "gpusched.dev/captured-ready"
"""Which nodes KWOK shall keep ready, where some are not."""
_OWN_NAMES: Final = {*SYSTEM_NAMESPACES, *SYSTEM_CLASSES}


@dataclass(frozen=True, slots=True)
class Captured:
    """A cluster.

    Attributes:
        fleet: Nodes and devices.
        setup: What pods refer to.
        bound: Pods that have a node, in order of their start.
        pending: Pods that wait, in order of their creation.
        phases: Pods by phase.
        messages: Waiting pods by the text of their condition.
    """

    fleet: tuple[Json, ...]
    setup: tuple[Json, ...] = ()
    bound: tuple[Json, ...] = ()
    pending: tuple[Json, ...] = ()
    phases: Mapping[str, int] | None = None
    messages: Mapping[str, int] | None = None

    @property
    def objects(self) -> tuple[Json, ...]:
        """Return everything but the waiting pods, in an order in which it can be created."""
        return (*self.fleet, *self.setup, *self.bound)


def capture(cluster: Cluster, *, with_pods: bool) -> Captured:
    """Return what a cluster's scheduler sees; only reads.

    Args:
        cluster: The cluster.
        with_pods: Whether to take pods and what they refer to, too.
    """
    fleet = _with_readiness([reduced(obj) for kind in _FLEET for obj in _all(cluster, kind)])
    if not with_pods:
        return Captured(tuple(fleet))
    living = [pod for pod in _all(cluster, "Pod") if pod["status"].get("phase") not in TERMINAL]
    living.sort(key=_age)
    setup = [reduced(obj) for kind in _SETUP for obj in _all(cluster, kind) if _is_users(obj)]
    phases = Counter(pod["status"].get("phase") or "Pending" for pod in living)
    messages = Counter(filter(None, map(_message, living)))
    return Captured(
        tuple(fleet),
        tuple(setup),
        tuple(reduced(pod) for pod in living if pod["spec"].get("nodeName")),
        tuple(reduced(pod) for pod in living if not pod["spec"].get("nodeName")),
        dict(phases),
        dict(messages),
    )


def reduced(obj: Json) -> Json:
    """Return an object with what the scheduler reads."""
    kind, meta = obj["kind"], obj["metadata"]
    names = ("name", "namespace", "labels")
    kept: Json = {
        "apiVersion": KINDS[kind].api_version,
        "kind": kind,
        "metadata": {name: meta[name] for name in names if meta.get(name)},
    }
    for path in FIELDS[kind]:
        _copy(obj, kept, path.split("."))
    if kind == "Pod":
        _reduce_pod(obj["spec"], kept["spec"])
    if kind == "Service":
        kept["spec"]["clusterIP"] = "None"
    return kept


def write(captured: Captured, fleet: Path) -> Path:
    """Write the fleet, and a scenario beside it; return the scenario's path.

    Raises:
        InvalidInputError: A file cannot be written.
    """
    scenario = fleet.with_name(f"{fleet.stem}_scenario.yaml")
    try:
        fleet.write_text(dump_all(captured.fleet), encoding="utf-8")
        document = _document(captured, fleet)
        scenario.write_text(dump_all([document]), encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            [Fault(f"cannot be written: {error.strerror}", str(fleet))]
        ) from None
    return scenario


def _all(cluster: Cluster, kind: str) -> list[Json]:
    try:
        return cluster.read_all(kind)
    except ApiError as refusal:
        if refusal.reason in ("NotFound", "Forbidden"):
            return []
        raise


def _is_users(obj: Json) -> bool:
    """Return whether a simulated cluster does not have an object of its own accord."""
    meta = obj["metadata"]
    is_api = obj["kind"] == "Service" and meta["name"] == "kubernetes"
    own = obj["kind"] in ("Namespace", "PriorityClass") and meta["name"] in _OWN_NAMES
    return not (own or is_api)


def _copy(source: Json, target: Json, path: Sequence[str]) -> None:
    head, *rest = path
    value: Any = source.get(head)
    if value in (None, {}, []):
        return
    if rest:
        _copy(value, target.setdefault(head, {}), rest)
        if not target[head]:
            del target[head]
    else:
        target[head] = value


def _reduce_pod(spec: Json, kept: Json) -> None:
    for name in ("initContainers", "containers"):
        found = [
            {field: item[field] for field in _CONTAINER if item.get(field)}
            for item in spec.get(name) or ()
        ]
        if found:
            kept[name] = found
    volumes = [
        {"name": item["name"], "persistentVolumeClaim": item["persistentVolumeClaim"]}
        for item in spec.get("volumes") or ()
        if "persistentVolumeClaim" in item
    ]
    if volumes:
        kept["volumes"] = volumes


def _with_readiness(fleet: list[Json]) -> list[Json]:
    """Label the ready nodes if others are not, so that nobody makes those ready."""
    nodes = [obj for obj in fleet if obj["kind"] == "Node"]
    if all(map(_is_ready, nodes)):
        return fleet
    for node in filter(_is_ready, nodes):
        node["metadata"].setdefault("labels", {})[_READY] = "true"
    return fleet


def _is_ready(node: Json) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _age(pod: Json) -> tuple[str, str, str, str]:
    meta = pod["metadata"]
    started = pod["status"].get("startTime") or ""
    return started, meta["creationTimestamp"], meta.get("namespace", ""), meta["name"]


def _message(pod: Json) -> str:
    conditions = pod["status"].get("conditions") or ()
    waits = [c for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"]
    return str(waits[0].get("message") or "") if waits else ""


def _document(captured: Captured, fleet: Path) -> Json:
    spec: Json = {"description": "Captured from a cluster.", "fleet": fleet.name}
    if captured.setup or captured.bound:
        spec["setup"] = [*captured.setup, *captured.bound]
    spec["steps"] = [{"at": "0s", "create": pod} for pod in captured.pending]
    spec["until"] = "1m"
    if any(_READY in (node["metadata"].get("labels") or {}) for node in captured.fleet):
        spec["kwok"] = {"controllers": [{"name": "kwok", "nodes": {_READY: "true"}}]}
    if captured.phases is not None:
        texts = [{"text": text, "pods": pods} for text, pods in (captured.messages or {}).items()]
        spec["expect"] = {"pods": dict(captured.phases), "messages": texts}
    return {
        "apiVersion": "gpusched.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": "captured"},
        "spec": spec,
    }


class _Dumper(yaml.SafeDumper):
    """Quotes what Kubernetes' YAML reads as a boolean and PyYAML writes plain; knows no aliases."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "'" if value.lower() in ("y", "n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump_all(objects: Sequence[Json]) -> str:
    """Return objects as YAML documents that read back as they are."""
    text: str = yaml.dump_all(
        objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20
    )
    return text
