"""The tables of kinds that hold settings: priority classes, quotas, config maps, secrets.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import age
from gpusched.kubectl.fields import JsonObject, dig, mapping, name_of, number, text
from gpusched.kubectl.printers.cells import AGE, NAME
from gpusched.kubectl.table import Cells, Column, TableDefinition


def _age(obj: JsonObject, now: int) -> str:
    return age(dig(obj, "metadata", "creationTimestamp"), now)


def _priority_class_cells(obj: JsonObject, now: int) -> Cells:
    value, default = number(obj, "value"), bool(obj.get("globalDefault"))
    return [name_of(obj), value, default, _age(obj, now), text(obj, "preemptionPolicy")]


def _quota_cells(quota: JsonObject, now: int) -> Cells:
    hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
    shares = {
        name: f"{name}: {Quantity.parse(used.get(name, 0))}/{Quantity.parse(hard[name])}"
        for name in sorted(hard)
    }
    limits = [share for name, share in shares.items() if name.startswith("limits.")]
    requests = [share for name, share in shares.items() if not name.startswith("limits.")]
    return [name_of(quota), ", ".join(requests), ", ".join(limits), _age(quota, now)]


def _data_cells(obj: JsonObject, now: int) -> Cells:
    count = len(mapping(obj, "data")) + len(mapping(obj, "binaryData"))
    return [name_of(obj), count, _age(obj, now)]


def _secret_cells(obj: JsonObject, now: int) -> Cells:
    return [name_of(obj), text(obj, "type"), len(mapping(obj, "data")), _age(obj, now)]


def _name_cells(obj: JsonObject, now: int) -> Cells:
    return [name_of(obj), _age(obj, now)]


NAME_ONLY = TableDefinition((NAME, AGE), _name_cells)
PRIORITY_CLASS = TableDefinition(
    (NAME, Column("Value"), Column("Global-Default"), AGE, Column("PreemptionPolicy")),
    _priority_class_cells,
)
RESOURCE_QUOTA = TableDefinition((NAME, Column("Request"), Column("Limit"), AGE), _quota_cells)
CONFIG_MAP = TableDefinition((NAME, Column("Data"), AGE), _data_cells)
SECRET = TableDefinition((NAME, Column("Type"), Column("Data"), AGE), _secret_cells)
