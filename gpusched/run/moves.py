"""Where each waiting pod was in the scheduler's queue, over time, as compact columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PLACES: Final = ("active", "backoff", "unschedulable")
ATTEMPT: Final = len(PLACES)
"""The code of a pod that was taken from the queue and is being tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Moves between parts of the queue, in order of time; columns of shape (M,).

    Attributes:
        at: Microseconds since t = 0.
        pod: Index into ``pods``.
        place: Index into `PLACES`, or `ATTEMPT`.
        pods: ``namespace/name`` of each pod, in order of first appearance.
        row: How many rows the journal had.
        event: Index into ``events``: what moved the pod; -1 for an attempt.
        events: Upstream's labels of events, in order of first appearance.
    """

    at: Sequence[int]
    pod: Sequence[int]
    place: Sequence[int]
    pods: Sequence[str]
    row: Sequence[int] = ()
    event: Sequence[int] = ()
    events: Sequence[str] = ()

    def to_json(self) -> Mapping[str, Any]:
        """Return what a saved run holds of it."""
        return {name: list(getattr(self, name)) for name in self.__slots__}


NO_MOVES: Final = Moves((), (), (), ())
"""What is known of a run that was recorded from a cluster."""
