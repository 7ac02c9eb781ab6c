"""From a path to the texts of its documents, one after the other, each of bounded size.

Knows files, compression and encodings; what stands in a document is for others.
"""

import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from gpusched.api.load.meter import Meter

LARGEST_DOCUMENT: Final = 256 * 1024 * 1024
"""Bytes; a dump of fifty thousand pods is about this large."""

_SEPARATOR: Final = re.compile(rb"---[ \t]*(#.*)?\r?\n?$")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_OPENING: Final = (b"{", b"[")


class SourceFaultError(Exception):
    """A file cannot be read; ``line`` is 1-based, or 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Chunk:
    """The text of one document, or of a whole JSON file.

    Attributes:
        text: The text.
        line: 1-based line where it starts.
        json: Whether it starts like JSON.
        single: Whether it is a single line.
    """

    text: str
    line: int
    json: bool
    single: bool = False


def chunks(name: str, meter: Meter) -> Iterator[Chunk]:
    """Yield the documents of a file, ``-`` being standard input.

    Args:
        name: The file.
        meter: Learns to tell which part of the file has been read.

    Raises:
        SourceFaultError: The file cannot be opened, or is not UTF-8 text of bounded size.
    """
    with _opened(name, meter) as stream:
        lines = _Lines(stream)
        first = lines.skip_blank()
        if first is None:
            return
        if first.lstrip().startswith(_OPENING):
            yield from _json_chunks(lines, first)
        else:
            yield from _yaml_chunks(lines, first)


@contextmanager
def _opened(name: str, meter: Meter) -> Iterator[IO[bytes]]:
    """Open a file, unpacking it if it is compressed, and word what can go wrong."""
    try:
        if name == "-":
            yield sys.stdin.buffer
            return
        path = Path(name)
        if path.is_dir():
            raise SourceFaultError("is a directory; name the files in it, e.g. with *.yaml")
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
            stream.seek(0)
            size = path.stat().st_size or 1
            meter.part = lambda: stream.tell() / size
            if not packed:
                yield stream
                return
            with gzip.GzipFile(fileobj=stream) as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile reads like any binary file
    except FileNotFoundError:
        raise SourceFaultError("no such file; is its name right?") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceFaultError(f"cannot be unpacked: {error}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceFaultError(f"cannot be read: {reason}") from None


class _Lines:
    """The lines of a stream, counted, and never longer than a document may be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.number = 0

    def read(self) -> bytes:
        """Return the next line, or nothing at the end."""
        line = self._stream.readline(LARGEST_DOCUMENT + 1)
        self.number += 1
        if self.number == 1:
            if line.startswith(_WIDE):
                raise SourceFaultError("is not UTF-8 text but UTF-16; save it as UTF-8")
            line = line.removeprefix(_BOM)
        if len(line) > LARGEST_DOCUMENT:
            raise _too_large(self.number)
        return line

    def skip_blank(self) -> bytes | None:
        """Return the first line that is not blank, or None."""
        while line := self.read():
            if line.strip():
                return line
        return None

    def rest(self) -> bytes:
        """Return all that is left."""
        data = self._stream.read(LARGEST_DOCUMENT + 1)
        if len(data) > LARGEST_DOCUMENT:
            raise _too_large(self.number)
        return data


def _too_large(line: int) -> SourceFaultError:
    mebibytes = LARGEST_DOCUMENT >> 20
    return SourceFaultError(
        f"a document is larger than {mebibytes} MiB; split it, or use JSON Lines", line
    )


def _yaml_chunks(lines: _Lines, line: bytes) -> Iterator[Chunk]:
    """Yield the documents in which more stands than comments and directives."""
    data, start, says_something = bytearray(), lines.number, False
    while line:
        if _SEPARATOR.match(line):
            if says_something:
                yield Chunk(_decoded(data, start), start, json=False)
            data, start, says_something = bytearray(), lines.number + 1, False
        else:
            data += line  # many lines by themselves would take three times as much
            says_something = says_something or _says_something(line)
        if len(data) > LARGEST_DOCUMENT:
            raise _too_large(start)
        line = lines.read()
    if says_something:
        yield Chunk(_decoded(data, start), start, json=False)


def _says_something(line: bytes) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith((b"#", b"%"))


def _json_chunks(lines: _Lines, first: bytes) -> Iterator[Chunk]:
    """Yield line by line if each line is a value of its own, else the whole file."""
    start = lines.number
    if not _is_whole(first):
        yield Chunk(_decoded(first + lines.rest(), start), start, json=True)
        return
    line = first
    while line:
        if line.strip():
            yield Chunk(_decoded(line, lines.number), lines.number, json=True, single=True)
        line = lines.read()


def _is_whole(line: bytes) -> bool:
    """Return whether a line is a JSON value of its own."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(data: bytes | bytearray, start: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = start + data.count(b"\n", 0, error.start)
        byte = data[error.start]
        raise SourceFaultError(
            f"is not UTF-8 text: byte 0x{byte:02x} cannot be read; save it as UTF-8", line
        ) from None
