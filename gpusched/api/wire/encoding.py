"""Writing: what the API server prints of an object, with Go's rules for empty fields."""

from collections.abc import Callable
from functools import cache
from typing import Any

from gpusched.api.wire import types
from gpusched.api.wire.types import Field, Json

_Encode = Callable[[Any], Any]


def encode(obj: Json) -> Json:
    """Return a decoded object as the API server prints it.

    Empty optional fields are left out; fields without Go's omitempty are written even if empty.
    """
    result: Json = _encoder(types.root(obj["apiVersion"], obj["kind"]))(obj)
    return result


@cache
def _encoder(expression: str) -> _Encode:
    if expression.startswith("*"):
        return _encoder(expression[1:])
    if expression.startswith("[]"):
        element = _encoder(expression[2:])
        return lambda value: [element(item) for item in value]
    if expression.startswith("map["):
        element = _encoder(expression.partition("]")[2])
        return lambda value: {key: element(item) for key, item in value.items()}
    if types.is_struct(expression):
        return _struct_encoder(expression)
    return _same


def _same(value: Any) -> Any:
    return value


def _struct_encoder(struct: str) -> _Encode:
    fields = types.fields(struct)
    always = {name: _zero(field) for name, field in fields.items() if _is_always_written(field)}
    droppable = {name for name, field in fields.items() if _drops_empty(field)}
    encoders: dict[str, _Encode] = {}

    def write(value: Json) -> Json:
        result: Json = {}
        for name, item in value.items():
            if name in droppable and not item:
                continue
            encoder = encoders.get(name)
            if encoder is None:
                encoder = encoders[name] = _encoder(fields[name].expression)
            result[name] = None if item is None else encoder(item)
        for name, zero in always.items():
            if name not in result:
                result[name] = zero()
        return result

    return write


def _is_always_written(field: Field) -> bool:
    """Return whether a field appears even when nothing was given.

    Go's omitempty never leaves out a struct, and a time counts as one.
    """
    is_struct = types.is_struct(field.expression) or field.expression in _SELF_WRITING
    return field.required or (is_struct and not field.omits_zero)


def _drops_empty(field: Field) -> bool:
    return not field.required and not (
        field.expression.startswith("*")
        or types.is_struct(field.expression)
        or field.expression in _SELF_WRITING
    )


_SELF_WRITING = {"!v1.Time": None, "!v1.MicroTime": None, "!resource.Quantity": "0"}


def _zero(field: Field) -> Callable[[], Any]:
    """Return what gives the printed zero of a type."""
    expression = field.expression
    if types.is_struct(expression):
        return lambda: _encoder(expression)({})
    zeros = {"string": "", "bool": False, "int32": 0, "int64": 0, "!intstr.IntOrString": 0}
    zero = {**zeros, **_SELF_WRITING}.get(expression.partition(":")[0])
    return lambda: zero


def encode_ordered(expression: str, value: Any) -> Any:
    """Return a value as Go prints it inside a message: encoded, with the fields in Go's order."""
    if value is None:
        return None
    for prefix in ("*", "[]"):
        if expression.startswith(prefix):
            inner = expression.removeprefix(prefix)
            is_list = prefix == "[]"
            return (
                [encode_ordered(inner, item) for item in value]
                if is_list
                else encode_ordered(inner, value)
            )
    if not types.is_struct(expression):
        return dict(sorted(value.items())) if isinstance(value, dict) else value
    encoded = _encoder(expression)(value)
    return {
        name: encode_ordered(field.expression, encoded[name])
        for name, field in types.fields(expression).items()
        if name in encoded
    }
