"""Volumes of pods: their names and sources.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from collections.abc import Callable
from typing import Final

from gpusched.api.names import dns_label, dns_subdomain
from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.validation.claims import validate_claim_template
from gpusched.api.validation.environment import validate_field_ref, validate_resource_ref
from gpusched.api.validation.errors import (
    Errors,
    FieldError,
    checked,
    duplicate,
    forbidden,
    invalid,
    one_of,
    required,
)
from gpusched.api.validation.paths import validate_not_reserved
from gpusched.api.validation.sources import (
    SOURCE_RULES,
    validate_csi_driver,
    validate_host_path,
    validate_required,
)
from gpusched.api.wire import Json

_ONE_TYPE: Final = "may not specify more than 1 volume type"
_MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
_LARGEST_MODE: Final = 0o777
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_VOLUME_FIELDS: Final = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip


def validate_volumes(
    volumes: list[Json], pod_name: str, path: str
) -> tuple[dict[str, Json], list[FieldError]]:
    """Return the valid volumes by name, and what is wrong with the others."""
    valid: dict[str, Json] = {}
    errors: list[FieldError] = []
    created = {
        f"{pod_name}-{volume.get('name', '')}" for volume in volumes if "ephemeral" in volume
    }
    for index, volume in enumerate(volumes):
        place, name = f"{path}[{index}]", volume.get("name", "")
        found = [*_validate_source(volume, pod_name, place), *_validate_name(name, valid, place)]
        if not found:
            valid[name] = volume
        errors += found
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if pod_name and claim in created:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(f"{place}.persistentVolumeClaim.claimName", claim, detail))
    return valid, errors


def _validate_name(name: str, others: dict[str, Json], path: str) -> Errors:
    if not name:
        yield required(f"{path}.name")
    else:
        yield from checked(dns_label, f"{path}.name", name)
    if name in others:
        yield duplicate(f"{path}.name", name)


def source_of(volume: Json) -> str:
    """Return the source that counts, by its field's name; empty if there is none."""
    return next((name for name in _ORDER if name in volume), "")


def _validate_source(volume: Json, pod_name: str, path: str) -> Errors:
    """Check that a volume has one source, and that source."""
    given = [name for name in _ORDER if name in volume]
    if not given:
        yield required(path, "must specify a volume type")
        return
    first, *others = given
    if first in _RULES:
        yield from _RULES[first](volume[first], f"{path}.{_NAMED_OTHERWISE.get(first, first)}")
    if first == "ephemeral" and pod_name and volume.get("name"):
        claim = f"{pod_name}-{volume['name']}"
        for problem in dns_subdomain(claim):
            yield invalid(f"{path}.name", volume["name"], f'PVC name "{claim}": {problem}')
    for name in others:
        yield forbidden(f"{path}.{_FORBIDDEN_AS.get(name, name)}", _ONE_TYPE)


def _validate_empty_dir(source: Json, path: str) -> Errors:
    if Quantity.parse(source.get("sizeLimit")) < ZERO:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _validate_claim(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "claimName")


def _validate_secret(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "secretName")
    yield from _validate_files(source, path)


def _validate_config_map(source: Json, path: str) -> Errors:
    yield from validate_required(source, path, "name")
    yield from _validate_files(source, path)


def _validate_files(source: Json, path: str) -> Errors:
    yield from _validate_mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        yield from _validate_key_to_path(item, f"{path}.items[{index}]")


def _validate_key_to_path(item: Json, path: str) -> Errors:
    yield from validate_required(item, path, "key", "path")
    yield from validate_not_reserved(item.get("path", ""), f"{path}.path")
    yield from _validate_mode(item.get("mode"), f"{path}.mode")


def _validate_mode(mode: int | None, path: str) -> Errors:
    if mode is not None and not 0 <= mode <= _LARGEST_MODE:
        yield invalid(path, mode, _MODE)


def _validate_downward(source: Json, path: str) -> Errors:
    yield from _validate_mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item in source.get("items") or ():
        yield from _validate_downward_file(item, path)


def _validate_downward_file(item: Json, path: str) -> Errors:
    if not item.get("path"):
        yield required(f"{path}.path")
    yield from validate_not_reserved(item.get("path", ""), f"{path}.path")
    if "fieldRef" in item:
        yield from validate_field_ref(item["fieldRef"], f"{path}.fieldRef", _VOLUME_FIELDS)
        if "resourceFieldRef" in item:
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", detail)
    elif "resourceFieldRef" in item:
        reference = item["resourceFieldRef"]
        yield from validate_resource_ref(reference, f"{path}.resourceFieldRef", in_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _validate_mode(item.get("mode"), f"{path}.mode")


def _validate_ephemeral(source: Json, path: str) -> Errors:
    if "volumeClaimTemplate" not in source:
        yield required(f"{path}.volumeClaimTemplate")
    else:
        yield from validate_claim_template(
            source["volumeClaimTemplate"], f"{path}.volumeClaimTemplate"
        )


def _validate_csi(source: Json, path: str) -> Errors:
    yield from validate_csi_driver(source.get("driver", ""), f"{path}.driver")
    secret = source.get("nodePublishSecretRef")
    if secret is not None:
        if not secret.get("name"):
            yield required(f"{path}.nodePublishSecretRef.name")
        else:
            yield from checked(dns_subdomain, f"{path}.name", secret["name"])


def _validate_image(source: Json, path: str) -> Errors:
    yield from one_of(f"{path}.pullPolicy", source.get("pullPolicy"), _PULL_POLICIES)


_ORDER: Final = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret",
    "nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs",
    "quobyte", "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
    "csi", "ephemeral", "image",
)  # fmt: skip
"""Sources in the order in which upstream looks; the first is checked, the others are too many."""

_FORBIDDEN_AS: Final = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
"""Names, with upstream's slip, that a source has where it is one too many."""

_NAMED_OTHERWISE: Final = {"gcePersistentDisk": "persistentDisk"}

_RULES: Final[dict[str, Callable[[Json, str], Errors]]] = {
    **SOURCE_RULES,
    "configMap": _validate_config_map,
    "csi": _validate_csi,
    "downwardAPI": _validate_downward,
    "emptyDir": _validate_empty_dir,
    "ephemeral": _validate_ephemeral,
    "hostPath": validate_host_path,
    "image": _validate_image,
    "persistentVolumeClaim": _validate_claim,
    "secret": _validate_secret,
}
