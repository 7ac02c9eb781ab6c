"""Resource names, quantities, and the requests and limits of containers and pods.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, pkg/apis/core/helper, v1.36.1
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from gpusched.api.defaulting.resources import aggregate, is_huge_page, is_pod_level
from gpusched.api.names import dns_label, label_key
from gpusched.api.quantity import ZERO, InvalidQuantityError, Quantity
from gpusched.api.validation.errors import (
    Errors,
    FieldError,
    checked,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from gpusched.api.wire import Json

NameRule = Callable[[str, str], tuple[FieldError, ...]]

COUNTED: Final = frozenset(
    {
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    }
)  # fmt: skip
"""Standard resources that are numbers of objects."""

_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
QUOTA: Final = (
    frozenset(_COMPUTE)
    | {f"{prefix}.{name}" for prefix in ("requests", "limits") for name in _COMPUTE}
    | COUNTED
    | {"requests.storage"}
)
"""Standard resources that a quota can limit."""

_CONTAINER: Final = frozenset(_COMPUTE)
_POD_LEVEL_SHOWN: Final = ("cpu", "hugepages-", "memory")
_QUOTA_PREFIXES: Final = ("hugepages-", "requests.hugepages-")
_NATIVE: Final = "kubernetes.io/"
_INTEGER: Final = "must be an integer"
_NEGATIVE: Final = "must be greater than or equal to 0"


def is_native(name: str) -> bool:
    """Return whether Kubernetes itself, not a vendor, defines the resource."""
    return "/" not in name or _NATIVE in name


@lru_cache(maxsize=1024)
def is_extended(name: str) -> bool:
    """Return whether the resource is a vendor's, such as ``nvidia.com/gpu``."""
    if is_native(name) or name.startswith("requests."):
        return False
    return not label_key(f"requests.{name}")


def is_overcommittable(name: str) -> bool:
    """Return whether more of the resource may be allowed than is requested."""
    return is_native(name) and not is_huge_page(name)


def is_standard_for_quota(name: str) -> bool:
    """Return whether a quota may limit this resource without a domain."""
    return name in QUOTA or name.startswith(_QUOTA_PREFIXES)


def is_counted(name: str) -> bool:
    """Return whether only whole numbers of the resource make sense."""
    return name in COUNTED or is_extended(name)


@lru_cache(maxsize=1024)
def check_resource_name(name: str, path: str) -> tuple[FieldError, ...]:
    """Return what is wrong with the name of any resource."""
    problems = tuple(checked(label_key, path, name))
    if problems or "/" in name or is_standard_for_quota(name) or name == "storage":
        return problems
    return (invalid(path, name, "must be a standard resource type or fully qualified"),)


@lru_cache(maxsize=4096)
def check_container_resource(name: str, path: str) -> tuple[FieldError, ...]:
    """Return what is wrong with the name of a container's resource."""
    problems = check_resource_name(name, path)
    if "/" not in name:
        if name not in _CONTAINER and not is_huge_page(name):
            problems += (invalid(path, name, "must be a standard resource for containers"),)
    elif not is_native(name) and not is_extended(name):
        problems += (invalid(path, name, "doesn't follow extended resource name standard"),)
    return problems


def check_pod_resource(name: str, path: str) -> tuple[FieldError, ...]:
    """Return what is wrong with the name of a resource that a whole pod requests."""
    problems = check_resource_name(name, path)
    if problems or is_pod_level(name):
        return problems
    return (not_supported(path, name, _POD_LEVEL_SHOWN),)


def validate_quantity(name: str, text: str, path: str) -> Errors:
    """Check an amount of a resource."""
    if text.isdigit():
        return
    quantity = Quantity.parse(text)
    if quantity < ZERO:
        yield invalid(path, text, _NEGATIVE)
    if is_counted(name) and quantity.wrapped_milli_value() % 1000:
        yield invalid(path, text, _INTEGER)


