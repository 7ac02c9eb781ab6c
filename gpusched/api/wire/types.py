"""The shapes of the kinds: which fields a Go struct has, of which type, and when they are written.

``types.json`` holds one line per struct: JSON field name to type expression. An expression is ``*T``,
``[]T``, ``map[K]T``, ``!T`` (a type that reads itself), a struct's key or a basic type such as
``string``, ``string:v1.PullPolicy`` or ``int32``; after a comma stands ``empty`` or ``emptyzero``
for Go's omitempty and omitzero.
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
    """

    expression: str
    required: bool
    omits_zero: bool


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
        expression, _, omit = text.partition(",")
        result[name] = Field(expression, required=not omit, omits_zero="zero" in omit)
    return result


def go_name(expression: str) -> str:
    """Return a type as Go prints it: ``[]core/v1.Container`` is ``[]v1.Container``."""
    for prefix in ("*", "[]"):
        if expression.startswith(prefix):
            return prefix + go_name(expression.removeprefix(prefix))
    if expression.startswith("map["):
        key, _, element = expression.removeprefix("map[").partition("]")
        return f"map[{key}]{go_name(element)}"
    return expression.rpartition("/")[2].rpartition(":")[2].removeprefix("!")
