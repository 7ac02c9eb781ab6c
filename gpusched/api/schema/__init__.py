"""The table of all fields that Kubernetes 1.36.1 knows, made by ``tools/field_table.py``.

Only the table and how it is read: judging an object by it is for ``gpusched.api.decode``. The table
is unpacked when the first object is judged.

Source: kubernetes/kubernetes api/openapi-spec/swagger.json, v1.36.1
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

_DERIVED: Final = {"int": "int64", "bytes": "[]uint8"}


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field holds.

    Attributes:
        shape: ``@struct``, ``[]shape``, ``{}shape`` or a scalar's name.
        words: The Go type as the API server's texts name it, e.g. ``v1.NodeSpec``.
    """

    shape: str
    words: str

    def element(self) -> "FieldType":
        """Return the type of a list's items or of a map's values."""
        shape = self.shape[2:]
        for prefix in ("[]", "map[string]"):
            if self.words.startswith(prefix):
                return FieldType(shape, self.words.removeprefix(prefix).lstrip("*"))
        return FieldType(shape, _go_type(shape))


def struct_of(api_version: str, kind: str) -> str | None:
    """Return the struct of a kind, or None if Kubernetes has no such kind."""
    found: str | None = _table()["kinds"].get(f"{api_version}/{kind}")
    return found


def kinds() -> tuple[str, ...]:
    """Return all kinds as ``apiVersion/Kind``."""
    return tuple(_table()["kinds"])


@cache
def fields_of(struct: str) -> dict[str, FieldType] | None:
    """Return a struct's fields by their names on the wire; None if it takes whatever JSON."""
    fields = _table()["structs"][struct]
    if fields == "any":
        return None
    return {name: _field(text) for name, text in fields.items()}


def _field(text: str) -> FieldType:
    shape, _, words = text.partition(" ")
    return FieldType(shape, words or _go_type(shape))


def _go_type(shape: str) -> str:
    """Return the Go type of a shape whose field is not in the sources that the table is made of."""
    if shape.startswith("[]"):
        return "[]" + _go_type(shape[2:])
    if shape.startswith("{}"):
        return "map[string]" + _go_type(shape[2:])
    if shape.startswith("@"):
        return ".".join(shape.split(".")[-2:])
    return _DERIVED.get(shape, shape)


@cache
def _table() -> dict[str, Any]:
    packed = files("gpusched.api.schema").joinpath("fields.json.gz").read_bytes()
    table: dict[str, Any] = json.loads(gzip.decompress(packed))
    return table
