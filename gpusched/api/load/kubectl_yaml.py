"""YAML as kubectl reads it: version 1.1 with Go's numbers, to JSON values.

``on`` and ``no`` are booleans, ``012`` is ten, ``1:30`` and dates are strings, keys become strings.
A document is built from the parser's events, so that nesting and aliases are bounded while it is
read, and the line of each field can be noted.

Source: sigs.k8s.io/yaml v1.6.0 yaml.go; go.yaml.in/yaml/v2 resolve.go, decode.go
"""

import base64
import binascii
import copy
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import yaml

from gpusched.api.quantity import number_text

CONVERTING: Final = "error converting YAML to JSON: "
DEEPEST: Final = 100
"""Levels of nesting; the deepest Kubernetes objects have about thirty."""
MOST_ALIASED: Final = 100_000
"""Values that aliases may stand for in one document."""

Path = tuple[str | int, ...]
Take = Callable[[Any, int], Any]
"""Takes an item of a list of objects, and the position in the text; returns what to keep of it."""

_ITEMS: Final = ["items"]
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD: Final = "tag:yaml.org,2002:"
_COLLECTION_TAGS: Final = {None, "!", f"{_STANDARD}map", f"{_STANDARD}seq", f"{_STANDARD}set"}
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True
    ),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LARGEST_UINT64: Final = 2**64 - 1
_SMALLEST_INT64: Final = -(2**63)
_EXACT: Final = 1e21
"""From here on Go prints a number with an exponent."""


