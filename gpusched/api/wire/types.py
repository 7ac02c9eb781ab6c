"""The shapes of the kinds: which fields a Go struct has, of which type, and when they are written.

``types.json`` holds one line per struct: JSON field name to type expression. An expression is
``*T``, ``[]T``, ``map[K]T`` or, with a name of its own, ``map[K:v1.ResourceList]T``, ``!T`` (a type
that reads itself), a struct's key or a basic type such as ``string``, ``string:v1.PullPolicy`` or
``int32``. After a comma stands ``empty`` or ``emptyzero`` for Go's omitempty and omitzero, after
another the embedded struct that the field comes from.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct.

    Attributes:
        expression: The type.
        required: Written even if it is empty.
        omits_zero: An absent struct is left out too.
        embedded: The embedded structs that hold the field, dotted; empty for a field of its own.
    """

    expression: str
    required: bool
    omits_zero: bool
    embedded: str


@cache
def _table() -> Json:
    text = files("gpusched.api.wire").joinpath("types.json").read_text(encoding="utf-8")
    table: Json = json.loads(text)
    return table


def is_known(api_version: str, kind: str) -> bool:
    """Return whether the API server knows such objects."""
    return f"{api_version}/{kind}" in _table()["kinds"]


def root(api_version: str, kind: str) -> str:
    """Return the struct of a kind."""
    struct: str = _table()["kinds"][f"{api_version}/{kind}"]
    return struct


def is_struct(expression: str) -> bool:
    """Return whether a type expression names a struct."""
    return expression in _table()["types"]


@cache
def fields(struct: str) -> dict[str, Field]:
    """Return a struct's fields by JSON name."""
    result = {}
    for name, text in _table()["types"][struct].items():
        expression, omit, embedded = (*text.split(","), "", "")[:3]
        omits_zero = "zero" in omit
        result[name] = Field(expression, not omit, omits_zero, embedded)
    return result


def go_name(expression: str) -> str:
    """Return a type as Go prints it: ``[]core/v1.Container`` is ``[]v1.Container``.

    >>> go_name("map[v1.ResourceName:v1.ResourceList]!resource.Quantity")
    'v1.ResourceList'
    """
    for prefix in ("*", "[]"):
        if expression.startswith(prefix):
            return prefix + go_name(expression.removeprefix(prefix))
    if expression == "bytes":
        return "[]uint8"
    if expression.startswith("map["):
        key, _, element = expression.removeprefix("map[").partition("]")
        key, _, own_name = key.partition(":")
        return own_name or f"map[{key}]{go_name(element)}"
    return expression.rpartition("/")[2].rpartition(":")[2].removeprefix("!")
