"""ResourceClaims, ResourceClaimTemplates and DeviceClasses.

CEL expressions are only checked for their length: the message of upstream's compiler is its own.

Source: kubernetes/kubernetes pkg/apis/resource/validation/validation.go, v1.36.1
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from gpusched.api.names import dns_label, dns_subdomain, label_key, label_value
from gpusched.api.validation.claims import validate_template_metadata
from gpusched.api.validation.device_names import validate_attribute_name
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    invalid,
    not_supported,
    one_of,
    required,
    too_long,
    too_many,
)
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.resources import is_extended
from gpusched.api.validation.sources import validate_csi_driver
from gpusched.api.wire import Json

_MOST: Final = 32
_MOST_ALTERNATIVES: Final = 8
_EXPRESSION_LENGTH: Final = 10 * 1024
EFFECTS: Final = ("NoExecute", "NoSchedule", "None")
_UNKNOWN_REQUEST: Final = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated"
    " by '/'"
)
_CHOICE: Final = "exactly one of `exactly` or `firstAvailable` is required"
Item = Callable[[Any, str], Errors]


def validate_resource_claim(obj: Json) -> Errors:
    """Check a ResourceClaim."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    yield from _validate_devices(obj["spec"].get("devices") or {}, "spec.devices")


def validate_resource_claim_template(obj: Json) -> Errors:
    """Check a ResourceClaimTemplate."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    spec = obj["spec"]
    yield from validate_template_metadata(spec.get("metadata") or {}, "spec.metadata")
    yield from _validate_devices(spec["spec"].get("devices") or {}, "spec.spec.devices")


def validate_device_class(obj: Json) -> Errors:
    """Check a DeviceClass."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    spec = obj.get("spec") or {}
    yield from _validate_list(spec.get("selectors"), "spec.selectors", _validate_selector)
    yield from _validate_list(spec.get("config"), "spec.config", _validate_config)
    name = spec.get("extendedResourceName")
    if name is not None and not is_extended(name):
        yield invalid("spec.extendedResourceName", name, "must be a valid extended resource name")


def _validate_list(
    items: list[Any] | None, path: str, rule: Item, most: int = _MOST, *, key: str | None = None
) -> Errors:
    """Check each item; ``key`` names what must differ, "" is the item itself."""
    if len(items or ()) > most:
        yield too_many(path, len(items or ()), most)
        return
    seen = set()
    for index, item in enumerate(items or ()):
        yield from rule(item, f"{path}[{index}]")
        if key is not None:
            identity = item.get(key, "") if key else item
            if identity in seen:
                yield duplicate(f"{path}[{index}]", identity)
            seen.add(identity)


def _validate_devices(devices: Json, path: str) -> Errors:
    requests = devices.get("requests") or []
    names = frozenset(_names(requests))

    def constraint(item: Json, place: str) -> Errors:
        yield from _validate_references(item, names, place)
        yield from _validate_constraint(item, place)

    def config(item: Json, place: str) -> Errors:
        yield from _validate_references(item, names, place)
        yield from _validate_config(item, place)

    yield from _validate_list(requests, f"{path}.requests", _validate_request, key="name")
    yield from _validate_list(devices.get("constraints"), f"{path}.constraints", constraint)
    yield from _validate_list(devices.get("config"), f"{path}.config", config)


def _names(requests: list[Json]) -> Iterable[str]:
    """Yield the names by which constraints can refer to requests and their alternatives."""
    for request in requests:
        name = request.get("name", "")
        yield name
        for alternative in request.get("firstAvailable") or ():
            yield f"{name}/{alternative.get('name', '')}"


