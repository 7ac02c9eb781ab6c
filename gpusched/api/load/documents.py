"""From the text of a document to its JSON values, and to the line of each field on demand.

Knows syntax only. Lines are looked up when a fault is told, by reading the document once more.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from gpusched.api.decode import STRICT, Finding, Path, path_text
from gpusched.api.load.kubectl_yaml import DEEPEST, YamlFaultError, build, json_number
from gpusched.api.load.sources import Chunk

Take = Callable[[Any, float | None], Any]
LONGEST_INTEGER: Final = 400
"""Digits; what does not fit 64 bits is judged later, field by field."""
_ONE_OF_TWO: Final = "keep one of the two"
_SPACE: Final = re.compile(r"\s*")


class DocumentFaultError(Exception):
    """A document cannot be read.

    Attributes:
        message: Why.
        line: 1-based line in the file.
        perhaps_yaml: What starts like JSON is not JSON, but may be YAML.
    """

    def __init__(self, message: str, line: int, *, perhaps_yaml: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.perhaps_yaml = perhaps_yaml


@dataclass(frozen=True, slots=True)
class Document:
    """One value of a chunk.

    Attributes:
        value: The JSON value.
        line: 1-based line in the file where it starts.
        nth: Its number in the chunk, from 0.
        twice: One finding for each key that a map has more than once.
    """

    value: Any
    line: int
    nth: int
    twice: tuple[Finding, ...] = ()


def documents(chunk: Chunk, take: Take | None = None) -> Iterator[Document]:
    """Yield the values of a chunk.

    Args:
        chunk: The text.
        take: Is given the items of a list, each as soon as it is read, and how far the text has
            been read (None: unknown); returns what to keep, which must say the same.

    Raises:
        DocumentFaultError: The text cannot be read.
    """
    if not chunk.json:
        yield from _yaml_documents(chunk, take)
        return
    try:
        found = list(_json_documents(chunk, None if chunk.single else take))
    except DocumentFaultError as fault:
        if not fault.perhaps_yaml:
            raise
        try:
            found = list(_yaml_documents(chunk, take))
        except DocumentFaultError:
            raise fault from None
    yield from found


def line_of(chunk: Chunk, nth: int, field: str) -> int:
    """Return the 1-based line of a field, or of the nearest thing around it that exists; else 0.

    Args:
        chunk: The text.
        nth: Which of its values.
        field: The path as the API server writes it, e.g. ``spec.containers[0].image``.
    """
    lines = _lines(chunk)
    if nth >= len(lines):
        return 0
    path = re.sub(r"\[([^\]]*[^\]\d][^\]]*)\]", r".\1", field)
    while path and path not in lines[nth]:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return chunk.line + lines[nth].get(path, -chunk.line)


@lru_cache(maxsize=4)
def _lines(chunk: Chunk) -> tuple[dict[str, int], ...]:
    try:
        return tuple(
            {path_text(path): line for path, line in built.lines.items()}
            for built in build(chunk.text, lines=True)
        )
    except YamlFaultError:
        return ()


def _yaml_documents(chunk: Chunk, take: Take | None) -> Iterator[Document]:
    size = len(chunk.text)
    keep = None if take is None else lambda value, index: take(value, index / size)
    try:
        for nth, built in enumerate(build(chunk.text, take=keep)):
            twice = tuple(_key_twice(path) for path, _ in built.twice)
            yield Document(built.value, chunk.line + built.line, nth, twice)
    except YamlFaultError as fault:
        line = chunk.line + fault.line if fault.line >= 0 else chunk.line
        raise DocumentFaultError(fault.message, line) from None


def _key_twice(path: Path) -> Finding:
    words = f'{STRICT}yaml: key "{path[-1]}" already set in map'
    return Finding(words, path, _ONE_OF_TWO)


def _json_documents(chunk: Chunk, take: Take | None) -> Iterator[Document]:
    """Yield the JSON values that stand one behind the other."""
    text, end, nth, line, counted = chunk.text, len(chunk.text), 0, chunk.line, 0
    position = _skip(text, 0)
    may_be_deep = text.count("{") + text.count("[") > DEEPEST
    has_escapes = "\\u" in text
    while position < end:
        reader = _JsonReader(take)
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, position = reader.decoder.raw_decode(text, position)
            if may_be_deep:
                _check_depth(value)
            value = _settled(value) if has_escapes else value
        except json.JSONDecodeError as error:
            words = f"error parsing JSON: {error.msg[0].lower()}{error.msg[1:]}"
            place = chunk.line + error.lineno - 1
            raise DocumentFaultError(words, place, perhaps_yaml=True) from None
        except RecursionError:
            raise DocumentFaultError(f"nested deeper than {DEEPEST} levels", line) from None
        except ValueError as error:
            raise DocumentFaultError(f"error parsing JSON: {error}", line) from None
        twice = _json_keys_twice(text) if reader.repeats else ()
        yield Document(value, line, nth, twice)
        nth, position = nth + 1, _skip(text, position)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


class _JsonReader:
    """A JSON decoder that refuses what JSON does not have, and notices repeated keys.

    Args:
        take: Is given whatever may be an item of a list of objects; see `documents`.
    """

    def __init__(self, take: Take | None) -> None:
        self.repeats = False
        self._take = take
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=_parse_float,
            parse_int=_parse_int,
            parse_constant=_parse_constant,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        self.repeats |= len(result) != len(pairs)
        if self._take is not None and "kind" in result and "metadata" in result:
            taken: dict[str, Any] = self._take(result, None)
            return taken
        return result


def _parse_int(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"the number {text[:40]}… is too large")
    return int(text)


def _parse_float(text: str) -> int | float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return json_number(number)


def _parse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON value")


def _json_keys_twice(text: str) -> tuple[Finding, ...]:
    """Return a finding for each repeated key; its path is known if YAML can read the text, too."""
    try:
        twice = [path for built in build(text) for path, _ in built.twice]
    except YamlFaultError:
        twice = []
    if not twice:
        return (Finding(f"{STRICT}duplicate field", (), _ONE_OF_TWO),)
    return tuple(
        Finding(f'{STRICT}duplicate field "{path_text(path)}"', path, _ONE_OF_TWO) for path in twice
    )


def _check_depth(value: Any) -> None:
    """Raise RecursionError for a value that nests too deeply; what is shared is asked once."""
    level, inside = {0: value}, [value]
    for _ in range(DEEPEST + 1):
        inside = [part for outer in level.values() for part in _inside(outer)]
        level = {id(part): part for part in inside if isinstance(part, dict | list)}
    if inside:
        raise RecursionError


def _inside(value: Any) -> Iterable[Any]:
    """Return what stands directly in a value."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _settled(value: Any) -> Any:
    """Return a value with half surrogate pairs replaced as Go does."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_settled(entry) for entry in value]
    if isinstance(value, dict):
        return {_settled(key): _settled(entry) for key, entry in value.items()}
    return value
