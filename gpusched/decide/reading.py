"""Files of lines: plain or compressed, or standard input."""

import gzip
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty.

    Attributes:
        place: ``file:line``.
        text: Its text.
    """

    place: str
    text: str


def numbered_lines(path: str) -> Iterator[Line]:
    """Return the lines of a file, with their places; ``-`` is standard input."""
    if path == "-":
        yield from _numbered("<stdin>", _text(sys.stdin.buffer))
        return
    with Path(path).open("rb") as file:
        yield from _numbered(path, _text(file))


def _text(file: IO[bytes]) -> Iterable[bytes]:
    """Return the lines of a file that may be compressed, read as they come."""
    start = file.peek(2)[:2] if hasattr(file, "peek") else b""
    return gzip.open(file) if start == _GZIP else file


def _numbered(name: str, lines: Iterable[bytes]) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield Line(f"{name}:{number}", text.decode("utf-8", "replace"))