class YamlFaultError(Exception):
    """A document cannot be read; ``line`` is 0-based within its text, or -1."""

    def __init__(self, message: str, line: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(slots=True)
class Built:
    """A value, and what was noticed while it was built.

    Attributes:
        value: The JSON value.
        line: 0-based line where it starts.
        twice: Keys that a map has more than once, as (path, 0-based line).
        lines: 0-based line of each field, if asked for.
    """

    value: Any
    line: int
    twice: list[tuple[Path, int]]
    lines: dict[Path, int]


def build(text: str, *, lines: bool = False, take: Take | None = None) -> Iterator[Built]:
    """Yield the documents of a YAML text as JSON values.

    Args:
        text: One or more documents.
        lines: Whether to note the line of each field.
        take: Is given each of a document's ``items`` as soon as it is read.

    Raises:
        YamlFaultError: The text is no YAML that kubectl could turn into JSON.

    >>> [built.value for built in build("a: {on: 012, b: 1:30}")]
    [{'a': {'true': 10, 'b': '1:30'}}]
    """
    loader = _LOADER(text)
    try:
        builder = _Builder(loader, noting=lines, take=take)
        while True:
            event = builder.next()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield builder.document()
    except yaml.YAMLError as error:
        raise _syntax_fault(error) from None
    finally:
        loader.dispose()


def _syntax_fault(error: yaml.YAMLError) -> YamlFaultError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = mark.line if mark is not None else -1
    return YamlFaultError(f"{CONVERTING}yaml: {problem}", line)


@dataclass(slots=True)
class _Builder:
    """Turns the events of one text into values."""

    loader: Any
    noting: bool
    take: Take | None
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    open_anchors: set[str] = field(default_factory=set)
    path: list[str | int] = field(default_factory=list)
    count: int = 0
    aliased: int = 0
    twice: list[tuple[Path, int]] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)

    def next(self) -> Any:
        """Return the next event."""
        return self.loader.get_event()

    def document(self) -> Built:
        """Return the document whose start has just been read."""
        self.anchors, self.twice, self.lines, self.aliased = {}, [], {}, 0
        event = self.next()
        value = self.node(event)
        return Built(value, event.start_mark.line, self.twice, self.lines)

    def node(self, event: Any) -> Any:
        """Return the value that starts with an event."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before, anchor = self.count, event.anchor
        self.count += 1
        if self.noting:
            self.lines.setdefault(tuple(self.path), event.start_mark.line)
        if anchor:
            self.open_anchors.add(anchor)
        is_scalar = isinstance(event, yaml.ScalarEvent)
        value = _scalar(event) if is_scalar else self._collection(event)
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (value, self.count - before)
        return value

    def _collection(self, event: Any) -> Any:
        if event.tag not in _COLLECTION_TAGS:
            raise _fault(f"the tag {event.tag} is not supported", event)
        if len(self.path) >= DEEPEST:
            raise _fault(f"nested deeper than {DEEPEST} levels", event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event)
        return self._sequence()

    def _alias(self, event: Any) -> Any:
        """Return a copy of what the alias stands for, within bounds."""
        if event.anchor in self.open_anchors:
            raise _fault(f"anchor '{event.anchor}' value contains itself", event)
        if event.anchor not in self.anchors:
            raise _fault(f"unknown anchor '{event.anchor}' referenced", event)
        value, size = self.anchors[event.anchor]
        self.count += size
        self.aliased += size
        if self.aliased > MOST_ALIASED:
            raise _fault("document contains excessive aliasing", event)
        return copy.deepcopy(value)

    def _sequence(self) -> list[Any]:
        result: list[Any] = []
        take = self.take if self.path == _ITEMS else None
        self.path.append(0)
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            self.path[-1] = len(result)
            value = self.node(event)
            result.append(value if take is None else take(value, event.end_mark.index))
        self.path.pop()
        return result

    def _mapping(self, start: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Any] = []
        self.path.append("")
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            merges = _is_merge(event)
            key = "<<" if merges else self._key(event)
            self.path[-1] = key
            if key in result and not merges:
                self.twice.append((tuple(self.path), event.start_mark.line))
            if self.noting:
                self.lines[tuple(self.path)] = event.start_mark.line
            value = self.node(self.next())
            if merges:
                merged.append(value)
            else:
                result[key] = value
        self.path.pop()
        return _with_merged(result, merged, start) if merged else result

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            raise _fault("a map's key must be a string", event)
        key = self.node(event)
        if isinstance(key, str):
            return key
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, int | float):
            return number_text(key)
        raise _fault("a map's key must be a string", event)


def _is_merge(event: Any) -> bool:
    """Return whether a key is the ``<<`` that merges other maps in."""
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]


def _with_merged(own: dict[str, Any], merged: list[Any], start: Any) -> dict[str, Any]:
    """Return a map with what ``<<`` adds to it; its own keys win, then the first that is merged."""
    result: dict[str, Any] = {}
    for value in merged:
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise _fault("map merge requires map or sequence of maps as the value", start)
            result = {**source, **result}
    return {**result, **own}


def _fault(problem: str, event: Any) -> YamlFaultError:
    return YamlFaultError(f"{CONVERTING}yaml: {problem}", event.start_mark.line)


def _scalar(event: Any) -> Any:
    """Return the value of a scalar."""
    text, tag = event.value, event.tag
    if tag is None or tag == "!":
        value = resolve(text) if event.implicit[0] and tag is None else text
    else:
        value = _tagged(text, tag, event)
    if isinstance(value, float) and not math.isfinite(value):
        shown = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
        problem = f"{CONVERTING}json: unsupported value: {shown}"
        raise YamlFaultError(problem, event.start_mark.line)
    return value


def _tagged(text: str, tag: str, event: Any) -> Any:
    """Return the value of a scalar with a tag; only YAML's own tags are taken."""
    name = tag.removeprefix(_STANDARD)
    if name in {"str", "timestamp"}:
        return text
    if name == "binary":
        try:
            return base64.b64decode(text, validate=False).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _fault("!!binary value contains invalid base64 data", event) from None
    value = resolve(text)
    fits = {
        "null": value is None,
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if name not in fits or not tag.startswith(_STANDARD):
        raise _fault(f"the tag {tag} is not supported", event)
    if not fits[name]:
        raise _fault(f"cannot decode `{text}` as a !!{name}", event)
    return value


@lru_cache(maxsize=16384)
def resolve(text: str) -> Any:
    """Return the value of a plain scalar: None, a boolean, a number or the text itself.

    >>> resolve("yes"), resolve("0o17"), resolve("8.0"), resolve("2024-01-01"), resolve("0x")
    (True, 15, 8, '2024-01-01', '0x')
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if _INTEGER.fullmatch(plain) and text[0] != ".":
        whole = _integer(plain)
        if _SMALLEST_INT64 <= whole <= _LARGEST_UINT64:
            return whole
    if _FLOAT.fullmatch(plain):
        number = float(plain)
        return json_number(number) if math.isfinite(number) else text
    return text


def _integer(plain: str) -> int:
    if len(plain) > 80:  # noqa: PLR2004 - longer than any 64-bit number, binary ones included
        return _LARGEST_UINT64 + 1
    digits = plain.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    number = int(digits, 8) if octal else int(digits, 0)
    return -number if plain.startswith("-") else number


def json_number(number: float) -> int | float:
    """Return a float as kubectl sends it on: whole numbers lose their point.

    >>> json_number(8.0), json_number(0.5), json_number(1e30)
    (8, 0.5, 1e+30)
    """
    return int(number) if number.is_integer() and abs(number) < _EXACT else number
