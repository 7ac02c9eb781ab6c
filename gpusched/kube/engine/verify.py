"""Both engines at once: stops at the first difference."""

from collections.abc import Callable, Sequence

from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.errors import InvariantError
from gpusched.kube.cycle import Attempt, Search, TieBreak, heap_tie_break
from gpusched.kube.engine.fast import FastEngine
from gpusched.kube.engine.interface import EngineStatistics, ScanEngine
from gpusched.kube.framework.runtime import Framework


class EngineDifferenceError(InvariantError):
    """The engines disagree; the message names the pod, the field and both answers."""


class _Numbers:
    """Random numbers that are drawn for the first who asks; whoever asks again gets them again.

    Args:
        draw: ``draw(n)`` gives a number in [0, n).

    Attributes:
        bounds: The bounds of what was asked for since the beginning.
    """

    def __init__(self, draw: Callable[[int], int]) -> None:
        self._draw = draw
        self._drawn: list[int] = []
        self.bounds: list[int] = []

    def __call__(self, bound: int) -> int:
        if len(self.bounds) == len(self._drawn):
            self._drawn.append(self._draw(bound))
        self.bounds.append(bound)
        return self._drawn[len(self.bounds) - 1] % bound

    def begin_again(self) -> Sequence[int]:
        """Return the bounds so far, and begin anew with the first number."""
        asked, self.bounds = self.bounds, []
        return asked


class _Ties:
    """Breaks each tie once; whoever brings the same tie again gets the same winner."""

    def __init__(self, tie_break: TieBreak) -> None:
        self._tie_break = tie_break
        self._winners: dict[bytes, int] = {}

    def __call__(self, snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
        tied = feasible[best].tobytes()
        if tied not in self._winners:
            self._winners[tied] = self._tie_break(snapshot, feasible, best)
        return self._winners[tied]


class VerifyEngine:
    """Asks the fast engine, checks its answer against the scan's and gives the latter.

    What is drawn at random is drawn once, for both: a run goes as it would with either engine.

    Args:
        cache: The cluster.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._fast = FastEngine(cache)
        self._scan = ScanEngine(cache)

    @property
    def statistics(self) -> EngineStatistics:
        """Return the fast engine's figures."""
        return self._fast.statistics

    def attempt(self, framework: Framework, pod: PodInfo, search: Search) -> Attempt:
        """See `Engine`.

        Raises:
            EngineDifferenceError: The answers differ.
        """
        if search.tie_break is not heap_tie_break:
            search = search._replace(tie_break=_Ties(search.tie_break))
        numbers = _Numbers(framework.lots)
        with framework.drawing(numbers):
            fast = self._fast.attempt(framework, pod, search)
            drawn = numbers.begin_again()
            scan = self._scan.attempt(framework, pod, search)
        facts = (*self._facts(fast), drawn), (*self._facts(scan), numbers.bounds)
        for what, given, wanted in zip(_FIELDS, *facts, strict=True):
            if given != wanted:
                raise EngineDifferenceError(
                    f"pod {pod.key}: the fast engine says {what} {given!r}, the scan {wanted!r}"
                )
        return scan

    def _facts(self, attempt: Attempt) -> tuple[object, ...]:
        nodes = self._cache.nodes
        node = nodes.info(attempt.row).name if attempt.row >= 0 else ""
        failed = attempt.row < 0
        diagnosis = attempt.diagnosis
        return (
            attempt.result,
            node,
            attempt.next_start,
            attempt.evaluated,
            attempt.feasible.tolist(),
            sorted(attempt.ties.tolist()),
            attempt.message if failed else "",
            sorted(diagnosis.unschedulable_plugins) if failed else [],
            sorted(diagnosis.pending_plugins) if failed else [],
        )


_FIELDS = (
    "result",
    "node",
    "next start index",
    "number of nodes looked at",
    "feasible rows",
    "ties",
    "message",
    "rejecting plugins",
    "pending plugins",
    "bounds of random numbers",
)
