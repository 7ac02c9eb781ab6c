"""``--sort-by``: the order of objects by one of their fields.

Source: kubernetes/kubectl pkg/cmd/get/sorter.go, v0.36.1
"""

from dataclasses import dataclass
from typing import Any

from gpusched.api.gosort import go_sorted
from gpusched.api.quantity import InvalidQuantityError, Quantity
from gpusched.kubectl.fields import JsonObject
from gpusched.kubectl.formats import relaxed_path
from gpusched.kubectl.go_format import quote, type_name
from gpusched.kubectl.jsonpath import JsonPathError, Template
from gpusched.kubectl.output import CommandError, PlainError


class UnsortableError(PlainError):
    """The values of the field have no order; kubectl gives up at once."""


@dataclass(frozen=True, slots=True)
class _Keyed:
    """An object and what its sort field holds; ``found`` tells null from absent."""

    obj: JsonObject
    found: bool
    key: Any


def sort_rows(objects: list[JsonObject], field: str) -> list[JsonObject] | None:
    """Return the rows of one table in the order of ``field``; None where kubectl prints nothing.

    A single row needs no order, so that it does not matter whether it has the field.
    """
    if len(objects) <= 1:
        return objects
    try:
        return sort_by(objects, field)
    except UnsortableError:
        raise
    except CommandError:  # upstream drops the table and the error with it
        return None


def check_tables(field: str) -> None:
    """Refuse to sort several tables: upstream looks for the field in the tables themselves.

    Raises:
        CommandError: The field is not one that a table has.
    """
    path, template = _template(field)
    table = {"apiVersion": "meta.k8s.io/v1", "kind": "Table", "metadata": {"resourceVersion": ""}}
    if not _keyed(table, template).found:
        raise _no_field(path)


def _no_field(path: str) -> CommandError:
    return CommandError(f"couldn't find any field with path {quote(path)} in the list of objects")


def sort_by(objects: list[JsonObject], field: str) -> list[JsonObject]:
    """Return ``objects`` in the order of ``field``, in which equal ones fall as Go lets them.

    Raises:
        CommandError: No object has the field, or its values have no order.
    """
    if not objects:
        return []
    path, template = _template(field)
    keyed = [_keyed(obj, template) for obj in objects]
    if not any(entry.found for entry in keyed):
        raise _no_field(path)
    return [entry.obj for entry in go_sorted(keyed, _less)]


def _template(field: str) -> tuple[str, Template]:
    try:
        path = relaxed_path(field)
    except CommandError:
        path = field
    try:
        return path, Template(path)
    except JsonPathError as error:
        raise CommandError(f"sorting error: {error}") from None


def _keyed(obj: JsonObject, template: Template) -> _Keyed:
    try:
        results = template.find(obj)
    except JsonPathError as error:
        raise CommandError(str(error)) from None
    found = bool(results and results[0])
    return _Keyed(obj, found, results[0][0] if found else None)


def _less(left: _Keyed, right: _Keyed) -> bool:
    if not left.found:
        return True
    return right.found and _less_value(left.key, right.key)


def _less_value(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is None and right is not None
    if isinstance(left, str) and isinstance(right, str):
        return _less_text(left, right)
    numbers = type_name(left) in ("int64", "float64") and type_name(left) == type_name(right)
    if not numbers:
        raise UnsortableError(_unsortable(left))
    return bool(left < right)


def _unsortable(value: Any) -> str:
    if isinstance(value, dict | list | bool):
        return f"unsortable type: {type_name(value)}"
    return "unsortable interface: interface"


def _less_text(left: str, right: str) -> bool:
    """Compare as quantities where both are some, else as texts."""
    try:
        return Quantity.parse(left) < Quantity.parse(right)
    except InvalidQuantityError:
        return left < right
