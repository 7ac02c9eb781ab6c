"""Mounts and block devices of containers.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from collections.abc import Mapping
from typing import Final

from gpusched.api.validation.errors import (
    Errors,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from gpusched.api.validation.paths import validate_descending
from gpusched.api.wire import Json

_PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE: Final = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(container: Json, volumes: Mapping[str, Json], path: str) -> Errors:
    """Check where a container mounts the pod's volumes."""
    devices = container.get("volumeDevices") or ()
    names = {device.get("name", "") for device in devices}
    places = {device.get("devicePath", "") for device in devices}
    seen: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place, name = f"{path}[{index}]", mount.get("name", "")
        if not name:
            yield required(f"{place}.name")
        if name not in volumes:
            yield not_found(f"{place}.name", name)
        where = mount.get("mountPath", "")
        if not where:
            yield required(f"{place}.mountPath")
        if where in seen:
            yield invalid(f"{place}.mountPath", where, "must be unique")
        seen.add(where)
        if name in names:
            yield invalid(f"{place}.name", name, "must not already exist in volumeDevices")
        if where in places:
            detail = "must not already exist as a path in volumeDevices"
            yield invalid(f"{place}.mountPath", where, detail)
        yield from _validate_options(mount, container, path, place)


def _validate_options(mount: Json, container: Json, path: str, place: str) -> Errors:
    """Check a mount's sub-path and propagation; upstream names the list, not the mount."""
    sub, expression = mount.get("subPath"), mount.get("subPathExpr")
    if sub:
        yield from validate_descending(sub, f"{path}.subPath")
    if expression:
        if sub:
            detail = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{place}.subPathExpr", expression, detail)
        yield from validate_descending(expression, f"{path}.subPathExpr")
    if "mountPropagation" in mount:
        yield from _validate_propagation(mount, container, f"{path}.mountPropagation")
    if "recursiveReadOnly" in mount:
        yield from _validate_recursive(mount, f"{path}.recursiveReadOnly")


def _validate_propagation(mount: Json, container: Json, path: str) -> Errors:
    propagation = mount["mountPropagation"]
    if propagation not in _PROPAGATIONS:
        yield not_supported(path, propagation, _PROPAGATIONS)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if propagation == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(path, detail)


def _validate_recursive(mount: Json, path: str) -> Errors:
    recursive = mount["recursiveReadOnly"]
    if recursive not in _RECURSIVE:
        yield not_supported(path, recursive, _RECURSIVE)
    elif recursive != "Disabled":
        if not mount.get("readOnly"):
            yield forbidden(path, "may only be specified when readOnly is true")
        if mount.get("mountPropagation", "None") != "None":
            detail = "may only be specified when mountPropagation is None or not specified"
            yield forbidden(path, detail)


def validate_devices(container: Json, volumes: Mapping[str, Json], path: str) -> Errors:
    """Check which of the pod's volumes a container uses as block devices."""
    mounts = container.get("volumeMounts") or ()
    mounted = {mount.get("name", ""): mount.get("mountPath", "") for mount in mounts}
    names: set[str] = set()
    places: set[str] = set()
    for index, device in enumerate(container.get("volumeDevices") or ()):
        place = f"{path}[{index}]"
        name, where = device.get("name", ""), device.get("devicePath", "")
        yield from _validate_device_name(name, volumes, names, f"{place}.name")
        yield from _validate_device_path(where, places, f"{place}.devicePath")
        if name in mounted:
            yield invalid(f"{place}.name", name, "must not already exist in volumeMounts")
        if where in mounted.values():
            detail = "must not already exist as a path in volumeMounts"
            yield invalid(f"{place}.devicePath", where, detail)
        if name:
            names.add(name)


def _validate_device_name(
    name: str, volumes: Mapping[str, Json], seen: set[str], path: str
) -> Errors:
    if not name:
        yield required(path)
    if name in seen:
        yield invalid(path, name, "must be unique")
    if name not in volumes:
        yield not_found(path, name)
    elif not volumes[name].keys() & {"persistentVolumeClaim", "ephemeral"}:
        kinds = "PersistentVolumeClaim or Ephemeral"
        yield invalid(path, name, f"can only use volume source type of {kinds} for block mode")


def _validate_device_path(where: str, seen: set[str], path: str) -> Errors:
    if not where:
        yield required(path)
    if where in seen:
        yield invalid(path, where, "must be unique")
    if ".." in where.split("/"):
        yield invalid(path, where, "can not contain backsteps ('..')")
    else:
        seen.add(where)
