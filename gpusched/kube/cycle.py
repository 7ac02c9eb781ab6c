"""One scheduling attempt: a pure function of the snapshot, the pod and the rotating start index.

Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go, v1.36.1 (schedulingCycle,
findNodesThatFitPod, prioritizeNodes, selectHost), at ``parallelism: 1``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.interface import PostFilterResult
from gpusched.kube.framework.outcomes import (
    FilterOutcome,
    PreFilterOutcome,
    Scores,
    error_text,
)
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Status, unresolvable

MIN_FEASIBLE_NODES = 100
MIN_PERCENTAGE = 5
NO_NODES = "no nodes available to schedule pods"

TieBreak: TypeAlias = Callable[[Snapshot, Ints, Ints], int]
"""(snapshot, feasible rows in the order found, positions of the best in them) -> a row."""

Filter: TypeAlias = Callable[[CycleState, PodInfo, Nodes, Mask], FilterOutcome]
"""Runs all Filter plugins over some of the nodes, as `Framework.filter` does."""


class Result(Enum):
    """How an attempt ended."""

    SCHEDULED = "scheduled"
    UNSCHEDULABLE = "unschedulable"
    ERROR = "error"


@dataclass(slots=True, eq=False)
class Attempt:
    """Everything that one attempt found out.

    Attributes:
        result: How it ended.
        diagnosis: Every node's status.
        next_start: The rotating start index for the next attempt.
        evaluated: How many nodes have passed or have a status of their own.
        feasible: Rows that passed, in the order found; shape (K,).
        scores: Their scores; None with fewer than two of them.
        tied: Returns `ties`; few ever ask.
        row: The chosen row; -1 if none.
        error: The text of an error.
        post_filter: What PostFilter found, where it ran.
        state: The cycle state, for Reserve and PreBind.
    """

    result: Result
    diagnosis: Diagnosis
    next_start: int
    evaluated: int = 0
    feasible: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: Scores | None = None
    tied: Callable[[], Ints] = lambda: np.zeros(0, np.int64)
    row: int = -1
    error: str = ""
    post_filter: PostFilterResult | None = None
    state: CycleState = field(default_factory=CycleState)

    @property
    def ties(self) -> Ints:
        """Return the rows with the best total, in the order found."""
        return self.tied()

    @property
    def message(self) -> str:
        """Return what the event and the condition say of a failed attempt."""
        return self.error or self.diagnosis.message()


class Search(NamedTuple):
    """How much of the cluster an attempt looks at, from where, and who wins among equals.

    Attributes:
        start: The rotating start index.
        percentage: ``percentageOfNodesToScore``; 0 for the adaptive default.
        tie_break: Who wins among equals.
    """

    start: int
    percentage: int
    tie_break: TieBreak


@lru_cache(maxsize=64)
def feasible_wanted(count: int, percentage: int) -> int:
    """Return how many feasible nodes are looked for among ``count`` nodes.

    Source: schedule_one.go (numFeasibleNodesToFind).

    >>> [feasible_wanted(n, 0) for n in (99, 100, 500, 1000, 5000, 6000)]
    [99, 100, 230, 420, 500, 300]
    """
    if count < MIN_FEASIBLE_NODES:
        return count
    percentage = percentage or max(MIN_PERCENTAGE, 50 - count // 125)
    return max(MIN_FEASIBLE_NODES, count * percentage // 100)


def heap_tie_break(_snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
    """Return the winner as upstream's heap gives it: the first of ``best`` in pre-order.

    The candidates are heapified by total score alone, so among equals the first in a pre-order
    walk of the implicit binary tree comes out on top.

    Source: schedule_one.go (selectHost, nodeScoreHeap); specification, section 6.5.
    """
    if len(best) == 1:
        return int(feasible[best[0]])
    number = best + 1
    depth = np.frexp(number.astype(np.float64))[1].astype(np.int64) - 1
    deepest = int(depth.max())
    path = (number - (np.int64(1) << depth)) << (deepest - depth)
    return int(feasible[best[np.lexsort((depth, path))[0]]])


def name_tie_break(snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
    """Return the best node whose name sorts first."""
    rows: list[int] = feasible[best].tolist()
    return min(rows, key=lambda row: snapshot.nodes.info(row).name.encode())


def schedule(
    framework: Framework,
    snapshot: Snapshot,
    pod: PodInfo,
    search: Search,
    sieve: Filter | None = None,
) -> Attempt:
    """Return what the scheduler decides for ``pod``; nothing is changed.

    Args:
        framework: The pod's profile.
        snapshot: The cluster.
        pod: The pod.
        search: How much of the cluster to look at.
        sieve: Who runs Filter; the framework itself unless somebody knows the answers.
    """
    attempt = Attempt(Result.ERROR, Diagnosis(snapshot.order), search.start)
    _Cycle(framework, snapshot, pod, search, attempt, sieve or framework.filter).run()
    return attempt


@dataclass(frozen=True, slots=True)
class _Cycle:
    """The steps of one attempt; each fills in a part of ``attempt``."""

    framework: Framework
    snapshot: Snapshot
    pod: PodInfo
    search: Search
    attempt: Attempt
    sieve: Filter

    def run(self) -> None:
        """Go through the steps until the attempt has a result."""
        attempt = self.attempt
        if not len(self.snapshot.nodes):
            attempt.result, attempt.error = Result.UNSCHEDULABLE, NO_NODES
            return
        prepared = self.framework.pre_filter(attempt.state, self.pod, self.snapshot)
        if not prepared.status.is_success:
            self._end_before_filter(prepared.status)
            return
        if not self._nominated_node_fits():
            self._find_feasible(prepared)
        if attempt.error:
            return
        if len(attempt.feasible):
            self._choose()
        else:
            self._make_room()

    def _end_before_filter(self, status: Status) -> None:
        """PreFilter turned the whole pod away, or failed."""
        if not status.is_rejected:
            self.attempt.error = status.message
            return
        diagnosis = self.attempt.diagnosis
        diagnosis.absent = status
        diagnosis.pre_filter = status.message
        diagnosis.blame(status.plugin, status.code)
        self._make_room()

    def _nominated_node_fits(self) -> bool:
        """Look at the nominated node first; if it fits it is the only feasible one.

        PreFilter's restriction does not apply here, and an error is only logged upstream.
        """
        name = self.pod.nominated_node
        row = self.snapshot.nodes.row_of(name) if name else None
        if row is None:
            return False
        outcome = self._filter(np.array([row], np.int64))
        if outcome.passed[row]:
            self.attempt.feasible = np.array([row], np.int64)
            self.attempt.evaluated = 1
            return True
        if not outcome.has_errors:
            self.attempt.diagnosis.record(outcome.rejections)
        return False

    def _filter(self, rows: Ints) -> FilterOutcome:
        nodes = self.snapshot.nodes
        return self.sieve(self.attempt.state, self.pod, nodes, _mask(len(nodes), rows))

    def _find_feasible(self, prepared: PreFilterOutcome) -> None:
        """Filter in rotated order until enough is found.

        All rows are filtered at once and the result is cut down to what a sequential search
        would have looked at.
        """
        attempt, count = self.attempt, len(self.snapshot.nodes)
        listed = self._listed(prepared)
        outcome = self._filter(listed)
        rotated = _rotated(listed, self.search.start)
        found = np.flatnonzero(outcome.passed[rotated])
        wanted = self._wanted(len(listed))
        end = int(found[wanted]) if len(found) > wanted else len(listed)
        if outcome.has_errors and (failed := _first_error(outcome, rotated[:end])) is not None:
            end, attempt.error = failed
        looked_at = _mask(count, rotated[:end])
        attempt.diagnosis.forget(looked_at)
        attempt.diagnosis.record(outcome.within(looked_at))
        feasible = rotated[found[found < end]]
        statuses = int(np.count_nonzero(attempt.diagnosis.explicit()))
        attempt.evaluated = len(feasible) + statuses
        attempt.next_start = (self.search.start + attempt.evaluated) % count
        if not attempt.error:
            attempt.feasible = feasible

    def _listed(self, prepared: PreFilterOutcome) -> Ints:
        """Return the rows to look at; the others get the status of absent nodes.

        Its text names whoever has rejected anything so far: a nominated node that has just
        failed adds its plugin.
        """
        order, nodes = self.snapshot.order, self.snapshot.nodes
        if prepared.node_names is None:
            return order
        diagnosis = self.attempt.diagnosis
        diagnosis.unschedulable_plugins.update(prepared.narrowing)
        plugins = " ".join(sorted(diagnosis.unschedulable_plugins))
        diagnosis.absent = unresolvable(f"node(s) didn't satisfy plugin(s) [{plugins}]")
        rows = (nodes.row_of(name) for name in prepared.node_names)
        found = np.array([row for row in rows if row is not None], np.int64)
        listed: Ints = order[_mask(len(nodes), found)[order]]
        return listed

    def _wanted(self, count: int) -> int:
        """Without scores the first node that fits is as good as any."""
        if not self.framework.has_score:
            return 1
        return feasible_wanted(count, self.search.percentage)

    def _make_room(self) -> None:
        """No node fits: ask PostFilter."""
        attempt = self.attempt
        attempt.result = Result.UNSCHEDULABLE
        if self.framework.has_post_filter:
            attempt.post_filter = self.framework.post_filter(
                attempt.state, self.pod, self.snapshot, attempt.diagnosis
            )
            attempt.diagnosis.post_filter = attempt.post_filter.status.message

    def _choose(self) -> None:
        """Score what fits and take the best; a single node is taken unscored."""
        attempt, best = self.attempt, np.zeros(1, np.int64)
        feasible = attempt.feasible
        if len(feasible) > 1:
            scores = self.framework.scores(attempt.state, self.pod, self.snapshot, feasible)
            if isinstance(scores, Status):
                attempt.error = scores.message
                return
            attempt.scores = scores
            best = np.flatnonzero(scores.totals == scores.totals.max())
        attempt.result = Result.SCHEDULED
        attempt.tied = lambda: feasible[best]
        attempt.row = int(feasible[best[0]])
        if len(best) > 1:
            attempt.row = self.search.tie_break(self.snapshot, feasible, best)


def _mask(count: int, rows: Ints) -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def _rotated(rows: Ints, start: int) -> Ints:
    at = start % len(rows) if len(rows) else 0
    return np.concatenate((rows[at:], rows[:at])) if at else rows


def _first_error(outcome: FilterOutcome, looked_at: Ints) -> tuple[int, str] | None:
    """Return the position of the first node that fails with an error, and the error's text."""
    first: tuple[int, str] | None = None
    for plugin, rejection in outcome.rejections:
        if rejection.code is not Code.ERROR:
            continue
        hit = np.flatnonzero(rejection.nodes[looked_at])
        if hit.size and (first is None or hit[0] < first[0]):
            first = int(hit[0]), error_text(plugin, rejection.reason)
    return first