def _validate_request(request: Json, path: str) -> Errors:
    yield from checked(dns_label, f"{path}.name", request.get("name", ""))
    alternatives, exactly = request.get("firstAvailable"), request.get("exactly")
    if not alternatives and exactly is None:
        yield required(path, _CHOICE)
    elif alternatives and exactly is not None:
        yield invalid(path, None, f"{_CHOICE}, but multiple fields are set")
    elif exactly is not None:
        yield from _validate_exact(exactly, f"{path}.exactly")
    else:
        place = f"{path}.firstAvailable"
        most = _MOST_ALTERNATIVES
        yield from _validate_list(alternatives, place, _validate_alternative, most, key="name")


def _validate_alternative(request: Json, path: str) -> Errors:
    yield from checked(dns_label, f"{path}.name", request.get("name", ""))
    yield from _validate_exact(request, path)


def _validate_exact(request: Json, path: str) -> Errors:
    name, mode = request.get("deviceClassName", ""), request["allocationMode"]
    count = request.get("count", 0)
    if not name:
        yield required(f"{path}.deviceClassName")
    else:
        yield from checked(dns_subdomain, f"{path}.deviceClassName", name)
    yield from _validate_list(request.get("selectors"), f"{path}.selectors", _validate_selector)
    if mode == "All":
        if count:
            detail = "must not be specified when allocationMode is 'All'"
            yield invalid(f"{path}.count", count, detail)
    elif mode != "ExactCount":
        yield not_supported(f"{path}.allocationMode", mode, ("All", "ExactCount"))
    elif count <= 0:
        yield invalid(f"{path}.count", count, "must be greater than zero")
    for index, toleration in enumerate(request.get("tolerations") or ()):
        yield from _validate_toleration(toleration, f"{path}.tolerations[{index}]")


def _validate_selector(selector: Json, path: str) -> Errors:
    if "cel" not in selector:
        yield required(f"{path}.cel")
    elif len(selector["cel"].get("expression", "").encode()) > _EXPRESSION_LENGTH:
        yield too_long(f"{path}.cel.expression", _EXPRESSION_LENGTH)


def _validate_toleration(toleration: Json, path: str) -> Errors:
    operator, value = toleration["operator"], toleration.get("value", "")
    if toleration.get("key"):
        yield from checked(label_key, f"{path}.key", toleration["key"])
    if operator == "Exists":
        if value:
            yield invalid(f"{path}.value", value, "must be empty for operator `Exists`")
    elif operator == "Equal":
        yield from checked(label_value, f"{path}.value", value)
    else:
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if toleration.get("effect"):
        yield from one_of(f"{path}.effect", toleration["effect"], EFFECTS)


def _validate_references(item: Json, names: frozenset[str], path: str) -> Errors:
    def reference(name: str, place: str) -> Errors:
        parts = name.split("/")
        if len(parts) > 2:  # noqa: PLR2004 - a request and a sub-request
            yield invalid(place, name, _UNKNOWN_REQUEST)
            return
        for part in parts:
            yield from checked(dns_label, place, part)
        if name not in names:
            yield invalid(place, name, _UNKNOWN_REQUEST)

    yield from _validate_list(item.get("requests"), f"{path}.requests", reference, key="")


def _validate_constraint(constraint: Json, path: str) -> Errors:
    given = [name for name in ("matchAttribute", "distinctAttribute") if name in constraint]
    if not given:
        detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required'
        yield required(path, f"{detail}, but multiple fields are set")
        return
    name = constraint[given[0]]
    yield from validate_attribute_name(name, f"{path}.{given[0]}")
    if "/" not in name:
        detail = "a fully qualified name must be a domain and a name separated by a slash"
        yield invalid(f"{path}.{given[0]}", name, detail)


def _validate_config(config: Json, path: str) -> Errors:
    opaque = config.get("opaque")
    if opaque is None:
        yield required(f"{path}.opaque")
        return
    yield from validate_csi_driver(opaque.get("driver", ""), f"{path}.opaque.driver")
    if opaque.get("parameters") is None:
        yield required(f"{path}.opaque.parameters")
    elif not isinstance(opaque["parameters"], dict):
        detail = "parameters must be a valid JSON object"
        yield required(f"{path}.opaque.parameters", detail)
