"""Everything that happened, as append-only columns.

Enough to replay to the same state and to look at any moment.

One row is one write: when, what, to which object, and one argument. Rows about pods hold no
manifest: the argument of a
`Step` and the pod's state before it give the state after it, by the same pure function that made it
first.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple


class What(IntEnum):
    """What a row records."""

    POD_CREATED = 0
    POD_STEP = 1
    POD_REPLACED = 2
    POD_DELETED = 3
    OBJECT_WRITTEN = 4
    OBJECT_DELETED = 5
    EVENT_WRITTEN = 6
    NOTE = 7


class Row(NamedTuple):
    """One row.

    Attributes:
        at: Microseconds since t = 0.
        what: What happened.
        subject: Serial number of the object.
        version: The resourceVersion that the write was given.
        detail: What else there is to say; its form depends on ``what``.
    """

    at: int
    what: What
    subject: int
    version: int
    detail: Any


class Journal:
    """The columns."""

    def __init__(self) -> None:
        self._at = array("q")
        self._what = array("b")
        self._subject = array("q")
        self._version = array("q")
        self._detail: list[Any] = []

    def __len__(self) -> int:
        return len(self._detail)

    def append(self, at: int, what: What, subject: int, version: int, detail: Any) -> None:
        """Add one row; rows come in order of time."""
        self._at.append(at)
        self._what.append(what)
        self._subject.append(subject)
        self._version.append(version)
        self._detail.append(detail)

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Yield the rows from index ``start`` on."""
        for index in range(start, len(self)):
            yield Row(
                self._at[index],
                What(self._what[index]),
                self._subject[index],
                self._version[index],
                self._detail[index],
            )

    def digest(self) -> str:
        """Return a hash of everything in it: equal runs have equal digests."""
        state = hashlib.sha256()
        for column in (self._at, self._what, self._subject, self._version):
            state.update(column.tobytes())
        for detail in self._detail:
            state.update(json.dumps(detail, default=_plain, sort_keys=True).encode())
        return state.hexdigest()


def _plain(value: Any) -> Any:
    return value.journal_form()
