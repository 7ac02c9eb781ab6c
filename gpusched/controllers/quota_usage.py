"""What an object adds to a ResourceQuota's usage.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core/pods.go, v1.36.1
"""

from collections.abc import Mapping
from typing import Any

from gpusched.api.quantity import Quantity
from gpusched.controllers.protocol import Json, Reader

_COUNTED = {
    "Pod": ("count/pods", "pods"),
    "Service": ("count/services", "services"),
    "ConfigMap": ("count/configmaps", "configmaps"),
    "Secret": ("count/secrets", "secrets"),
    "PersistentVolumeClaim": ("count/persistentvolumeclaims", "persistentvolumeclaims"),
    "ResourceQuota": ("count/resourcequotas", "resourcequotas"),
    "ReplicationController": ("count/replicationcontrollers", "replicationcontrollers"),
    "Deployment": ("count/deployments.apps",),
    "ReplicaSet": ("count/replicasets.apps",),
    "StatefulSet": ("count/statefulsets.apps",),
    "Job": ("count/jobs.batch",),
    "CronJob": ("count/cronjobs.batch",),
}
_PREFIXES = ("requests.", "limits.")
_PLAIN = ("cpu", "memory", "ephemeral-storage")


def usage_of(kind: str, spec: Json) -> dict[str, int]:
    """Return an object's usage by quota resource name, in thousandths."""
    names = _COUNTED.get(kind, ())
    usage = dict.fromkeys(names, 1000)
    if kind == "Pod":
        usage |= _pod_usage(spec)
    return usage


def _pod_usage(spec: Json) -> dict[str, int]:
    usage: dict[str, int] = {}
    for part in ("requests", "limits"):
        for name, amount in _effective(spec, part).items():
            if part == "limits" and name not in _PLAIN:
                continue
            usage[f"{part}.{name}"] = amount
            if part == "requests" and name in _PLAIN:
                usage[name] = amount
    return usage


def _effective(spec: Json, part: str) -> dict[str, int]:
    """Return the containers' sum, or an init container's if that is larger."""
    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        for name, amount in _listed(container, part):
            total[name] = total.get(name, 0) + amount
    for container in spec.get("initContainers") or ():
        for name, amount in _listed(container, part):
            total[name] = max(total.get(name, 0), amount)
    return total


def _listed(container: Mapping[str, Any], part: str) -> list[tuple[str, int]]:
    listed = (container.get("resources") or {}).get(part) or {}
    return [(name, Quantity.parse(str(value)).milli_value()) for name, value in listed.items()]


def known_resources(hard: Mapping[str, Any]) -> list[str]:
    """Return those of a quota's resources that anything counts towards."""
    counted = [name for names in _COUNTED.values() for name in names]
    return [name for name in hard if name in counted or name in _PLAIN or name.startswith(_PREFIXES)]


def usage_in(reader: Reader, namespace: str, resources: list[str]) -> dict[str, str]:
    """Return a namespace's usage of some quota resources."""
    total = dict.fromkeys(resources, 0)
    for pod in reader.pods(namespace):
        if pod.phase not in ("Succeeded", "Failed"):
            _add(total, usage_of("Pod", dict(pod.spec)))
    for kind, names in _COUNTED.items():
        if kind != "Pod" and any(name in total for name in names):
            for _ in reader.objects(kind, namespace):
                _add(total, dict.fromkeys(names, 1000))
    return {name: as_quantity(amount) for name, amount in total.items()}


def _add(total: dict[str, int], usage: Mapping[str, int]) -> None:
    for name, amount in usage.items():
        if name in total:
            total[name] += amount


def as_quantity(amount: int) -> str:
    """Return thousandths as a quantity."""
    return str(Quantity.from_milli(amount)) if amount % 1000 else str(amount // 1000)
