"""From files to manifests: one object each, with its place, and all faults at once.

Opens lists, skips empty documents, and asks a judge about each object; the judge's findings become
faults with file, document, line and field.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gpusched.api.decode import Finding, Path, path_text, strict
from gpusched.api.likeness import nameless
from gpusched.api.load.documents import Document, DocumentFaultError, documents, line_of
from gpusched.api.load.meter import Meter, Tell
from gpusched.api.load.sharing import Alike, Sharing, is_of_many
from gpusched.api.load.sources import Chunk, SourceFaultError, chunks
from gpusched.errors import Fault, InvalidInputError

MOST_FAULTS: Final = 100
"""So many are told; a file of another kind altogether would else fill the screen."""
_MOST_ALIKE: Final = 4096
"""Objects that are remembered at a time for those that differ from them by their name alone."""

Judge = Callable[[Any], Iterable[Finding]]
"""Says what is wrong with an object; ``decode.strict`` is the usual one."""


_LINE: Final = Chunk("", 0, json=True, single=True)
"""Stands for any single line whose text is not kept: whatever stands there stands in that line."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object, and where it stands.

    Attributes:
        file: The file as it was named, ``<stdin>`` for standard input.
        document: 1-based number of the document in the file.
        line: 1-based line where the object starts.
    """

    _object: dict[str, Any] | Alike
    file: str
    document: int
    line: int
    _chunk: Chunk = field(repr=False, compare=False)
    _nth: int = field(default=0, repr=False, compare=False)
    _prefix: Path = field(default=(), repr=False, compare=False)

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object as written: no defaults, unknown fields and nulls still there."""
        found = self._object
        return found.object() if isinstance(found, Alike) else found

    def line_of(self, path: str | Path) -> int:
        """Return the line of a field, or of what is nearest around it.

        Args:
            path: Keys and indices, or their text, e.g. ``spec.containers[0].image``.
        """
        text = path if isinstance(path, str) else path_text(path)
        whole = ".".join(part for part in (path_text(self._prefix), text) if part)
        return line_of(self._chunk, self._nth, whole) or self.line

    def compact(self, sharing: Sharing) -> "Manifest":
        """Return the same manifest, to be kept: it shares what it can, and drops needless text."""
        chunk = _LINE if self._chunk.single else self._chunk
        obj = sharing.kept(self.object)
        return Manifest(obj, self.file, self.document, self.line, chunk, self._nth, self._prefix)

    def holding(self, obj: dict[str, Any]) -> "Manifest":
        """Return a manifest of another object that stands where this one does."""
        return replace(self, _object=obj)

    def part(self, obj: dict[str, Any], path: Path) -> "Manifest":
        """Return an object that stands inside this one as a manifest of its own."""
        prefix = (*self._prefix, *path)
        inner = replace(self, _object=obj, _prefix=prefix)
        return replace(inner, line=inner.line_of(()))

    def fault(self, message: str, path: str | Path = ()) -> Fault:
        """Return a fault of this object, with its place."""
        text = path if isinstance(path, str) else path_text(path)
        return Fault(message, self.file, self.document, self.line_of(path), text)


def load(
    names: str | Sequence[str], *, judge: Judge = strict, tell: Tell | None = None
) -> tuple[Manifest, ...]:
    """Return all objects of files.

    Args:
        names: Files; ``-`` is standard input.
        judge: What is asked about each object.
        tell: Is told, now and then, how far the reading of a file has come.

    Raises:
        InvalidInputError: Something is wrong; all faults of all files are in it.
    """
    sharing = Sharing()
    reader = _Reader(judge, tell, sharing)
    return tuple(found.compact(sharing) for found in _faultless(names, reader))


def stream(names: str | Sequence[str], *, judge: Judge = strict) -> Iterator[Manifest]:
    """Yield the objects of files as they are read, without holding whole files of many documents.

    Once something is wrong, no further object is yielded, but all files are read to their ends.

    Raises:
        InvalidInputError: As in ``load``, when everything has been read.
    """
    yield from _faultless(names, _Reader(judge, None, Sharing()))


