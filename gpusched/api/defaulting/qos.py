"""The quality-of-service class of a pod.

Source: kubernetes/kubernetes pkg/apis/core/helper/qos/qos.go, v1.36.1
"""

from collections.abc import Iterable
from typing import Final

from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.wire import Json

_COMPUTE: Final = ("cpu", "memory")


def qos_class(spec: Json) -> str:
    """Return Guaranteed, Burstable or BestEffort for a defaulted pod spec."""
    whole = spec.get("resources")
    if whole is not None:
        holders = [whole]
        limited = not whole.get("limits") or _is_limited(whole)
    else:
        containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
        holders = [container.get("resources") or {} for container in containers]
        limited = all(map(_is_limited, holders))
    requests = _totals(holder.get("requests") for holder in holders)
    limits = _totals(holder.get("limits") for holder in holders)
    if not requests and not limits:
        return "BestEffort"
    is_exact = len(requests) == len(limits) and all(
        limits.get(name) == quantity for name, quantity in requests.items()
    )
    return "Guaranteed" if limited and is_exact else "Burstable"


def _is_limited(resources: Json) -> bool:
    return len(_totals([resources.get("limits")])) == len(_COMPUTE)


def _totals(lists: Iterable[Json | None]) -> dict[str, Quantity]:
    totals: dict[str, Quantity] = {}
    for resources in lists:
        for name in _COMPUTE:
            quantity = Quantity.parse((resources or {}).get(name))
            if quantity > ZERO:
                totals[name] = totals.get(name, ZERO) + quantity
    return totals
