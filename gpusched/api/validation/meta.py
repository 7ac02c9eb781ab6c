"""Metadata: names, labels, annotations, owners, finalizers; and what an update must keep of them.

Source: kubernetes/apimachinery pkg/api/validation/objectmeta.go, v0.36.1
"""

from typing import Final

from gpusched.api.names import Rule, dns_label, generated, label_key, label_value
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    forbidden,
    invalid,
    not_negative,
    required,
    too_long,
)
from gpusched.api.wire import Json, encode_ordered

IMMUTABLE: Final = "field is immutable"
_ANNOTATIONS_SIZE: Final = 256 * 1024
_NEVER_OWNERS: Final = {("v1", "Event"): "/v1, Kind=Event"}
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"
_STANDARD_FINALIZERS: Final = frozenset({"kubernetes", _ORPHAN, _FOREGROUND})
_LONGEST_MANAGER: Final = 128


def validate_metadata(metadata: Json, name_rule: Rule, *, namespaced: bool) -> Errors:
    """Check an object's metadata on creation, as the rules of most kinds do."""
    yield from validate_any_metadata(metadata, name_rule, namespaced=namespaced)
    yield from validate_standard_finalizers(metadata)


def validate_any_metadata(metadata: Json, name_rule: Rule, *, namespaced: bool) -> Errors:
    """Check what must be right in the metadata of each and every object."""
    prefix, name = metadata.get("generateName"), metadata.get("name")
    if prefix:
        yield from each("metadata.generateName", prefix, generated(name_rule, prefix))
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from checked(name_rule, "metadata.name", name)
    yield from _validate_namespace(metadata.get("namespace"), namespaced=namespaced)
    yield from not_negative("metadata.generation", metadata.get("generation"))
    yield from _validate_shared(metadata)
    yield from _validate_finalizers(metadata.get("finalizers") or [])


def _validate_namespace(namespace: str | None, *, namespaced: bool) -> Errors:
    if not namespaced:
        if namespace:
            yield forbidden("metadata.namespace", "not allowed on this type")
    elif not namespace:
        yield required("metadata.namespace")
    else:
        yield from checked(dns_label, "metadata.namespace", namespace)


def _validate_shared(metadata: Json) -> Errors:
    """Check what is checked on creation and on each update."""
    yield from validate_labels(metadata.get("labels"), "metadata.labels")
    yield from validate_annotations(metadata.get("annotations"), "metadata.annotations")
    yield from _validate_owners(metadata.get("ownerReferences") or [])
    yield from _validate_managed_fields(metadata.get("managedFields") or [])


def validate_labels(labels: Json | None, path: str) -> Errors:
    """Check keys and values of labels; the errors name the whole map."""
    for key, value in (labels or {}).items():
        yield from checked(label_key, path, key)
        yield from checked(label_value, path, value)


def validate_annotations(annotations: Json | None, path: str) -> Errors:
    """Check the keys of annotations, of any case, and the size of them all."""
    if not annotations:
        return
    for key in annotations:
        yield from each(path, key, label_key(key.lower()))
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_SIZE:
        yield too_long(path, _ANNOTATIONS_SIZE)


def _validate_owners(references: list[Json]) -> Errors:
    path, controller = "metadata.ownerReferences", ""
    for reference in references:
        yield from _validate_owner(reference, path)
        if not reference.get("controller"):
            continue
        name = f"{reference.get('kind', '')}/{reference.get('name', '')}"
        if controller:
            yield invalid(
                path,
                encode_ordered("[]meta/v1.OwnerReference", references),
                'Only one reference can have Controller set to true. Found "true" in references'
                f" for {controller} and {name}",
            )
        else:
            controller = name


def _validate_owner(reference: Json, path: str) -> Errors:
    version = reference.get("apiVersion", "")
    # A version of more than two parts cannot be parsed, and counts as none.
    if not version or version.count("/") > 1 or version.endswith("/"):
        yield invalid(f"{path}.apiVersion", version, "version must not be empty")
    for name in ("kind", "name", "uid"):
        if not reference.get(name):
            yield invalid(f"{path}.{name}", "", "must not be empty")
    banned = _NEVER_OWNERS.get((version, reference.get("kind", "")))
    if banned:
        shown = encode_ordered("meta/v1.OwnerReference", reference)
        yield invalid(path, shown, f"{banned} is disallowed from being an owner")


def _validate_finalizers(finalizers: list[str]) -> Errors:
    for finalizer in finalizers:
        yield from checked(label_key, "metadata.finalizers", finalizer)
    if _ORPHAN in finalizers and _FOREGROUND in finalizers:
        yield invalid(
            "metadata.finalizers",
            finalizers,
            f"finalizer {_ORPHAN} and {_FOREGROUND} cannot be both set",
        )


def validate_standard_finalizers(metadata: Json) -> Errors:
    """Check the finalizers of kinds that know Kubernetes' own ones."""
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        yield from validate_finalizer_domain(finalizer, f"metadata.finalizers[{index}]")


def validate_finalizer_domain(finalizer: str, path: str) -> Errors:
    """Require a domain in front of finalizers that are not Kubernetes' own."""
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        detail = "name is neither a standard finalizer name nor is it fully qualified"
        yield invalid(path, finalizer, detail)


def _validate_managed_fields(entries: list[Json]) -> Errors:
    for index, entry in enumerate(entries):
        path = f"metadata.managedFields[{index}]"
        if entry.get("operation", "") not in {"Apply", "Update"}:
            operation = entry.get("operation", "")
            yield invalid(f"{path}.operation", operation, "must be `Apply` or `Update`")
        if len(entry.get("manager", "").encode()) > _LONGEST_MANAGER:
            yield too_long(f"{path}.manager", _LONGEST_MANAGER)
        if entry.get("fieldsType") and entry["fieldsType"] != "FieldsV1":
            yield invalid(f"{path}.fieldsType", entry["fieldsType"], "must be `FieldsV1`")


def validate_metadata_update(new: Json, old: Json) -> Errors:
    """Check that an update keeps what identifies the object."""
    added = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if old.get("deletionTimestamp") and added:
        listed = ", ".join(f'"{name}"' for name in added)
        yield forbidden(
            "metadata.finalizers",
            "no new finalizers can be added if the object is being deleted, found new finalizers"
            f" []string{{{listed}}}",
        )
    if not new.get("resourceVersion"):
        yield invalid("metadata.resourceVersion", "", "must be specified for an update")
    if new.get("generation", 0) < old.get("generation", 0):
        yield invalid("metadata.generation", new.get("generation", 0), "must not be decremented")
    for name in ("name", "namespace", "uid"):
        if new.get(name, "") != old.get(name, ""):
            yield invalid(f"metadata.{name}", new.get(name, ""), IMMUTABLE)
    for name in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(name) != old.get(name):
            yield invalid(f"metadata.{name}", new.get(name), IMMUTABLE)
    yield from _validate_shared(new)
