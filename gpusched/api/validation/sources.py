"""Volume sources that pods and PersistentVolumes share.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from collections.abc import Callable
from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, out_of_range
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    invalid,
    not_supported,
    required,
)
from gpusched.api.validation.errors import too_long as too_long_error
from gpusched.api.validation.paths import validate_descending, validate_no_backsteps
from gpusched.api.wire import Json

_HOST_PATH_TYPES: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
_IQN: Final = {
    "iqn": r"iqn\.[0-9]{4}-[0-9]{2}\.[a-zA-Z0-9.-]+:[^,;*&$|\s]+",
    "eui": r"^eui.[a-zA-Z0-9]{16}",
    "naa": r"^naa.[a-zA-Z0-9]{32}",
}
_LARGEST_BYTE: Final = 255
_DRIVER_LENGTH: Final = 63
_TENANT_LENGTH: Final = 64
_TENANT_WRONG: Final = "must be a UUID and may not exceed a length of 64 characters"


def validate_required(source: Json, path: str, *names: str) -> Errors:
    """Require fields to have something in them."""
    for name in names:
        if not source.get(name):
            yield required(f"{path}.{name}")


def validate_csi_driver(driver: str, path: str) -> Errors:
    """Check the name of a CSI driver."""
    if not driver:
        yield required(path)
        return
    if len(driver) > _DRIVER_LENGTH:
        yield too_long_error(path, _DRIVER_LENGTH)
    yield from each(path, driver, dns_subdomain(driver.lower()))


def validate_host_path(source: Json, path: str) -> Errors:
    """Check a path on the node."""
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from validate_no_backsteps(source["path"], f"{path}.path")
    if source.get("type", "") not in _HOST_PATH_TYPES:
        yield not_supported(f"{path}.type", source["type"], _HOST_PATH_TYPES)


def _validate_partition(source: Json, path: str) -> Errors:
    partition = source.get("partition", 0)
    if not 0 <= partition <= _LARGEST_BYTE:
        yield invalid(f"{path}.partition", partition, out_of_range(1, _LARGEST_BYTE))


def _validate_gce(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "pdName")
    yield from _validate_partition(source, path)


def _validate_aws(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "volumeID")
    yield from _validate_partition(source, path)


def _validate_nfs(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "server", "path")
    if not source.get("path", "").startswith("/"):
        yield invalid(f"{path}.path", source.get("path", ""), "must be an absolute path")


def _validate_iscsi(source: Json, path: str) -> Errors:
    yield from _validate_target(source, path, "must be valid format starting with iqn, eui, or naa")


def _validate_persistent_iscsi(source: Json, path: str) -> Errors:
    yield from _validate_target(source, path, "must be valid format")
    yield from _validate_secret_ref(source, path)


def _validate_target(source: Json, path: str, wrong: str) -> Errors:
    yield from validate_required(source, path, "targetPortal")
    if not source.get("iqn"):
        yield required(f"{path}.iqn")
    else:
        yield from _validate_iqn(source["iqn"], f"{path}.iqn", wrong)
    lun = source.get("lun", 0)
    if not 0 <= lun <= _LARGEST_BYTE:
        yield invalid(f"{path}.lun", lun, out_of_range(0, _LARGEST_BYTE))
    is_authenticated = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if is_authenticated and "secretRef" not in source:
        yield required(f"{path}.secretRef")
    if "initiatorName" in source:
        yield from _validate_iqn(source["initiatorName"], f"{path}.initiatorname", wrong)


def _validate_iqn(name: str, path: str, wrong: str) -> Errors:
    pattern = _IQN.get(name[:3])
    if pattern is None:
        yield invalid(path, name, wrong)
    elif not re.search(pattern + "$", name):
        yield invalid(path, name, "must be valid format")


def _validate_azure_disk(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "diskName", "diskURI")
    modes = ("None", "ReadOnly", "ReadWrite")
    if source["cachingMode"] not in modes:
        yield not_supported(f"{path}.cachingMode", source["cachingMode"], modes)
    kinds = ("Dedicated", "Managed", "Shared")
    kind, uri = source["kind"], source.get("diskURI", "")
    if kind not in kinds:
        yield not_supported(f"{path}.kind", kind, kinds)
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        shown = (
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/"
            "disks/{disk-id}"
        )
        yield not_supported(f"{path}.diskURI", uri, (shown,))
    if kind != "Managed" and not uri.startswith("https://"):
        shown = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield not_supported(f"{path}.diskURI", uri, (shown,))


def _validate_flocker(source: Json, path: str) -> Errors:
    name, uuid = source.get("datasetName"), source.get("datasetUUID")
    if not name and not uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        detail = "datasetName and datasetUUID can not be specified simultaneously"
        yield invalid(path, "resource", detail)
    if name and "/" in name:
        yield invalid(f"{path}.datasetName", name, "must not contain '/'")


def _validate_fc(source: Json, path: str) -> Errors:
    targets, wwids = source.get("targetWWNs"), source.get("wwids")
    if not targets and not wwids:
        detail = "must specify either targetWWNs or wwids, but not both"
        yield required(f"{path}.targetWWNs", detail)
    if targets and wwids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(f"{path}.targetWWNs", targets, detail)
    if targets and "lun" not in source:
        yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
    elif targets and not 0 <= source["lun"] <= _LARGEST_BYTE:
        yield invalid(f"{path}.lun", source["lun"], out_of_range(0, _LARGEST_BYTE))


def _validate_flex(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "driver")
    for option in source.get("options") or ():
        domain = f".{option.partition('/')[0].lower()}"
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            detail = "kubernetes.io and k8s.io namespaces are reserved"
            yield invalid(f"{path}.options[{option}]", option, detail)


def _validate_git(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "repository")
    yield from validate_descending(source.get("directory", ""), f"{path}.directory")


def _validate_quobyte(source: Json, path: str) -> Errors:
    registry, detail = source.get("registry"), "must be a host:port pair or multiple pairs"
    detail = f"{detail} separated by commas"
    if not registry:
        yield required(f"{path}.registry", detail)
    elif len(source.get("tenant", "")) > _TENANT_LENGTH:
        yield required(f"{path}.tenant", _TENANT_WRONG)
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*):[^:\[\]]*", pair):
                yield invalid(f"{path}.registry", registry, detail)
    yield from validate_required(source, path, "volume")


def _validate_storageos(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "volumeName")
    for name in ("volumeName", "volumeNamespace"):
        if source.get(name):
            yield from checked(dns_label, f"{path}.{name}", source[name])
    yield from _validate_secret_ref(source, path)


def _validate_cinder(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "volumeID")
    yield from _validate_secret_ref(source, path)


def _validate_secret_ref(source: Json, path: str) -> Errors:
    if "secretRef" in source:
        yield from validate_required(source["secretRef"], f"{path}.secretRef", "name")


def _requires(*names: str) -> Callable[[Json, str], Errors]:
    """Return the rule of a source of which only some fields must be there."""
    return lambda source, path: validate_required(source, path, *names)


SOURCE_RULES: Final[dict[str, Callable[[Json, str], Errors]]] = {
    "awsElasticBlockStore": _validate_aws,
    "azureDisk": _validate_azure_disk,
    "azureFile": _requires("secretName", "shareName"),
    "cephfs": _requires("monitors"),
    "cinder": _validate_cinder,
    "fc": _validate_fc,
    "flexVolume": _validate_flex,
    "flocker": _validate_flocker,
    "gcePersistentDisk": _validate_gce,
    "gitRepo": _validate_git,
    "glusterfs": _requires("endpoints", "path"),
    "iscsi": _validate_iscsi,
    "nfs": _validate_nfs,
    "photonPersistentDisk": _requires("pdID"),
    "portworxVolume": _requires("volumeID"),
    "quobyte": _validate_quobyte,
    "rbd": _requires("monitors", "image"),
    "scaleIO": _requires("gateway", "system", "volumeName"),
    "storageos": _validate_storageos,
    "vsphereVolume": _requires("volumePath"),
}
"""Rules by field name."""


def _validate_spaced(rule: Callable[[Json, str], Errors]) -> Callable[[Json, str], Errors]:
    """Return the rule for a source whose secret's namespace must be given, too."""

    def validate(source: Json, path: str) -> Errors:
        yield from rule(source, path)
        if "secretRef" in source:
            yield from validate_required(source["secretRef"], f"{path}.secretRef", "namespace")

    return validate


def _validate_persistent_glusterfs(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "endpoints", "path")
    namespace = source.get("endpointsNamespace")
    if namespace == "":
        detail = "if the endpointnamespace is set, it must be a valid namespace name"
        yield invalid(f"{path}.endpointsNamespace", namespace, detail)
    elif namespace is not None:
        yield from checked(dns_label, f"{path}.endpointsNamespace", namespace)


def _validate_persistent_azure_file(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "secretName", "shareName")
    if source.get("secretNamespace") == "":
        yield required(f"{path}.secretNamespace")


PERSISTENT_SOURCE_RULES: Final[dict[str, Callable[[Json, str], Errors]]] = {
    **SOURCE_RULES,
    "azureFile": _validate_persistent_azure_file,
    "cinder": _validate_spaced(_validate_cinder),
    "glusterfs": _validate_persistent_glusterfs,
    "hostPath": validate_host_path,
    "iscsi": _validate_persistent_iscsi,
    "storageos": _validate_spaced(_validate_storageos),
}
"""Rules of the sources of PersistentVolumes, some of which ask for more."""
