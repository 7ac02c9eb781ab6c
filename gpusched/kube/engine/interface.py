"""What an engine is, and the reference one."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Attempt, Search, schedule
from gpusched.kube.framework.runtime import Framework


@dataclass(slots=True)
class EngineStatistics:
    """How attempts were answered.

    Attributes:
        attempts: Attempts by path: ``scan``, ``fast``, ``remembered`` (the same failure again).
        fallbacks: Why a fast engine had to scan, by reason.
        evaluations: How often a plugin was asked about a node or a node state.
    """

    attempts: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    evaluations: int = 0


class Engine(Protocol):
    """Decides attempts on one cache."""

    @property
    def statistics(self) -> EngineStatistics:
        """Return how attempts were answered so far."""
        ...

    def attempt(self, framework: Framework, pod: PodInfo, search: Search) -> Attempt:
        """Return what the scheduler decides for ``pod`` now; nothing is changed."""
        ...


class ScanEngine:
    """The reference: every attempt filters and scores whole columns."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.statistics = EngineStatistics()

    def attempt(self, framework: Framework, pod: PodInfo, search: Search) -> Attempt:
        """See `Engine`."""
        snapshot = self._cache.snapshot()
        self.statistics.attempts["scan"] += 1
        self.statistics.evaluations += len(snapshot.nodes)
        return schedule(framework, snapshot, pod, search)
