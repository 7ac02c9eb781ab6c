"""PersistentVolumes, StorageClasses and CSINodes.

Source: kubernetes/kubernetes pkg/apis/{core,storage}/validation/validation.go, v1.36.1
"""

from collections.abc import Callable
from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key
from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.validation.affinity import validate_node_selector
from gpusched.api.validation.claims import VOLUME_MODES, validate_access_modes
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    each,
    forbidden,
    invalid,
    not_negative,
    not_supported,
    required,
    too_long,
)
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.paths import validate_no_backsteps
from gpusched.api.validation.sources import (
    PERSISTENT_SOURCE_RULES,
    validate_csi_driver,
    validate_required,
)
from gpusched.api.wire import Json

_RECLAIM: Final = ("Delete", "Recycle", "Retain")
_CLASS_RECLAIM: Final = ("Delete", "Retain")
_BINDING: Final = ("Immediate", "WaitForFirstConsumer")
_MOST_PARAMETERS: Final = 512
_PARAMETERS_SIZE: Final = 256 * 1024
_NODE_ID_LENGTH: Final = 256
_ORDER: Final = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd",
    "quobyte", "cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip
_CSI_SECRETS: Final = (
    "controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef",
    "nodeExpandSecretRef",
)  # fmt: skip
_ONE_TYPE: Final = "may not specify more than 1 volume type"


def validate_persistent_volume(obj: Json) -> Errors:
    """Check a PersistentVolume."""
    spec = obj["spec"]
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    modes = spec.get("accessModes") or []
    if not modes:
        yield required("spec.accessModes")
    yield from validate_access_modes(modes, "spec.accessModes")
    yield from _validate_capacity(spec.get("capacity"))
    reclaim = spec["persistentVolumeReclaimPolicy"]
    if reclaim not in _RECLAIM:
        yield not_supported("spec.persistentVolumeReclaimPolicy", reclaim, _RECLAIM)
    yield from _validate_volume_affinity(spec)
    yield from _validate_volume_source(spec)
    path = (spec.get("hostPath") or {}).get("path", "")
    if path and path.rstrip("/") == "" and reclaim == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden("spec.persistentVolumeReclaimPolicy", detail)
    if spec.get("storageClassName"):
        yield from checked(dns_subdomain, "spec.storageClassName", spec["storageClassName"])
    yield from _validate_attributes_class(spec)
    if spec["volumeMode"] not in VOLUME_MODES:
        yield not_supported("spec.volumeMode", spec["volumeMode"], VOLUME_MODES)


def _validate_attributes_class(spec: Json) -> Errors:
    name = spec.get("volumeAttributesClassName")
    if name is None:
        return
    if not name:
        yield required("spec.volumeAttributesClassName", "an empty string is disallowed")
    else:
        yield from checked(dns_subdomain, "spec.volumeAttributesClassName", name)
    if "csi" not in spec:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _validate_capacity(given: Json | None) -> Errors:
    capacity = given or {}
    if not capacity:
        yield required("spec.capacity")
    if capacity.keys() != {"storage"}:
        shown = dict(sorted(capacity.items())) if given is not None else None
        yield not_supported("spec.capacity", shown, ("storage",))
    for name, text in capacity.items():
        quantity, path = Quantity.parse(text), f"spec.capacity[{name}]"
        if quantity.wrapped_value() < 0:
            detail = "must be a valid resource quantity"
            yield invalid(path, quantity.wrapped_value(), detail)
        if quantity <= ZERO:
            yield invalid(path, text, "must be greater than zero")


def _validate_volume_affinity(spec: Json) -> Errors:
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if "required" not in affinity:
            detail = "must specify required node constraints"
            yield required("spec.nodeAffinity.required", detail)
        else:
            yield from validate_node_selector(affinity["required"], "spec.nodeAffinity.required")


def _validate_volume_source(spec: Json) -> Errors:
    given = [name for name in _ORDER if name in spec]
    if not given:
        yield required("spec", "must specify a volume type")
        return
    first, *others = given
    if first in _RULES:
        shown = "persistentDisk" if first == "gcePersistentDisk" else first
        yield from _RULES[first](spec[first], f"spec.{shown}")
    if first == "local" and "nodeAffinity" not in spec:
        yield required("spec.nodeAffinity", "Local volume requires node affinity")
    for name in others:
        if name == "flexVolume":  # upstream forgets to count before it
            yield from _RULES[name](spec[name], f"spec.{name}")
            continue
        yield forbidden(f"spec.{'cephFS' if name == 'cephfs' else name}", _ONE_TYPE)


