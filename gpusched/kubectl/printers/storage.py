"""The tables of volumes, claims to devices, and the classes of both.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import age
from gpusched.kubectl.fields import JsonObject, dig, mapping, name_of, rows, text, texts
from gpusched.kubectl.printers.cells import AGE, NAME
from gpusched.kubectl.table import Cells, Column, TableDefinition

_SHORT_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


def _age(obj: JsonObject, now: int) -> str:
    return age(dig(obj, "metadata", "creationTimestamp"), now)


def _modes(modes: list[str]) -> str:
    return ",".join(short for mode, short in _SHORT_MODES.items() if mode in modes)


def _phase(obj: JsonObject) -> str:
    deleted = dig(obj, "metadata", "deletionTimestamp")
    return "Terminating" if deleted else text(obj, "status", "phase")


def _class_of(obj: JsonObject) -> str:
    return text(obj, "metadata", "annotations", _OLD_CLASS) or text(obj, "spec", "storageClassName")


def _given(obj: JsonObject, field: str) -> str:
    value = dig(obj, "spec", field)
    return "<unset>" if value is None else str(value)


def _volume_cells(obj: JsonObject, now: int) -> Cells:
    claim = dig(obj, "spec", "claimRef")
    return [
        name_of(obj),
        str(Quantity.parse(mapping(obj, "spec", "capacity").get("storage", "0"))),
        _modes(texts(obj, "spec", "accessModes")),
        text(obj, "spec", "persistentVolumeReclaimPolicy"),
        _phase(obj),
        f"{text(claim, 'namespace')}/{text(claim, 'name')}" if claim else "",
        _class_of(obj),
        _given(obj, "volumeAttributesClassName"),
        text(obj, "status", "reason"),
        _age(obj, now),
        _given(obj, "volumeMode"),
    ]


def _claim_cells(obj: JsonObject, now: int) -> Cells:
    volume = text(obj, "spec", "volumeName")
    capacity = mapping(obj, "status", "capacity").get("storage", "0")
    return [
        name_of(obj),
        _phase(obj),
        volume,
        str(Quantity.parse(capacity)) if volume else "",
        _modes(texts(obj, "status", "accessModes")) if volume else "",
        _class_of(obj),
        _given(obj, "volumeAttributesClassName"),
        _age(obj, now),
        _given(obj, "volumeMode"),
    ]


def _class_cells(obj: JsonObject, now: int) -> Cells:
    notes = mapping(obj, "metadata", "annotations")
    default = any(notes.get(key) == "true" for key in _DEFAULT)
    return [
        name_of(obj) + (" (default)" if default else ""),
        text(obj, "provisioner"),
        text(obj, "reclaimPolicy") or "Delete",
        text(obj, "volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        _age(obj, now),
    ]


def _device_claim_cells(obj: JsonObject, now: int) -> Cells:
    deleted, allocated = dig(obj, "metadata", "deletionTimestamp"), dig(obj, "status", "allocation")
    states = ["deleted"] if deleted else []
    if allocated is not None:
        states += ["allocated", *(["reserved"] if rows(obj, "status", "reservedFor") else [])]
    elif not deleted:
        states.append("pending")
    return [name_of(obj), ",".join(states), _age(obj, now)]


def _slice_cells(obj: JsonObject, now: int) -> Cells:
    spec = mapping(obj, "spec")
    fields = (text(spec, "nodeName"), text(spec, "driver"), text(spec, "pool", "name"))
    return [name_of(obj), *fields, _age(obj, now)]


PERSISTENT_VOLUME = TableDefinition(
    (
        NAME, Column("Capacity"), Column("Access Modes"), Column("Reclaim Policy"),
        Column("Status"), Column("Claim"), Column("StorageClass"), Column("VolumeAttributesClass"),
        Column("Reason"), AGE, Column("VolumeMode", wide=True),
    ),
    _volume_cells,
)  # fmt: skip
PERSISTENT_VOLUME_CLAIM = TableDefinition(
    (
        NAME, Column("Status"), Column("Volume"), Column("Capacity"), Column("Access Modes"),
        Column("StorageClass"), Column("VolumeAttributesClass"), AGE,
        Column("VolumeMode", wide=True),
    ),
    _claim_cells,
)  # fmt: skip
STORAGE_CLASS = TableDefinition(
    (
        NAME, Column("Provisioner"), Column("ReclaimPolicy"), Column("VolumeBindingMode"),
        Column("AllowVolumeExpansion"), AGE,
    ),
    _class_cells,
)  # fmt: skip
RESOURCE_CLAIM = TableDefinition((NAME, Column("State"), AGE), _device_claim_cells)
RESOURCE_SLICE = TableDefinition(
    (NAME, Column("Node"), Column("Driver"), Column("Pool"), AGE), _slice_cells
)
