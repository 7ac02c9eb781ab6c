"""What an object adds to a ResourceQuota's usage.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core/pods.go, v1.36.1
"""

from collections.abc import Mapping
from typing import Any

from gpusched.api.quantity import Quantity
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json

_PLAIN = ("cpu", "memory", "ephemeral-storage")


def usage_of(kind: str, spec: Json) -> dict[str, int]:
    """Return an object's usage by quota resource name, in thousandths."""
    resource = KINDS[kind]
    usage = {f"count/{resource.qualified}": 1000}
    if not resource.group:
        usage[resource.resource] = 1000
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