def _faultless(names: str | Sequence[str], reader: "_Reader") -> Iterator[Manifest]:
    faults: list[Fault] = []
    for name in [names] if isinstance(names, str) else names:
        for found in reader.read(name):
            if isinstance(found, Fault):
                faults.append(found)
            elif not faults:
                yield found
    if faults:
        raise InvalidInputError(_bounded(faults))


def _bounded(faults: list[Fault]) -> list[Fault]:
    left = len(faults) - MOST_FAULTS
    if left <= 0:
        return faults
    return [*faults[:MOST_FAULTS], Fault(f"and {left} more faults")]


class _Reader:
    """Reads files.

    Args:
        judge: What is asked about each object.
        tell: Is told how far the reading of a file has come.
        sharing: Shares what items of lists have in common while the list is still read.
    """

    def __init__(self, judge: Judge, tell: Tell | None, sharing: Sharing) -> None:
        self._judge = Siblings() if judge is strict else judge
        self._tell = tell
        self._sharing = sharing

    def read(self, name: str) -> Iterator[Manifest | Fault]:
        """Yield what stands in one file, objects and faults, in its order."""
        file = "<stdin>" if name == "-" else name
        meter = Meter(file, self._tell)
        empty = True
        try:
            for found in self._in_chunks(file, chunks(name, meter), meter):
                empty = False
                yield from _judged(found, self._judge)
        except SourceFaultError as error:
            yield Fault(error.message, file, 0, error.line)
            return
        if empty:
            yield Fault("no objects in it; is it the right file?", file)

    def _in_chunks(
        self, file: str, found: Iterable[Chunk], meter: Meter
    ) -> Iterator[Manifest | Fault]:
        """Yield the objects of a file's chunks; one that cannot be read does not hide the next."""

        def take(item: Any, part: float | None) -> Any:
            meter.count(lambda: part)
            return self._sharing.share(item)

        number = 0
        for chunk in found:
            try:
                for document in documents(chunk, take):
                    number += 1
                    meter.count()
                    yield from _objects(file, number, chunk, document)
            except DocumentFaultError as error:
                number += 1
                yield Fault(error.message, file, number, error.line)


class Siblings:
    """`strict`, which looks at objects that differ by their name alone only once.

    A name is right for it whatever it says.
    """

    def __init__(self) -> None:
        self._right: set[bytes] = set()

    def __call__(self, obj: Any) -> Iterable[Finding]:
        """Return what is wrong with an object."""
        content = nameless(obj) if is_of_many(obj) else None
        if content is not None and content in self._right:
            return ()
        found = strict(obj)
        if content is not None and not found:
            if len(self._right) >= _MOST_ALIKE:
                self._right.clear()
            self._right.add(content)
        return found


def _objects(
    file: str, number: int, chunk: Chunk, document: Document
) -> Iterator[Manifest | Fault]:
    """Yield the object of a document, or the items of a list, and what stands there twice."""
    value = document.value
    whole = Manifest(value, file, number, document.line, chunk, document.nth)
    for finding in document.twice:
        yield whole.fault(str(finding), finding.path)
    if value is None:
        return
    if not _is_list(value):
        yield whole
        return
    for index, item in enumerate(value["items"] or ()):
        path = ("items", index)
        yield Manifest(_typed(item, value), file, number, whole.line, chunk, document.nth, path)


def _is_list(value: Any) -> bool:
    """Return whether a value is a list of objects: ``List``, ``PodList``, …."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("kind"), str)
        and value["kind"].endswith("List")
        and isinstance(value.get("items"), list | None)
        and "items" in value
    )


def _typed(item: Any, parent: Mapping[str, Any]) -> Any:
    """Return a list's item with the kind that a typed list leaves out."""
    kind = parent["kind"].removesuffix("List")
    if not kind or not isinstance(item, dict) or item.get("kind"):
        return item
    return {"apiVersion": parent.get("apiVersion"), "kind": kind, **item}


def _judged(found: Manifest | Fault, judge: Judge) -> Iterator[Manifest | Fault]:
    if isinstance(found, Manifest):
        faults = [found.fault(str(finding), finding.path) for finding in judge(found.object)]
        yield from sorted(faults, key=lambda fault: fault.line)
    yield found
