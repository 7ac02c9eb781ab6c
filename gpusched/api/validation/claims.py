"""PersistentVolumeClaims and the templates for them.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_label, dns_subdomain
from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    forbidden,
    invalid,
    not_supported,
    required,
)
from gpusched.api.validation.meta import validate_annotations, validate_labels, validate_metadata
from gpusched.api.validation.selectors import validate_selector
from gpusched.api.wire import Json

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")
_CLAIM: Final = "PersistentVolumeClaim"


def validate_persistent_volume_claim(obj: Json) -> Errors:
    """Check a PersistentVolumeClaim."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    yield from validate_claim_spec(obj["spec"], "spec")


def validate_claim_template(template: Json, path: str) -> Errors:
    """Check the template for the claim of an ephemeral volume."""
    yield from validate_template_metadata(template.get("metadata") or {}, f"{path}.metadata")
    yield from validate_claim_spec(template.get("spec") or {}, f"{path}.spec")


def validate_template_metadata(metadata: Json, path: str) -> Errors:
    """Check the metadata of a template for claims: labels and annotations, no more."""
    yield from validate_annotations(metadata.get("annotations"), f"{path}.annotations")
    yield from validate_labels(metadata.get("labels"), f"{path}.labels")
    for name in sorted(metadata.keys() - {"annotations", "labels"}):
        if metadata[name]:
            yield forbidden(f"{path}.{name}", "cannot be set")


def validate_claim_spec(spec: Json, path: str) -> Errors:
    """Check what a claim asks for."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from validate_selector(spec.get("selector"), f"{path}.selector")
    yield from validate_access_modes(modes, f"{path}.accessModes")
    yield from _validate_storage(spec, f"{path}.resources[storage]")
    for name in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(name):
            yield from checked(dns_subdomain, f"{path}.{name}", spec[name])
    if spec["volumeMode"] not in VOLUME_MODES:
        yield not_supported(f"{path}.volumeMode", spec["volumeMode"], VOLUME_MODES)
    yield from _validate_data_sources(spec, path)


def validate_access_modes(modes: list[str], path: str) -> Errors:
    """Check access modes of a claim or a volume."""
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield not_supported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and set(modes) & set(ACCESS_MODES) != {"ReadWriteOncePod"}:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _validate_storage(spec: Json, path: str) -> Errors:
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        yield required(path)
    elif Quantity.parse(requests["storage"]) <= ZERO:
        yield invalid(path, requests["storage"], "must be greater than zero")


def _validate_data_sources(spec: Json, path: str) -> Errors:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for name in ("dataSource", "dataSourceRef"):
        if name in spec:
            yield from _validate_data_source(spec[name], f"{path}.{name}")
    if source is None or reference is None:
        return
    place = _GO_PATH
    if reference.get("namespace"):
        detail = "may not be specified when dataSourceRef.namespace is specified"
        yield invalid(path, place, detail)
    elif any(source.get(name) != reference.get(name) for name in ("apiGroup", "kind", "name")):
        yield invalid(path, place, "must match dataSourceRef")


_GO_PATH: Final[Json] = {}
"""Upstream shows a field path where the value should stand; as JSON it is an empty object."""


def _validate_data_source(source: Json, path: str) -> Errors:
    for name in ("name", "kind"):
        if not source.get(name):
            yield required(f"{path}.{name}")
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    if not group and kind != _CLAIM:
        detail = f"must be '{_CLAIM}' when referencing the default apiGroup"
        yield invalid(path, kind, detail)
    if group:
        yield from each(f"{path}.apiGroup", group, dns_subdomain(group))
    if source.get("namespace"):
        yield from checked(dns_label, f"{path}.namespace", source["namespace"])
