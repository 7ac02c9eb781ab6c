"""ResourceSlices: drivers, pools, where the devices are, their names, attributes and taints.

Counters and the rules for sharing a device's capacity are not looked at.

Source: kubernetes/kubernetes pkg/apis/resource/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key, label_value
from gpusched.api.validation.affinity import validate_node_selector
from gpusched.api.validation.device_claims import EFFECTS
from gpusched.api.validation.device_names import validate_attribute_name
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    invalid,
    one_of,
    required,
    too_long,
    too_many,
)
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.sources import validate_csi_driver
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_PLACES: Final = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_DEVICE_PLACES: Final = ("nodeName", "nodeSelector", "allNodes")
_ONE_PLACE: Final = (
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
)
_ONE_DEVICE_PLACE: Final = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when"
    " `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
_NO_DEVICE_PLACE: Final = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set"
    " to true in the ResourceSlice spec"
)
_MOST_DEVICES: Final = 128
_MOST_WITH_EXTRAS: Final = 64
_POOL_LENGTH: Final = 253
_MOST_TAINTS: Final = 16
_MOST_ATTRIBUTES: Final = 32


def validate_resource_slice(obj: Json) -> Errors:
    """Check a ResourceSlice."""
    spec = obj.get("spec") or {}
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    yield from validate_csi_driver(spec.get("driver", ""), "spec.driver")
    yield from _validate_pool(spec.get("pool") or {}, "spec.pool")
    yield from _validate_place(spec, "spec")
    if "sharedCounters" in spec and "devices" in spec:
        yield invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")
    devices = spec.get("devices") or []
    has_extras = any(device.get("taints") or device.get("consumesCounters") for device in devices)
    most = _MOST_WITH_EXTRAS if has_extras else _MOST_DEVICES
    if len(devices) > most:
        yield too_many("spec.devices", len(devices), most)
        return
    names: set[str] = set()
    for index, device in enumerate(devices):
        path, name = f"spec.devices[{index}]", device.get("name", "")
        yield from _validate_device(device, path, own_place=bool(spec.get(_PLACES[-1])))
        if name in names:
            yield duplicate(path, name)
        names.add(name)


def _validate_pool(pool: Json, path: str) -> Errors:
    name, count = pool.get("name", ""), pool.get("resourceSliceCount", 0)
    if not name:
        yield required(f"{path}.name")
    else:
        if len(name) > _POOL_LENGTH:
            yield too_long(f"{path}.name", _POOL_LENGTH)
        for part in name.split("/"):
            yield from checked(dns_subdomain, f"{path}.name", part)
    if count <= 0:
        yield invalid(f"{path}.resourceSliceCount", count, "must be greater than zero")
    if pool.get("generation", 0) < 0:
        detail = "must be greater than or equal to zero"
        yield invalid(f"{path}.generation", pool["generation"], detail)


def _validate_place(spec: Json, path: str) -> Errors:
    """Check that a slice says in one way on which nodes its devices are."""
    if spec.get("nodeName") == "":
        detail = "must be either unset or set to a non-empty string"
        yield invalid(f"{path}.nodeName", "", detail)
    yield from _validate_where(spec, path)
    if "nodeSelector" in spec:
        terms = spec["nodeSelector"].get("nodeSelectorTerms")
        if len(terms or ()) != 1:
            shown = internal("[]core.NodeSelectorTerm", terms)
            detail = "must have exactly one node selector term"
            yield invalid(f"{path}.nodeSelector.nodeSelectorTerms", shown, detail)
    for name in _PLACES[2:]:
        if spec.get(name) is False:
            yield invalid(
                f"{path}.{name}", value=False, detail="must be either unset or set to true"
            )
    given = _given(spec, _PLACES)
    if not given:
        yield required(path, _ONE_PLACE)
    elif len(given) > 1:
        shown = f"{{{', '.join(given)}}}"
        yield invalid(path, shown, f"{_ONE_PLACE}, but multiple fields are set")


def _validate_where(holder: Json, path: str) -> Errors:
    if holder.get("nodeName"):
        yield from checked(dns_subdomain, f"{path}.nodeName", holder["nodeName"])
    if "nodeSelector" in holder:
        yield from validate_node_selector(holder["nodeSelector"], f"{path}.nodeSelector")


def _given(holder: Json, names: tuple[str, ...]) -> list[str]:
    """Return the names of what is set, as messages show them; a selector may be empty."""
    return [
        f"`{name}`" for name in names if holder.get(name) or (name in holder and "Selector" in name)
    ]


def _validate_device(device: Json, path: str, *, own_place: bool) -> Errors:
    yield from checked(dns_label, f"{path}.name", device.get("name", ""))
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    if len(attributes) + len(capacity) > _MOST_ATTRIBUTES:
        total = len(attributes) + len(capacity)
        detail = f"the total number of attributes and capacities must not exceed {_MOST_ATTRIBUTES}"
        yield invalid(path, total, detail)
    for name in ("attributes", "capacity"):
        for key in device.get(name) or ():
            yield from validate_attribute_name(key, f"{path}.{name}")
    yield from _validate_taints(device.get("taints") or [], f"{path}.taints")
    yield from _validate_device_place(device, path, own_place=own_place)


def _validate_taints(taints: list[Json], path: str) -> Errors:
    if len(taints) > _MOST_TAINTS:
        yield too_many(path, len(taints), _MOST_TAINTS)
        return
    for index, taint in enumerate(taints):
        yield from checked(label_key, f"{path}[{index}].key", taint.get("key", ""))
        if taint.get("value"):
            yield from checked(label_value, f"{path}[{index}].value", taint["value"])
        yield from one_of(f"{path}[{index}].effect", taint.get("effect"), EFFECTS)


def _validate_device_place(device: Json, path: str, *, own_place: bool) -> Errors:
    if not own_place:
        if any(name in device for name in _DEVICE_PLACES):
            yield invalid(path, None, _NO_DEVICE_PLACE)
        return
    if device.get("nodeName") == "":
        yield invalid(f"{path}.nodeName", "", "must not be empty")
    yield from _validate_where(device, path)
    if device.get("allNodes") is False:
        detail = "must be either unset or set to true"
        yield invalid(f"{path}.allNodes", value=False, detail=detail)
    given = _given(device, _DEVICE_PLACES)
    if not given:
        yield required(path, _ONE_DEVICE_PLACE)
    elif len(given) > 1:
        yield invalid(path, f"{{{', '.join(given)}}}", _ONE_DEVICE_PLACE)
