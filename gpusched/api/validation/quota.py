"""ResourceQuotas and LimitRanges.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_subdomain, label_key
from gpusched.api.quantity import Quantity
from gpusched.api.validation.errors import Errors, checked, duplicate, forbidden, invalid, required
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.resources import (
    check_container_resource,
    check_resource_name,
    is_overcommittable,
    is_standard_for_quota,
    validate_quantity,
)
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_COMPUTE: Final = frozenset(
    {"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
)
_SCOPES: Final = {
    "Terminating": _COMPUTE,
    "NotTerminating": _COMPUTE,
    "NotBestEffort": _COMPUTE,
    "PriorityClass": _COMPUTE,
    "CrossNamespacePodAffinity": _COMPUTE,
    "BestEffort": frozenset({"pods"}),
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
"""Scopes, and the standard resources that a quota with the scope may limit."""
_VALUELESS: Final = _SCOPES.keys() - {"PriorityClass", "VolumeAttributesClass"}
_CONFLICTS: Final = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_LIMIT_TYPES: Final = frozenset({"Pod", "Container", "PersistentVolumeClaim"})
_LISTS: Final = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_LARGEST_MILLI: Final = (2**63 - 1) // 1000


def validate_resource_quota(obj: Json) -> Errors:
    """Check a ResourceQuota."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    for name, text in hard.items():
        path = f"spec.hard[{name}]"
        yield from check_resource_name(name, path)
        if "/" not in name and not is_standard_for_quota(name):
            yield invalid(path, name, "must be a standard resource for quota")
        yield from validate_quantity(name, text, path)
    yield from _validate_scopes(spec.get("scopes") or [], hard)
    if "scopeSelector" in spec:
        yield from _validate_scope_selector(spec, hard)


def _validate_scopes(scopes: list[str], hard: Json) -> Errors:
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for _ in _misplaced(scope, hard):
            yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTS:
        if pair <= set(scopes):
            yield invalid("spec.scopes", scopes, "conflicting scopes")


def _misplaced(scope: str, hard: Json) -> list[str]:
    allowed = _SCOPES.get(scope)
    standard = [name for name in hard if is_standard_for_quota(name)]
    return [] if allowed is None else [name for name in standard if name not in allowed]


def _validate_scope_selector(spec: Json, hard: Json) -> Errors:
    path, selector = "spec.scopeSelector.matchExpressions", spec["scopeSelector"]
    requirements = selector.get("matchExpressions") or []
    for requirement in requirements:
        scope, operator = requirement.get("scopeName", ""), requirement.get("operator", "")
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in _misplaced(scope, hard):
            shown = internal("core.ScopeSelector", selector)
            yield invalid(path, shown, "unsupported scope applied to resource")
        if scope in _VALUELESS and operator != "Exists":
            names = ", ".join(
                f"ResourceQuotaScope{name}"
                for name in ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort")
            )
            detail = f"must be 'Exists' when scope is any of {names} or"
            other = "ResourceQuotaScopeCrossNamespacePodAffinity"
            yield invalid(f"{path}.operator", operator, f"{detail} {other}")
        yield from _validate_scope_values(operator, requirement.get("values") or [], path)
    scopes = {requirement.get("scopeName", "") for requirement in requirements}
    for pair in _CONFLICTS:
        if pair <= scopes:
            yield invalid(path, spec.get("scopes"), "conflicting scopes")


def _validate_scope_values(operator: str, values: list[str], path: str) -> Errors:
    if operator in {"In", "NotIn"}:
        if not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn'"
            yield required(f"{path}.values", f"{detail} for scope selector")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist'"
            yield invalid(f"{path}.values", values, f"{detail} for scope selector")
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def validate_limit_range(obj: Json) -> Errors:
    """Check a LimitRange."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    types: set[str] = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", item.get("type", "")
        problems = tuple(checked(label_key, f"{path}.type", kind))
        yield from problems
        if not problems and "/" not in kind and kind not in _LIMIT_TYPES:
            detail = "must be a standard limit type or fully qualified"
            yield invalid(f"{path}.type", kind, detail)
        if kind in types:
            yield duplicate(f"{path}.type", kind)
        types.add(kind)
        yield from _validate_limit_names(item, kind, path)
        yield from _validate_limit_values(item, kind, path)


def _validate_limit_names(item: Json, kind: str, path: str) -> Errors:
    check = check_container_resource if kind in {"Pod", "Container"} else check_resource_name
    for name in _LISTS:
        if kind == "Pod" and name.startswith("default"):
            if item.get(name):
                yield forbidden(f"{path}.{name}", "may not be specified when `type` is 'Pod'")
            continue
        for resource in item.get(name) or ():
            yield from check(resource, f"{path}.{name}[{resource}]")
    if kind == "PersistentVolumeClaim" and not any(
        "storage" in (item.get(name) or ()) for name in ("min", "max")
    ):
        detail = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", detail)


def _validate_limit_values(item: Json, kind: str, path: str) -> Errors:
    lists = {
        name: item.get(name) or {}
        for name in _LISTS
        if kind != "Pod" or not name.startswith("default")
    }
    for resource in sorted({key for values in lists.values() for key in values}):
        given = {name: values[resource] for name, values in lists.items() if resource in values}
        yield from _validate_order(given, resource, path)
        yield from _validate_ratio(given, f"{path}.maxLimitRequestRatio[{resource}]")
        default, request = given.get("default"), given.get("defaultRequest")
        if default is None or request is None or is_overcommittable(resource):
            continue
        if Quantity.parse(default) != Quantity.parse(request):
            detail = f"default value {default} must equal to defaultRequest value {request}"
            yield invalid(f"{path}.defaultRequest[{resource}]", request, f"{detail} in {resource}")


_ORDERED: Final = (
    # smaller, larger, where the error is and which value it shows, their names in the message
    ("min", "max", "min", "min", "min value", "max value"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", "min value",
     "default request value"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value",
     "max value"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest", "default request value",
     "default limit value"),
    ("min", "default", "default", "min", "min value", "default value"),
    ("default", "max", "default", "max", "default value", "max value"),
)  # fmt: skip


def _validate_order(given: Json, resource: str, path: str) -> Errors:
    for small, large, place, shown, small_name, large_name in _ORDERED:
        if small not in given or large not in given:
            continue
        if Quantity.parse(given[small]) > Quantity.parse(given[large]):
            detail = f"{small_name} {given[small]} is greater than {large_name} {given[large]}"
            yield invalid(f"{path}.{place}[{resource}]", given[shown], detail)


def _validate_ratio(given: Json, path: str) -> Errors:
    text = given.get("maxLimitRequestRatio")
    if text is None:
        return
    ratio = Quantity.parse(text)
    if ratio < Quantity.from_int(1):
        yield invalid(path, text, f"ratio {text} is less than 1")
    if "min" not in given or "max" not in given:
        return
    values = [ratio, Quantity.parse(given["min"]), Quantity.parse(given["max"])]
    wanted, low, high = (value.value() for value in values)
    exact = float(wanted)
    if max(wanted, low, high) < _LARGEST_MILLI:
        exact, low, high = (
            ratio.milli_value() / 1000,
            values[1].milli_value(),
            values[2].milli_value(),
        )
    bound = high / low if low else float("inf")
    if exact > bound:
        yield invalid(path, text, f"ratio {text} is greater than max/min = {bound:f}")
