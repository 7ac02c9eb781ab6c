"""Everything that happened, as append-only columns.

Enough to replay to the same state and to look at any moment.

One row is one write: when, what, to which object, and one argument. Rows about pods hold no
manifest: the argument of a
`Step` and the pod's state before it give the state after it, by the same pure function that made it
first. Nor do rows about the scheduler's events hold an event: it is made when somebody looks.
"""

import hashlib
import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from gpusched.sim.event_log import EventRecord, Wording
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.sightings import Sightings

Ints = npt.NDArray[np.int64]


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


(
    POD_CREATED,
    POD_STEP,
    POD_REPLACED,
    POD_DELETED,
    OBJECT_WRITTEN,
    OBJECT_DELETED,
    EVENT_WRITTEN,
    NOTE,
) = What
"""The same for those who ask for each row: Python 3.11 is slow to find an enumeration's members."""

_SIGHTED: Final = 8
"""The column of what happened holds a scheduler's new event as this."""
_STEP: Final = 16
"""The column of what happened holds a step as this and its number."""
_KINDS: Final = tuple(What)


class Row(NamedTuple):
    """One row.

    Attributes:
        at: Microseconds since t = 0.
        what: What happened.
        subject: Serial number of the object.
        version: The resourceVersion that the write was given: one more than the row before.
        detail: What else there is to say; its form depends on ``what``.
    """

    at: int
    what: What
    subject: int
    version: int
    detail: Any


_row = tuple.__new__
"""Makes a `Row` in a third of the time of the class's own way."""


class Journal(Sequence[Row]):
    """The columns; as a sequence, its rows, each made when it is asked for."""

    def __init__(self) -> None:
        self._at = array("q")
        self._what = array("b")
        self._subject = array("I")
        self._detail: list[Any] = []
        self._sightings = Sightings()
        self._template_from = array("q")
        self._templates: list[PodTemplate] = []

    def __len__(self) -> int:
        return len(self._detail)

    def append(self, at: int, what: What, subject: int, detail: Any) -> None:
        """Add one row; rows come in order of time."""
        self._at.append(at)
        self._what.append(what)
        self._subject.append(subject)
        self._detail.append(detail)

    def append_pod(self, at: int, serial: int, template: PodTemplate, name: str) -> None:
        """Add the row of a pod's creation; pods of one template that come in a row share it."""
        if not self._templates or self._templates[-1] is not template:
            self._template_from.append(len(self._detail))
            self._templates.append(template)
        self.append(at, POD_CREATED, serial, name)

    def append_step(self, at: int, number: int, subject: int, argument: Any) -> None:
        """Add the row of a pod's step."""
        self._at.append(at)
        self._what.append(_STEP + number)
        self._subject.append(subject)
        self._detail.append(argument)

    def append_sighting(self, at: int, number: int, wording: Wording, pod: Pod, note: str) -> None:
        """Add the row of a scheduler's new event; see `Sightings`."""
        self._at.append(at)
        self._what.append(_SIGHTED)
        self._subject.append(number)
        self._detail.append(pod.name)
        self._sightings.add(number, wording, pod, note)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(each) for each in range(*index.indices(len(self)))]
        return self._row(index if index >= 0 else range(len(self))[index])

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Yield the rows from index ``start`` on."""
        return map(self._row, range(start, len(self)))

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the times, kinds, subjects and versions of all rows; each of shape (rows,)."""
        what = np.array(self._what, np.int64)
        what[what >= _STEP] = POD_STEP
        what[what == _SIGHTED] = EVENT_WRITTEN
        version = np.arange(1, len(self) + 1, dtype=np.int64)
        return np.array(self._at, np.int64), what, np.array(self._subject, np.int64), version

    def written_at(self, index: int) -> int:
        """Return when a row was written."""
        return self._at[index]

    def _row(self, index: int) -> Row:
        at, what, detail = self._at[index], self._what[index], self._detail[index]
        if what >= _STEP:
            what, detail = POD_STEP, (what - _STEP, detail)
        elif what == POD_CREATED:
            detail = (self._templates[bisect_right(self._template_from, index) - 1], detail)
        elif what == _SIGHTED:
            seen = self._sightings.find(self._subject[index], detail)
            what, detail = EVENT_WRITTEN, seen.record(at, index + 1)
        return _row(Row, (at, _KINDS[what], self._subject[index], index + 1, detail))

    def event(self, index: int) -> EventRecord:
        """Return the event that a row has written."""
        record: EventRecord = self._row(index).detail
        return record

    def digest(self) -> str:
        """Return a hash of everything in it: equal runs have equal digests."""
        state = hashlib.sha256()
        at, what, subject, version = self.columns()
        for column in (at, what.astype(np.int8), subject, version):
            state.update(column.tobytes())
        for row in self.rows():
            state.update(written(row.detail).encode())
        return state.hexdigest()


def written(detail: Any) -> str:
    """Return a row's detail as text: what two journals are compared by."""
    return json.dumps(detail, default=_plain, sort_keys=True)


def columns_of(rows: Sequence[Row]) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the times, kinds, subjects and versions of rows, whoever keeps them."""
    if isinstance(rows, Journal):
        return rows.columns()
    at, what, subject, version = np.array([row[:-1] for row in rows], np.int64).reshape(-1, 4).T
    return at, what, subject, version


def _plain(value: Any) -> Any:
    return value.journal_form()
