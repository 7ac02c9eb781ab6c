"""A pod's way through the scheduler's queue: attempts, where it waited, what woke it."""

from dataclasses import dataclass

from gpusched.explain.explanation import QueueMove
from gpusched.run.moves import ATTEMPT, PLACES, Moves
from gpusched.sim.calendar import SECOND


@dataclass(frozen=True, slots=True)
class AttemptMark:
    """When an attempt was made.

    Attributes:
        at: Microseconds since t = 0.
        row: How many rows the journal had.
    """

    at: int
    row: int


def attempts_of(moves: Moves, pod: str, until: int) -> list[AttemptMark]:
    """Return the attempts of a pod (``namespace/name``) until an instant, in order."""
    return [
        AttemptMark(at, row) for at, place, row, _ in _of(moves, pod, until) if place == ATTEMPT
    ]


def queue_story(moves: Moves, pod: str, until: int) -> tuple[QueueMove, ...]:
    """Return a pod's way through the queue until an instant.

    The log tells some moves twice, as upstream's does; here they are told once.
    """
    found: list[QueueMove] = []
    number = 0
    for at, place, _, event in _of(moves, pod, until):
        if place == ATTEMPT:
            number += 1
            move = QueueMove(at / SECOND, "attempt", str(number))
        else:
            move = QueueMove(at / SECOND, event, PLACES[place])
        if not found or found[-1] != move:
            found.append(move)
    return tuple(found)


def _of(moves: Moves, pod: str, until: int) -> list[tuple[int, int, int, str]]:
    """Return (time, place, row, event) of a pod's moves."""
    if pod not in moves.pods or not len(moves.row):
        return []
    wanted = moves.pods.index(pod)
    columns = zip(moves.at, moves.pod, moves.place, moves.row, moves.event, strict=True)
    return [
        (at, place, row, moves.events[event] if event >= 0 else "")
        for at, number, place, row, event in columns
        if number == wanted and at <= until
    ]
