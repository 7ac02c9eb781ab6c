"""What several controllers ask of volumes and claims as JSON: class, size, who suits whom.

Source: kubernetes/component-helpers storage/volume/pv_helpers.go, v0.36.1
"""

from collections.abc import Iterable

from gpusched.api.quantity import ZERO, Quantity
from gpusched.controllers.protocol import Json, Key, Lookup, PodView
from gpusched.controllers.selectors import selects

VOLUME = "PersistentVolume"
CLAIM = "PersistentVolumeClaim"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
FORMER_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
_FORMER_CLASS = "volume.beta.kubernetes.io/storage-class"


def annotations_of(obj: Json) -> dict[str, str]:
    """Return an object's annotations."""
    return dict(obj["metadata"].get("annotations") or {})


def annotated(obj: Json, annotations: dict[str, str], spec: Json | None = None) -> Json:
    """Return an object with more annotations, and perhaps another spec."""
    metadata = obj["metadata"]
    if annotations:
        metadata = {**metadata, "annotations": {**annotations_of(obj), **annotations}}
    return {**obj, "metadata": metadata, "spec": obj["spec"] if spec is None else spec}


def class_of(obj: Json) -> str:
    """Return the storage class of a volume or a claim; the old annotation wins."""
    found = annotations_of(obj).get(_FORMER_CLASS)
    return str(obj["spec"].get("storageClassName") or "") if found is None else found


def binds_late(claim: Json, reader: Lookup) -> bool:
    """Return whether a claim waits for its first pod."""
    found = reader.get("StorageClass", "", class_of(claim))
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def storage_of(amounts: Json | None) -> Quantity:
    """Return the amount of storage in a resource list."""
    text = (amounts or {}).get("storage")
    return ZERO if text is None else Quantity.parse(text)


def requested(claim: Json) -> Quantity:
    """Return how much storage a claim asks for."""
    return storage_of((claim["spec"].get("resources") or {}).get("requests"))


def is_kept_for(volume: Json, claim: Json) -> bool:
    """Return whether a volume names this claim as its own."""
    reference = volume["spec"].get("claimRef") or {}
    metadata = claim["metadata"]
    same = (reference.get("namespace"), reference.get("name")) == (
        metadata["namespace"],
        metadata["name"],
    )
    return same and reference.get("uid", "") in ("", metadata["uid"])


def claim_of(volume: Json) -> Key:
    """Return namespace and name of the claim that a volume is kept for."""
    reference = volume["spec"]["claimRef"]
    return reference.get("namespace", ""), reference["name"]


def mismatch(volume: Json, claim: Json) -> str:
    """Return why a volume that a claim names cannot be its own, or an empty string."""
    if volume["metadata"].get("deletionTimestamp"):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if storage_of(volume["spec"].get("capacity")) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if not _same(volume, claim, "volumeAttributesClassName"):
        return "volumeAttributesClassName does not match"
    if not _same(volume, claim, "volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    return "" if _modes(claim) <= _modes(volume) else "incompatible accessMode"


def best_match(claim: Json, volumes: Iterable[Json], *, late: bool) -> Json | None:
    """Return the volume that is kept for a claim, or else the smallest free one that suits it.

    Among volumes that can do, those with the fewest access modes come first.

    Args:
        claim: The claim.
        volumes: All volumes.
        late: The claim waits for its first pod: only a volume that is kept for it counts.
    """
    by_modes: dict[tuple[str, ...], list[Json]] = {}
    for volume in volumes:
        if _modes(claim) <= _modes(volume):
            by_modes.setdefault(tuple(sorted(_modes(volume))), []).append(volume)
    for modes in sorted(by_modes, key=lambda modes: (len(modes), modes)):
        found = _best_of(claim, by_modes[modes], late=late)
        if found is not None:
            return found
    return None


def _best_of(claim: Json, volumes: Iterable[Json], *, late: bool) -> Json | None:
    smallest: Json | None = None
    for volume in volumes:
        if not _could_serve(volume, claim):
            continue
        if is_kept_for(volume, claim):
            return volume
        size = storage_of(volume["spec"].get("capacity"))
        smaller = smallest is None or size < storage_of(smallest["spec"].get("capacity"))
        if not late and smaller and _is_free(volume, claim):
            smallest = volume
    return smallest


def _could_serve(volume: Json, claim: Json) -> bool:
    """Return what even the volume that is kept for a claim must fulfil."""
    return (
        (volume["spec"].get("claimRef") is None or is_kept_for(volume, claim))
        and storage_of(volume["spec"].get("capacity")) >= requested(claim)
        and _same(volume, claim, "volumeMode", "Filesystem")
        and _same(volume, claim, "volumeAttributesClassName")
        and not volume["metadata"].get("deletionTimestamp")
    )


def _is_free(volume: Json, claim: Json) -> bool:
    selector = claim["spec"].get("selector")
    labels = volume["metadata"].get("labels") or {}
    return (
        (volume.get("status") or {}).get("phase") == "Available"
        and (selector is None or selects(selector, labels))
        and class_of(volume) == class_of(claim)
    )


def _same(volume: Json, claim: Json, field: str, default: str = "") -> bool:
    return (volume["spec"].get(field) or default) == (claim["spec"].get(field) or default)


def _modes(obj: Json) -> set[str]:
    return set(obj["spec"].get("accessModes") or ())


def claims_of_pod(pod: PodView) -> dict[str, Json | None]:
    """Return the names of a pod's claims; of an ephemeral one its volume."""
    found: dict[str, Json | None] = {}
    for volume in pod.spec.get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            found[volume["persistentVolumeClaim"]["claimName"]] = None
        elif volume.get("ephemeral"):
            found[f"{pod.name}-{volume['name']}"] = volume
    return found


def is_for(claim: Json, pod: PodView) -> bool:
    """Return whether an ephemeral volume's claim was made for this pod."""
    owners = claim["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == pod.uid for owner in owners)
