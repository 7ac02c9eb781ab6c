"""Environment variables of containers and where their values come from.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from gpusched.api.names import config_key, dns_label, dns_subdomain, environment_name, label_key
from gpusched.api.quantity import Quantity
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    invalid,
    not_found,
    not_supported,
    required,
)
from gpusched.api.validation.paths import validate_no_backsteps
from gpusched.api.wire import Json

_ENV_FIELDS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_CONVERTIBLE: Final = frozenset(
    {"metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName",
     "spec.nodeName", "status.phase"}
) | frozenset(_ENV_FIELDS)  # fmt: skip
_RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES: Final = ("requests.hugepages-", "limits.hugepages-")
_SIZES: Final = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SUBSCRIPT: Final = re.compile(r"(?P<path>[^\[]*)\['(?P<key>.*)'\]", re.DOTALL)


def validate_env(variables: Iterable[Json], path: str) -> Errors:
    """Check a container's environment variables."""
    for index, variable in enumerate(variables):
        place, name = f"{path}[{index}]", variable.get("name", "")
        if not name:
            yield required(f"{place}.name")
        else:
            yield from checked(environment_name, f"{place}.name", name)
        if "valueFrom" in variable:
            has_value = bool(variable.get("value"))
            source = variable["valueFrom"]
            yield from _validate_source(source, f"{place}.valueFrom", has_value=has_value)


def _validate_source(source: Json, path: str, *, has_value: bool) -> Errors:
    given = [name for name in _SOURCES if name in source]
    for name in given:
        yield from _SOURCES[name](source[name], f"{path}.{name}")
    if not given:
        names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(path, "", f"must specify one of: {names}")
    elif has_value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _validate_env_field(reference: Json, path: str) -> Errors:
    yield from validate_field_ref(reference, path, _ENV_FIELDS)


def validate_field_ref(reference: Json, path: str, fields: tuple[str, ...]) -> Errors:
    """Check a reference to one of the pod's own fields."""
    for name in ("apiVersion", "fieldPath"):
        if not reference.get(name):
            yield required(f"{path}.{name}")
            return
    field = reference["fieldPath"]
    match = _SUBSCRIPT.fullmatch(field)
    base = match["path"] if match else field
    problem = _conversion_problem(reference["apiVersion"], base, field, bool(match))
    if problem:
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {problem}")
    elif match is None:
        if field not in fields:
            yield not_supported(f"{path}.fieldPath", field, fields)
    elif base in {"metadata.annotations", "metadata.labels"}:
        key = match["key"].lower() if base == "metadata.annotations" else match["key"]
        yield from each(path, key, label_key(key))
    else:
        yield invalid(path, base, "does not support subscript")


def _conversion_problem(version: str, base: str, field: str, subscripted: bool) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscripted:
        known = base in {"metadata.annotations", "metadata.labels"}
        return "" if known else f"field label does not support subscript: {field}"
    return "" if field in _CONVERTIBLE else f"field label not supported: {field}"


def _validate_env_resource(reference: Json, path: str) -> Errors:
    yield from validate_resource_ref(reference, path, in_volume=False)


def validate_resource_ref(reference: Json, path: str, *, in_volume: bool) -> Errors:
    """Check a reference to a container's request or limit."""
    resource = reference.get("resource", "")
    if in_volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        yield not_supported(f"{path}.resource", resource, _RESOURCES)
    yield from _validate_divisor(resource, reference.get("divisor") or "0", f"{path}.divisor")


def _validate_divisor(resource: str, divisor: str, path: str) -> Errors:
    if not Quantity.parse(divisor):
        return
    kind = "hugepages" if resource.startswith(_HUGE_PAGES) else resource.partition(".")[2]
    allowed = ("1m", "1") if kind == "cpu" else _SIZES
    if divisor in allowed or (kind != "hugepages" and resource not in _RESOURCES):
        return
    shown = "1m and 1" if kind == "cpu" else ", ".join(_SIZES)
    name = "local ephemeral storage" if kind == "ephemeral-storage" else kind
    yield invalid(
        path, resource, f"only divisor's values {shown} are supported with the {name} resource"
    )


def _validate_key_selector(selector: Json, path: str) -> Errors:
    yield from checked(dns_subdomain, f"{path}.name", selector.get("name", ""))
    if not selector.get("key"):
        yield required(f"{path}.key")
    else:
        yield from checked(config_key, f"{path}.key", selector["key"])


def _validate_file_key(selector: Json, path: str) -> Errors:
    if not selector.get("key"):
        yield required(f"{path}.key")
    else:
        yield from checked(environment_name, f"{path}.key", selector["key"])
    if not selector.get("volumeName"):
        yield required(f"{path}.volumeName")
    else:
        yield from checked(dns_label, f"{path}.volumeName", selector["volumeName"])
    if not selector.get("path"):
        yield required(f"{path}.path")
    else:
        yield from validate_no_backsteps(selector["path"], f"{path}.path")


_SOURCES: Final[dict[str, Callable[[Json, str], Errors]]] = {
    "fieldRef": _validate_env_field,
    "resourceFieldRef": _validate_env_resource,
    "configMapKeyRef": _validate_key_selector,
    "secretKeyRef": _validate_key_selector,
    "fileKeyRef": _validate_file_key,
}


def validate_env_from(sources: Iterable[Json], path: str) -> Errors:
    """Check the ConfigMaps and Secrets that become environment variables as a whole."""
    for index, source in enumerate(sources):
        place = f"{path}[{index}]"
        if source.get("prefix"):
            yield from checked(environment_name, f"{place}.prefix", source["prefix"])
        given = [name for name in ("configMapRef", "secretRef") if name in source]
        for name in given:
            reference = source[name].get("name", "")
            if not reference:
                yield required(f"{place}.{name}.name")
            else:
                yield from checked(dns_subdomain, f"{place}.{name}.name", reference)
        if not given:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def validate_file_key_volumes(spec: Json, path: str) -> Errors:
    """Check that files with variables lie in emptyDir volumes of the pod."""
    volumes = {volume.get("name", ""): volume for volume in spec.get("volumes") or ()}
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _validate_files(container, volumes, f"{path}.{kind}[{index}].env")


def _validate_files(container: Json, volumes: dict[str, Json], path: str) -> Errors:
    for index, variable in enumerate(container.get("env") or ()):
        reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
        if reference is not None:
            place = f"{path}[{index}].valueFrom.fileKeyRef.volumeName"
            yield from _validate_file_volume(reference.get("volumeName", ""), volumes, place)


def _validate_file_volume(name: str, volumes: dict[str, Json], path: str) -> Errors:
    if name not in volumes:
        yield not_found(path, name)
    elif "emptyDir" not in volumes[name]:
        yield invalid(path, name, "referenced volume must be of type emptyDir")
