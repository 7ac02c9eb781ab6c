"""Listens where the scheduler logs its moves and keeps them as columns: thirty bytes a move."""

from array import array
from collections.abc import Sized
from typing import Final

from typing_extensions import override

from gpusched.run.moves import ATTEMPT, PLACES, Moves
from gpusched.sim.scheduler.metrics import SchedulerLog

_CODES: Final = {place: code for code, place in enumerate(PLACES)}


class MoveLog(SchedulerLog):
    """A scheduler's log that keeps only where pods went.

    Args:
        journal: Whose rows are counted.
    """

    __slots__ = ("_at", "_event", "_events", "_journal", "_numbers", "_place", "_pod", "_row")

    def __init__(self, journal: Sized) -> None:
        super().__init__()
        self._journal = journal
        self._at = array("q")
        self._pod = array("l")
        self._place = array("b")
        self._row = array("q")
        self._event = array("b")
        self._numbers: dict[str, int] = {}
        self._events: dict[str, int] = {}

    @property
    @override
    def follows(self) -> bool:
        """See `SchedulerLog`; everything else is known from the journal."""
        return True

    @override
    def tried(self, at: int, pod: str) -> None:
        """Keep the start of an attempt."""
        self._keep(at, pod, ATTEMPT, -1)

    @override
    def moved(self, at: int, pod: str, event: str, queue: str, hint: int | None) -> None:
        """Keep a move."""
        number = self._events.setdefault(event, len(self._events))
        self._keep(at, pod, _CODES[queue], number)

    def _keep(self, at: int, pod: str, place: int, event: int) -> None:
        self._event.append(event)
        self._row.append(len(self._journal))
        self._at.append(at)
        self._pod.append(self._numbers.setdefault(pod, len(self._numbers)))
        self._place.append(place)

    def moves(self) -> Moves:
        """Return what was kept."""
        pods, events = tuple(self._numbers), tuple(self._events)
        return Moves(self._at, self._pod, self._place, pods, self._row, self._event, events)
