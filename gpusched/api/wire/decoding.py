"""Reading: from any JSON value to a well-typed object, or the message that Go's decoder gives.

Go reads on after a value of the wrong type and reports the first such; a type that reads itself
(a quantity, a time) ends the reading at once, and its message wins.

Source: kubernetes-sigs/json internal/golang/encoding/json/decode.go, v0.0.0-20250730193827
"""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from gpusched.api.quantity import InvalidQuantityError, Quantity
from gpusched.api.wire import types
from gpusched.api.wire.scalars import SCALARS, json_type, parse_time
from gpusched.api.wire.types import Json

_SCHEME: Final = "pkg/runtime/scheme.go:111"
_TYPE_META: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
_VERSION_PARTS: Final = 2


class DecodeError(ValueError):
    """The value cannot be read as an object of a known kind; the message is the API server's."""


class _Reader:
    """The place that is being read, and the first value of a wrong type."""

    __slots__ = ("path", "problem", "struct")

    def __init__(self) -> None:
        self.path: list[str] = []
        self.struct = ""
        self.problem = ""

    def describe(self, found: str, go_type: str) -> str:
        if not self.path:
            return f"json: cannot unmarshal {found} into Go value of type {go_type}"
        place = f"{self.struct}.{'.'.join(self.path)}"
        return f"json: cannot unmarshal {found} into Go struct field {place} of type {go_type}"

    def mismatch(self, found: str, go_type: str) -> None:
        if not self.problem:
            self.problem = self.describe(found, go_type)


_Decode = Callable[[_Reader, Any], Any]


def decode(value: Any) -> Json:
    """Return the object with known fields only, every value of its field's type.

    Quantities are printed canonically; ``null`` means absent, and zero where an element is needed.

    Raises:
        DecodeError: The value is no object of a known kind.
    """
    api_version, kind = _type_meta(value)
    if api_version.count("/") >= _VERSION_PARTS:
        raise DecodeError(f"unexpected GroupVersion string: {api_version}")
    if not types.is_known(api_version, kind):
        raise DecodeError(
            f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
        )
    reader = _Reader()
    result: Json = _decoder(types.root(api_version, kind))(reader, value)
    if reader.problem:
        raise DecodeError(reader.problem)
    return result


def _type_meta(value: Any) -> tuple[str, str]:
    """Return apiVersion and kind."""
    prefix = "couldn't get version/kind; json parse error: json: cannot unmarshal"
    if value is not None and not isinstance(value, dict):
        raise DecodeError(f"{prefix} {json_type(value)} into Go value of type {_TYPE_META}")
    found = {"apiVersion": "", "kind": ""}
    for name, item in (value or {}).items():
        if name in found and item is not None:
            if not isinstance(item, str):
                what = f"{prefix} {json_type(item)}"
                raise DecodeError(f"{what} into Go struct field .{name} of type string")
            found[name] = item
    for name, shown in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not found[name]:
            raise DecodeError(f"Object '{shown}' is missing in '{json.dumps(value)}'")
    return found["apiVersion"], found["kind"]


@cache
def _decoder(expression: str) -> _Decode:
    """Return the function that reads one type."""
    if expression.startswith("*"):
        return _decoder(expression[1:])
    if expression.startswith("[]"):
        return _list_decoder(expression)
    if expression.startswith("map["):
        return _map_decoder(expression)
    if expression.startswith("!"):
        return _SELF_READING.get(expression, _read_anything)
    if types.is_struct(expression):
        return _struct_decoder(expression)
    return _scalar_decoder(expression)


def _struct_decoder(struct: str) -> _Decode:
    fields = types.fields(struct)
    go_type = types.go_name(struct)
    struct_name = go_type.rpartition(".")[2]
    decoders: dict[str, _Decode] = {}

    def read(reader: _Reader, value: Any) -> Any:
        if value is None:
            return {}
        if not isinstance(value, dict):
            return reader.mismatch(json_type(value), go_type)
        path, outer, result = reader.path, reader.struct, {}
        for name, item in value.items():
            field = fields.get(name)
            if field is None or (item is None and field.expression not in _READS_NULL):
                continue
            path.append(f"{field.embedded}.{name}" if field.embedded else name)
            reader.struct = struct_name
            decoder = decoders.get(name)
            if decoder is None:
                decoder = decoders[name] = _decoder(field.expression)
            result[name] = decoder(reader, item)
            path.pop()
        reader.struct = outer
        return result

    return read


def _list_decoder(expression: str) -> _Decode:
    go_type = types.go_name(expression)
    element = _decoder(expression.removeprefix("[]"))

    def read(reader: _Reader, value: Any) -> Any:
        if not isinstance(value, list):
            return reader.mismatch(json_type(value), go_type)
        return [element(reader, item) for item in value]

    return read


def _map_decoder(expression: str) -> _Decode:
    go_type = types.go_name(expression)
    element = _decoder(expression.partition("]")[2])

    def read(reader: _Reader, value: Any) -> Any:
        if not isinstance(value, dict):
            return reader.mismatch(json_type(value), go_type)
        return {key: element(reader, item) for key, item in value.items()}

    return read


def _scalar_decoder(expression: str) -> _Decode:
    scalar = SCALARS[expression.partition(":")[0]]
    go_type = types.go_name(expression)

    def read(reader: _Reader, value: Any) -> Any:
        if value is None:
            return scalar.zero
        if not scalar.accepts(value):
            return reader.mismatch(scalar.found(value), go_type)
        return value

    return read


def _read_quantity(_reader: _Reader, value: Any) -> str:
    try:
        return str(Quantity.parse(value))
    except InvalidQuantityError as error:
        raise DecodeError(str(error)) from None


def _read_int_or_string(reader: _Reader, value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = SCALARS["int32"]
    if value is None or number.accepts(value):
        return value or 0
    raise DecodeError(reader.describe(number.found(value), "int32"))


def _time_reader(layout: str) -> _Decode:
    def read(reader: _Reader, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise DecodeError(reader.describe(json_type(value), "string"))
        problem = parse_time(value, layout)
        if problem:
            raise DecodeError(problem)
        return re.sub(r"\.\d+", "", value) if layout == _SECONDS else value

    return read


def _read_anything(_reader: _Reader, value: Any) -> Any:
    return value


_SECONDS: Final = "2006-01-02T15:04:05Z07:00"
_MICROSECONDS: Final = "2006-01-02T15:04:05.000000Z07:00"
_SELF_READING: Final[dict[str, _Decode]] = {
    "!resource.Quantity": _read_quantity,
    "!intstr.IntOrString": _read_int_or_string,
    "!v1.Time": _time_reader(_SECONDS),
    "!v1.MicroTime": _time_reader(_MICROSECONDS),
}
_READS_NULL: Final = frozenset({"!resource.Quantity", "!intstr.IntOrString"})
"""Types that make a value of their own out of ``null``."""
