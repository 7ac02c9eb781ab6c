"""What a pod as a whole requests and may use, and its quality of service.

Source: kubernetes/component-helpers resource/helpers.go, kubernetes/kubectl pkg/util/qos, v0.36.1
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from gpusched.api.defaulting.qos import qos_class as computed_class
from gpusched.api.quantity import Quantity
from gpusched.kubectl.fields import JsonObject, dig, mapping, rows, text

Amounts: TypeAlias = dict[str, Quantity]
_COMPUTE: Final = ("cpu", "memory")


def pod_amounts(pod: JsonObject, which: str, *, from_status: bool = False) -> Amounts:
    """Return a pod's totals by resource.

    Args:
        pod: The pod.
        which: ``requests`` or ``limits``.
        from_status: Whether resources that the kubelet reports count as well, as after a resize.
    """
    statuses = {
        status["name"]: status
        for kind in ("containerStatuses", "initContainerStatuses")
        for status in rows(pod, "status", kind)
    } if from_status else {}  # fmt: skip
    totals: Amounts = {}
    for container in rows(pod, "spec", "containers"):
        _add(totals, _effective(pod, container, statuses, which))
    _add_init_containers(pod, totals, statuses, which)
    for name, amount in _parsed(mapping(pod, "spec", "resources", which)).items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            totals[name] = amount
    for name, amount in _parsed(mapping(pod, "spec", "overhead")).items():
        if which == "requests" or not totals.get(name, Quantity.parse(0)).is_zero:
            _add(totals, {name: amount})
    return totals


def _add_init_containers(
    pod: JsonObject, totals: Amounts, statuses: Mapping[str, JsonObject], which: str
) -> None:
    """Raise ``totals`` to what initialising needs; sidecars stay and are added."""
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in rows(pod, "spec", "initContainers"):
        if container.get("restartPolicy") == "Always":
            amounts = _effective(pod, container, statuses, which)
            _add(totals, amounts)
            _add(sidecars, amounts)
            _raise(peak, sidecars)
        else:
            needed = _parsed(mapping(container, "resources", which))
            _add(needed, sidecars)
            _raise(peak, needed)
    _raise(totals, peak)


def _effective(
    pod: JsonObject, container: JsonObject, statuses: Mapping[str, JsonObject], which: str
) -> Amounts:
    """Return a container's amounts, those of its status included where they are larger."""
    wanted = _parsed(mapping(container, "resources", which))
    status = statuses.get(container["name"])
    if dig(status, "resources") is None:
        return wanted
    merged = {} if _resize_infeasible(pod) else wanted
    _raise(merged, _parsed(mapping(status, "resources", which)))
    if which == "requests":
        _raise(merged, _parsed(mapping(status, "allocatedResources")))
    return merged


def _resize_infeasible(pod: JsonObject) -> bool:
    conditions = rows(pod, "status", "conditions")
    pending = (c for c in conditions if c.get("type") == "PodResizePending")
    return any(condition.get("reason") == "Infeasible" for condition in pending)


def _parsed(amounts: JsonObject) -> Amounts:
    return {name: Quantity.parse(amount) for name, amount in amounts.items()}


def _add(totals: Amounts, more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        totals[name] = totals[name] + amount if name in totals else amount


def _raise(totals: Amounts, floor: Mapping[str, Quantity]) -> None:
    for name, amount in floor.items():
        if name not in totals or amount > totals[name]:
            totals[name] = amount


def total_amounts(pods: Iterable[JsonObject], which: str) -> Amounts:
    """Return the sum of what ``pods`` request, or may use."""
    totals: Amounts = {}
    for pod in pods:
        _add(totals, pod_amounts(pod, which))
    return totals


def qos_class(pod: JsonObject) -> str:
    """Return a pod's quality of service: as recorded in its status, else computed."""
    return text(pod, "status", "qosClass") or computed_class(pod["spec"])
