"""Both engines at once: stops at the first difference."""

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.errors import InvariantError
from gpusched.kube.cycle import Attempt, Search
from gpusched.kube.engine.fast import FastEngine
from gpusched.kube.engine.interface import EngineStatistics, ScanEngine
from gpusched.kube.framework.runtime import Framework


class EngineDifferenceError(InvariantError):
    """The engines disagree; the message names the pod, the field and both answers."""


class VerifyEngine:
    """Asks the fast engine, checks its answer against the scan's and gives the latter.

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
        fast = self._fast.attempt(framework, pod, search)
        scan = self._scan.attempt(framework, pod, search)
        for what, given, wanted in zip(_FIELDS, self._facts(fast), self._facts(scan), strict=True):
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
)
