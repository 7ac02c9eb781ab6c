"""Where each waiting pod was in the scheduler's queue, over time, as compact columns.

Listens where the scheduler logs its moves; what is kept is twenty bytes a move, not the log.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from gpusched.sim.scheduler.metrics import SchedulerLog

PLACES: Final = ("active", "backoff", "unschedulable")
ATTEMPT: Final = len(PLACES)
"""The code of a pod that was taken from the queue and is being tried."""
_CODES: Final = {place.capitalize(): code for code, place in enumerate(PLACES)}


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Moves between parts of the queue, in order of time; columns of shape (M,).

    Attributes:
        at: Microseconds since t = 0.
        pod: Index into ``pods``.
        place: Index into `PLACES`, or `ATTEMPT`.
        pods: ``namespace/name`` of each pod, in order of first appearance.
    """

    at: Sequence[int]
    pod: Sequence[int]
    place: Sequence[int]
    pods: Sequence[str]

    def to_json(self) -> Mapping[str, Any]:
        """Return what a saved run holds of it."""
        columns = {name: list(getattr(self, name)) for name in ("at", "pod", "place")}
        return {**columns, "pods": list(self.pods)}


NO_MOVES: Final = Moves((), (), (), ())
"""What is known of a run that was recorded from a cluster."""


class MoveLog(SchedulerLog):
    """A scheduler's log that keeps only where pods went."""

    __slots__ = ("_at", "_numbers", "_place", "_pod")

    def __init__(self) -> None:
        super().__init__(enabled=True)
        self._at = array("q")
        self._pod = array("l")
        self._place = array("b")
        self._numbers: dict[str, int] = {}

    @override
    def add(self, at: int, what: str, **fields: Any) -> None:
        """Keep a move or the start of an attempt; everything else is known from the journal."""
        if what == "attempt":
            self._keep(at, fields["pod"], ATTEMPT)
        elif what == "queue":
            self._keep(at, fields["pod"], _CODES[fields["queue"]])

    def _keep(self, at: int, pod: str, place: int) -> None:
        self._at.append(at)
        self._pod.append(self._numbers.setdefault(pod, len(self._numbers)))
        self._place.append(place)

    def moves(self) -> Moves:
        """Return what was kept."""
        return Moves(self._at, self._pod, self._place, tuple(self._numbers))