def validate_requirements(
    resources: Json, path: str, check_name: NameRule, claims: frozenset[str] = frozenset()
) -> Errors:
    """Check the requests and limits of one container, or of a pod as a whole."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, text in limits.items():
        yield from _validate_amount(name, text, f"{path}.limits[{name}]", check_name)
    for name, text in requests.items():
        yield from _validate_amount(name, text, f"{path}.requests[{name}]", check_name)
        yield from _validate_within_limit(name, text, limits, path)
    names = limits.keys() | requests.keys()
    if names and any(map(is_huge_page, names)) and not names & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    if resources.get("claims"):
        yield from _validate_claims(resources["claims"], claims, f"{path}.claims")


def _validate_amount(name: str, text: str, path: str, check_name: NameRule) -> Errors:
    yield from check_name(name, path)
    yield from validate_quantity(name, text, path)
    if is_huge_page(name) and not _is_whole_pages(name, Quantity.parse(text)):
        yield invalid(path, text, f"{text} is not positive integer multiple of {name}")


def _is_whole_pages(name: str, amount: Quantity) -> bool:
    try:
        size = Quantity.parse(name.removeprefix("hugepages-")).value()
    except InvalidQuantityError:
        return False
    return size > 0 and amount.value() % size == 0


def _validate_within_limit(name: str, text: str, limits: Json, path: str) -> Errors:
    if is_overcommittable(name):
        if name in limits and Quantity.parse(text) > Quantity.parse(limits[name]):
            detail = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", text, detail)
    elif name not in limits:
        yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    elif Quantity.parse(text) != Quantity.parse(limits[name]):
        detail = f"must be equal to {name} limit of {limits[name]}"
        yield invalid(f"{path}.requests", text, detail)


def _validate_claims(claims: list[Json], known: frozenset[str], path: str) -> Errors:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        name, place = claim.get("name", ""), f"{path}[{index}]"
        if not name:
            yield required(place)
            continue
        if name in seen:
            yield duplicate(place, name)
        else:
            yield from _validate_claim_request(name, claim.get("request", ""), seen, place)
        if name not in known:
            listed = f": {', '.join(sorted(known))}" if known else " which is empty"
            detail = f"must be one of the names in pod.spec.resourceClaims{listed}"
            yield not_found(place, name, detail)


def _validate_claim_request(name: str, request: str, seen: set[str], path: str) -> Errors:
    key = f"{name}/{request}" if request else name
    if request:
        yield from checked(dns_label, f"{path}.request", request)
    if key in seen:
        yield duplicate(path, key)
    elif not request:
        for other in sorted(seen):
            if other.startswith(f"{name}/"):
                yield duplicate(path, name)
    seen.add(key)


def validate_pod_level(spec: Json, path: str) -> Errors:
    """Check what a pod requests as a whole, against what its containers request."""
    resources = spec.get("resources")
    if resources is None:
        return
    path = f"{path}.resources"
    if spec.get("os", {}).get("name") == "windows":
        yield forbidden(path, "may not be set for a windows pod")
        return
    if resources.get("claims") is not None:
        yield forbidden(f"{path}.claims", "claims may not be set for Resources at pod-level")
    yield from validate_requirements(resources, path, check_pod_resource, claim_names(spec))
    yield from _validate_pod_requests(spec, resources.get("requests") or {}, path)
    yield from _validate_pod_limits(spec, resources.get("limits") or {}, path)


def claim_names(spec: Json) -> frozenset[str]:
    """Return the names of a pod's resource claims."""
    return frozenset(
        claim["name"] for claim in spec.get("resourceClaims") or () if claim.get("name")
    )


def _validate_pod_requests(spec: Json, requests: Json, path: str) -> Errors:
    for name, total in aggregate(spec, "requests").items():
        if name in requests and total > Quantity.parse(requests[name]):
            detail = f"must be greater than or equal to aggregate container requests of {total}"
            yield invalid(f"{path}.requests[{name}]", requests[name], detail)


def _validate_pod_limits(spec: Json, limits: Json, path: str) -> Errors:
    for name, total in aggregate(spec, "limits").items():
        if is_huge_page(name) and name in limits and total > Quantity.parse(limits[name]):
            detail = f"must be greater than or equal to aggregate container limits of {total}"
            yield invalid(f"{path}.limits[{name}]", limits[name], detail)
    for index, container in enumerate(spec.get("containers") or ()):
        for name, text in (container.get("resources", {}).get("limits") or {}).items():
            if name in limits and Quantity.parse(text) > Quantity.parse(limits[name]):
                place = f"{path}.containers[{index}][{name}].limits"
                detail = f"must be less than or equal to pod limits of {limits[name]}"
                yield invalid(place, text, detail)
