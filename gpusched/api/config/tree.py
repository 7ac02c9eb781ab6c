"""The JSON tree between text and fields: numbers keep their text, objects every pair in order.

Strict decoding reports both, so neither may be lost before it. This module knows no field.
"""

from dataclasses import dataclass
from typing import Any


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object: its pairs in order, repeated keys included."""

    pairs: tuple[tuple[str, Any], ...]

    def plain(self) -> dict[str, Any]:
        """Return the object as ordinary Python values."""
        return {key: plain(value) for key, value in self.pairs}


class UnreadableError(ValueError):
    """The text is neither JSON nor YAML; the message is upstream's."""


def plain(value: Any) -> Any:
    """Return a tree as ordinary Python values."""
    if isinstance(value, JsonObject):
        return value.plain()
    if isinstance(value, Number):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return [plain(item) for item in value] if isinstance(value, list) else value


def go_kind(value: Any) -> str:
    """Return the name that Go's JSON decoder has for the kind of a value."""
    if isinstance(value, JsonObject):
        return "object"
    if isinstance(value, Number):
        return "number"
    names = {str: "string", bool: "bool", list: "array"}
    return names[type(value)]
