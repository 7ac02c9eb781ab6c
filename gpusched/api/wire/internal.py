"""Objects as upstream's internal Go structs print them, which some messages do.

``internal.json`` holds one line per struct: the Go field's name to its name on the wire and its
type expression (see ``types``). An internal struct prints all of its fields, absent ones as
``null`` or zero.
"""

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gpusched.api.wire import types
from gpusched.api.wire.encoding import encode_ordered
from gpusched.api.wire.types import Json

_ZEROS: Final = {
    "string": "",
    "bool": False,
    "!resource.Quantity": "0",
}
_NULLABLE: Final = ("*", "[]", "map[", "!v1", "bytes")
_NUMBERS: Final = ("int32", "int64", "!intstr.IntOrString")
_IN_SECURITY_CONTEXT: Final = (
    "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers",
)  # fmt: skip


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("gpusched.api.wire").joinpath("internal.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)["types"]
    return table


def internal(expression: str, value: Any) -> Any:
    """Return a wire value with the fields of the internal type, in Go's order.

    >>> internal("core.Taint", {"key": "a", "effect": "NoSchedule"})
    {'Key': 'a', 'Value': '', 'Effect': 'NoSchedule', 'TimeAdded': None}
    """
    if value is None and expression.startswith(_NULLABLE):
        return None
    for prefix, element in _CONTAINERS.items():
        if expression.startswith(prefix):
            return element(expression, value)
    if types.is_struct(expression):
        return encode_ordered(expression, value or {})
    if expression in _table():
        return _struct(expression, value or {})
    return _scalar(expression) if value is None else value


def _of_pointer(expression: str, value: Any) -> Any:
    return internal(expression.removeprefix("*"), value)


def _of_list(expression: str, value: Any) -> list[Any]:
    return [internal(expression.removeprefix("[]"), item) for item in value]


def _of_map(expression: str, value: Any) -> Json:
    element = expression.partition("]")[2]
    return {key: internal(element, value[key]) for key in sorted(value)}


_CONTAINERS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "*": _of_pointer,
    "[]": _of_list,
    "map[": _of_map,
}


def _scalar(expression: str) -> Any:
    return 0 if expression in _NUMBERS else _ZEROS[expression]


def _struct(struct: str, value: Json) -> Json:
    result = {}
    for go_name, text in _table()[struct].items():
        name, _, expression = text.partition(" ")
        result[go_name] = internal(expression, value.get(name))
    return result


def internal_pod_spec(spec: Json) -> Json:
    """Return a pod spec with its internal fields; some stand in the security context there."""
    context = dict(spec.get("securityContext") or {})
    context |= {name: spec[name] for name in _IN_SECURITY_CONTEXT if name in spec}
    printed: Json = internal("core.PodSpec", {**spec, "securityContext": context})
    return printed


def internal_template(template: Json) -> Json:
    """Return a pod template, whose metadata's fields stand beside its spec."""
    metadata: Json = encode_ordered("meta/v1.ObjectMeta", template.get("metadata") or {})
    return {**metadata, "Spec": internal_pod_spec(template.get("spec") or {})}
