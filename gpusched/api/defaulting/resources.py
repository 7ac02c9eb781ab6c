"""Resource lists: rounding, requests from limits, and a pod's totals over its containers.

Source: kubernetes/kubernetes pkg/apis/core/v1/defaults.go;
kubernetes/component-helpers resource/helpers.go, v1.36.1
"""

from collections.abc import Callable, Iterable
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.api.wire import Json

HUGE_PAGES: Final = "hugepages-"
POD_LEVEL: Final = ("cpu", "memory")
"""Resources, besides huge pages, that a whole pod may request."""

Totals = dict[str, Quantity]


def is_huge_page(name: str) -> bool:
    """Return whether a resource is a size of huge pages."""
    return name.startswith(HUGE_PAGES)


def is_pod_level(name: str) -> bool:
    """Return whether a pod may request the resource as a whole."""
    return name in POD_LEVEL or is_huge_page(name)


def round_up(holder: Json, *names: str) -> None:
    """Round the named resource lists up to thousandths, which is what an object can hold."""
    for name in names:
        resources = holder.get(name)
        if not resources:
            continue
        for resource, text in resources.items():
            if text.isdigit():
                continue
            quantity = Quantity.parse(text)
            rounded = quantity.round_up_milli()
            if rounded is not quantity:
                resources[resource] = str(rounded)


def request_limits(container: Json) -> None:
    """Request what is limited but not requested."""
    limits = container.get("resources", {}).get("limits")
    if limits is None:
        return
    requests = container["resources"].setdefault("requests", {})
    for name, text in limits.items():
        requests.setdefault(name, text)


def aggregate(spec: Json, which: str) -> Totals:
    """Return a pod's totals of ``requests`` or ``limits`` over its containers.

    Containers and sidecars add up; each other init container runs beside the sidecars before it.
    """
    totals: Totals = {}
    for container in spec.get("containers") or ():
        _add(totals, _listed(container, which))
    sidecars: Totals = {}
    starting: Totals = {}
    for container in spec.get("initContainers") or ():
        listed = _listed(container, which)
        if container.get("restartPolicy") == "Always":
            _add(totals, listed)
            _add(sidecars, listed)
            _raise_to(starting, sidecars)
        else:
            _add(listed, sidecars)
            _raise_to(starting, listed)
    _raise_to(totals, starting)
    return totals


def _listed(container: Json, which: str) -> Totals:
    resources = container.get("resources", {}).get(which) or {}
    return {name: Quantity.parse(text) for name, text in resources.items()}


def _add(totals: Totals, more: Totals) -> None:
    for name, quantity in more.items():
        totals[name] = totals[name] + quantity if name in totals else quantity


def _raise_to(totals: Totals, others: Totals) -> None:
    for name, quantity in others.items():
        if name not in totals or quantity > totals[name]:
            totals[name] = quantity


def default_pod_level(spec: Json) -> None:
    """Complete a pod's own resources from those of its containers."""
    resources = spec.get("resources")
    if not resources:
        return
    if resources.get("limits") or resources.get("requests"):
        _limit_huge_pages(spec, resources)
    if resources.get("limits"):
        _request_pod_level(spec, resources)


def _limit_huge_pages(spec: Json, resources: Json) -> None:
    requested = resources.get("requests") or {}
    wanted = _missing(aggregate(spec, "limits"), requested, is_huge_page)
    limits = dict(wanted) | (resources.get("limits") or {})
    if limits:
        resources["limits"] = limits


def _request_pod_level(spec: Json, resources: Json) -> None:
    requests = resources.get("requests") or {}
    aggregated = aggregate(spec, "requests")
    requests = requests | dict(_missing(aggregated, requests, POD_LEVEL.__contains__))
    for name, text in resources["limits"].items():
        if is_pod_level(name):
            requests.setdefault(name, text)
    if requests:
        resources["requests"] = requests


def _missing(
    totals: Totals, given: Json, wanted: Callable[[str], bool]
) -> Iterable[tuple[str, str]]:
    for name, quantity in totals.items():
        if wanted(name) and name not in given:
            yield name, str(quantity)