def _validate_local(source: Json, path: str) -> Errors:
    if not source.get("path"):
        yield required(f"{path}.path")
    else:
        yield from validate_no_backsteps(source["path"], f"{path}.path")


def _validate_csi(source: Json, path: str) -> Errors:
    yield from validate_csi_driver(source.get("driver", ""), f"{path}.driver")
    yield from validate_required(source, path, "volumeHandle")
    for name in _CSI_SECRETS:
        if name in source:
            yield from _validate_secret(source[name], f"{path}.{name}")


def _validate_secret(secret: Json, path: str) -> Errors:
    for name, rule in (("name", dns_subdomain), ("namespace", dns_label)):
        if not secret.get(name):
            yield required(f"{path}.{name}")
        else:
            yield from checked(rule, f"{path}.{name}", secret[name])


_RULES: Final[dict[str, Callable[[Json, str], Errors]]] = {
    **PERSISTENT_SOURCE_RULES,
    "csi": _validate_csi,
    "local": _validate_local,
}


def validate_storage_class(obj: Json) -> Errors:
    """Check a StorageClass."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    provisioner = obj.get("provisioner", "")
    if not provisioner:
        yield required("provisioner")
    else:
        yield from each("provisioner", provisioner.lower(), label_key(provisioner.lower()))
    yield from _validate_parameters(obj.get("parameters") or {})
    reclaim, binding = obj["reclaimPolicy"], obj["volumeBindingMode"]
    if reclaim and reclaim not in _CLASS_RECLAIM:
        yield not_supported("reclaimPolicy", reclaim, _CLASS_RECLAIM)
    if binding not in _BINDING:
        yield not_supported("volumeBindingMode", binding, _BINDING)
    yield from _validate_topologies(obj.get("allowedTopologies") or [])


def _validate_parameters(parameters: Json) -> Errors:
    if len(parameters) > _MOST_PARAMETERS:
        yield too_long("parameters", _MOST_PARAMETERS)
        return
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(key) + len(value) for key, value in parameters.items()) > _PARAMETERS_SIZE:
        yield too_long("parameters", _PARAMETERS_SIZE)


def _validate_topologies(terms: list[Json]) -> Errors:
    # Upstream's list of earlier terms begins with as many empty ones as there are terms.
    seen: list[dict[str, frozenset[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        requirements = term.get("matchLabelExpressions") or []
        path = f"allowedTopologies[{index}].matchLabelExpressions"
        values = {one.get("key", ""): frozenset(one.get("values") or ()) for one in requirements}
        yield from _validate_topology_term(requirements, path)
        for _ in range(seen.count(values)):
            yield duplicate(path, "")
        seen.append(values)


def _validate_topology_term(requirements: list[Json], path: str) -> Errors:
    keys: set[str] = set()
    for index, requirement in enumerate(requirements):
        place, key = f"{path}[{index}]", requirement.get("key", "")
        values = requirement.get("values") or []
        if not values:
            yield required(f"{place}.values")
        for position, value in enumerate(values):
            if value in values[:position]:
                yield duplicate(f"{place}.values[{position}]", value)
        yield from checked(label_key, f"{place}.key", key)
        if key in keys:
            yield duplicate(f"{place}.key", key)
        keys.add(key)


def validate_csi_node(obj: Json) -> Errors:
    """Check a CSINode."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    names: set[str] = set()
    for index, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        path, name = f"spec.drivers[{index}]", driver.get("name", "")
        yield from validate_csi_driver(name, f"{path}.name")
        node = driver.get("nodeID", "")
        if not node:
            yield required(f"{path}.nodeID")
        if len(node) > _NODE_ID_LENGTH:
            detail = f"must be {_NODE_ID_LENGTH} characters or less"
            yield invalid(f"{path}.nodeID", node, detail)
        count = (driver.get("allocatable") or {}).get("count")
        yield from not_negative(f"{path}.allocatable.count", count)
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        yield from _validate_topology_keys(driver.get("topologyKeys") or [], path)


def _validate_topology_keys(keys: list[str], path: str) -> Errors:
    for index, key in enumerate(keys):
        if not key:
            yield required(path)
        if key in keys[:index]:
            yield duplicate(path, key)
        yield from checked(label_key, path, key)
