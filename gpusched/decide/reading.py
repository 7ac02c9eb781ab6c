"""Files of lines: plain, gzipped or in xz, or standard input."""

import gzip
import lzma
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ"


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
    start = file.peek(len(_XZ)) if hasattr(file, "peek") else b""
    if start.startswith(_GZIP):
        return gzip.open(file)
    return lzma.open(file) if start.startswith(_XZ) else file


def _numbered(name: str, lines: Iterable[bytes]) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield Line(f"{name}:{number}", text.decode("utf-8", "replace"))
