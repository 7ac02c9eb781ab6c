"""A strict decoder of JSON trees into the fields of Go structs, with Go's words for what is wrong.

Unknown and repeated fields are collected; the first value of a wrong type is fatal, but only at the
end, as in Go. A field that is absent or null is absent from the result. This module knows how Go
decodes, not what any kind looks like (see ``schema``).

Source: sigs.k8s.io/json internal/golang/encoding/json/decode.go
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gpusched.api.config.duration import parse_duration
from gpusched.api.config.tree import JsonObject, Number, go_kind
from gpusched.api.validation.errors import quote

_INTEGER: Final = re.compile(r"-?[0-9]+")
_BITS: Final = {"int32": 32, "int64": 64}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A Go string, bool, int32, int64 or float32; ``go`` is the type's name in messages."""

    kind: str
    go: str = ""

    @property
    def type_name(self) -> str:
        """The Go type as messages spell it."""
        return self.go or self.kind


@dataclass(frozen=True, slots=True)
class Duration:
    """A metav1.Duration: a string on the wire, nanoseconds in the result.

    One that is not a pointer is handed ``null`` to read, and refuses it.
    """

    pointer: bool = False
    type_name: str = "string"


@dataclass(frozen=True, slots=True)
class Raw:
    """Any value, kept as a tree."""

    type_name: str = "runtime.RawExtension"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A Go slice."""

    item: "FieldType"

    @property
    def type_name(self) -> str:
        """The Go type as messages spell it."""
        return "[]" + self.item.type_name


@dataclass(frozen=True, slots=True)
class MapOf:
    """A Go map with string keys."""

    value: "FieldType"

    @property
    def type_name(self) -> str:
        """The Go type as messages spell it."""
        return "map[string]" + self.value.type_name


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct.

    Attributes:
        name: Its bare name.
        fields: Field name on the wire to type.
        package: The package before the name in messages.
        embedded: For fields of an embedded struct, the name of that struct.
    """

    name: str
    fields: Mapping[str, "FieldType"]
    package: str = "v1"
    embedded: Mapping[str, str] = field(default_factory=dict)

    @property
    def type_name(self) -> str:
        """The Go type as messages spell it."""
        return f"{self.package}.{self.name}"


FieldType = Scalar | Duration | Raw | ListOf | MapOf | Struct


class WrongTypeError(ValueError):
    """A value has a type that its field cannot hold; the message is Go's."""


@dataclass(slots=True)
class _Decoder:
    strict: dict[str, None] = field(default_factory=dict)
    first_error: str = ""
    struct: str = ""
    stack: tuple[str, ...] = ()

    def decode(self, value: Any, kind: FieldType, path: str) -> Any:
        """Decode one value that is not null; ``path`` leads to it in strict messages."""
        if isinstance(kind, Raw | Duration):
            return value if isinstance(kind, Raw) else self.duration(value)
        if isinstance(kind, Scalar):
            return self.scalar(value, kind)
        if isinstance(kind, ListOf) and isinstance(value, list):
            return self.items(value, kind.item, path)
        if isinstance(value, JsonObject) and isinstance(kind, MapOf):
            return self.entries(value, kind.value, path)
        if isinstance(value, JsonObject) and isinstance(kind, Struct):
            return self.fields(value, kind, path)
        self.wrong(go_kind(value), kind.type_name)
        return None

    def items(self, values: list[Any], kind: FieldType, path: str) -> list[Any]:
        return [
            _zero(kind) if value is None else self.decode(value, kind, f"{path}[{index}]")
            for index, value in enumerate(values)
        ]

    def entries(self, value: JsonObject, kind: FieldType, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in value.pairs:
            self.note_repeated(key, key in found, path)
            found[key] = _zero(kind) if item is None else self.decode(item, kind, f"{path}.{key}")
        return found

    def fields(self, value: JsonObject, kind: Struct, path: str) -> dict[str, Any]:
        outer = self.struct, self.stack
        found: dict[str, Any] = {}
        seen: set[str] = set()
        for key, item in value.pairs:
            if key not in kind.fields:
                self.strict[f"unknown field {quote(_join(path, key))}"] = None
                continue
            self.note_repeated(key, key in seen, path)
            seen.add(key)
            embedded = (kind.embedded[key],) if key in kind.embedded else ()
            self.struct, self.stack = kind.name, (*outer[1], *embedded, key)
            if item is None and kind.fields[key] == Duration():
                raise WrongTypeError('time: invalid duration ""')
            if item is not None:
                found[key] = self.decode(item, kind.fields[key], _join(path, key))
        self.struct, self.stack = outer
        return found

    def note_repeated(self, key: str, seen: bool, path: str) -> None:
        if seen:
            self.strict[f"duplicate field {quote(_join(path, key))}"] = None

    def scalar(self, value: Any, kind: Scalar) -> Any:
        given = go_kind(value)
        if given == "string" and kind.kind == "string":
            return value
        if given == "bool" and kind.kind == "bool":
            return value
        if given == "number" and kind.kind == "float32":
            return float(value)
        if given == "number" and kind.kind in _BITS:
            return self.integer(value, kind)
        self.wrong(given, kind.type_name)
        return None

    def integer(self, value: Number, kind: Scalar) -> int | None:
        limit = 1 << (_BITS[kind.kind] - 1)
        if _INTEGER.fullmatch(value) and -limit <= int(value) < limit:
            return int(value)
        self.wrong(f"number {value}", kind.type_name)
        return None

    def duration(self, value: Any) -> int:
        if not isinstance(value, str) or isinstance(value, Number):
            raise WrongTypeError(self.message(go_kind(value), "string"))
        try:
            return parse_duration(value)
        except ValueError as error:
            raise WrongTypeError(str(error)) from None

    def wrong(self, given: str, wanted: str) -> None:
        self.first_error = self.first_error or self.message(given, wanted)

    def message(self, given: str, wanted: str) -> str:
        target = "value"
        if self.struct or self.stack:
            target = f"struct field {self.struct}.{'.'.join(self.stack)}"
        return f"json: cannot unmarshal {given} into Go {target} of type {wanted}"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _zero(kind: FieldType) -> Any:
    if isinstance(kind, Scalar):
        return {"string": "", "bool": False}.get(kind.kind, 0)
    return {} if isinstance(kind, Struct | MapOf) else [] if isinstance(kind, ListOf) else None


def decode_struct(root: Any, kind: Struct) -> tuple[dict[str, Any], list[str]]:
    """Decode a tree.

    Args:
        root: The tree; None gives an empty struct.
        kind: What it has to be.

    Returns:
        The known fields, and the strict errors (unknown and repeated fields) in order.

    Raises:
        WrongTypeError: A value has the wrong type.
    """
    if root is None:
        return {}, []
    decoder = _Decoder()
    result = decoder.decode(root, kind, "")
    if decoder.first_error:
        raise WrongTypeError(decoder.first_error)
    return result, list(decoder.strict)
