"""One scheduling attempt: a pure function of the snapshot, the pod and the rotating start index.

Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go, v1.36.1 (schedulingCycle,
findNodesThatFitPod, prioritizeNodes, selectHost), at ``parallelism: 1``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask
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
from gpusched.kube.framework.status import Code, Rejection, Status, unresolvable

MIN_FEASIBLE_NODES = 100
MIN_PERCENTAGE = 5
NO_NODES = "no nodes available to schedule pods"

TieBreak: TypeAlias = Callable[[Snapshot, Ints, Ints], int]
"""(snapshot, feasible rows in the order found, positions of the best in them) -> a row."""


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
        feasible: Rows that passed, in the order found; shape (K,).
        scores: Their scores; None with fewer than two of them.
        ties: Rows with the best total, in the order found.
        row: The chosen row; -1 if none.
        error: The text of an error.
        post_filter: What PostFilter found, where it ran.
        state: The cycle state, for Reserve and PreBind.
    """

    result: Result
    diagnosis: Diagnosis
    next_start: int
    feasible: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: Scores | None = None
    ties: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    row: int = -1
    error: str = ""
    post_filter: PostFilterResult | None = None
    state: CycleState = field(default_factory=CycleState)

    @property
    def message(self) -> str:
        """Return what the event and the condition say of a failed attempt."""
        return self.error or self.diagnosis.message()


@dataclass(frozen=True, slots=True)
class Search:
    """How much of the cluster an attempt looks at, and from where.

    Attributes:
        start: The rotating start index.
        percentage: ``percentageOfNodesToScore``; 0 for the adaptive default.
        tie_break: Who wins among equals.
    """

    start: int
    percentage: int
    tie_break: TieBreak


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


def schedule(framework: Framework, snapshot: Snapshot, pod: PodInfo, search: Search) -> Attempt:
    """Return what the scheduler decides for ``pod``; nothing is changed."""
    state = CycleState()
    diagnosis = Diagnosis(snapshot.order)
    attempt = Attempt(Result.ERROR, diagnosis, search.start, state=state)
    if not len(snapshot.nodes):
        attempt.result, attempt.error = Result.UNSCHEDULABLE, NO_NODES
        return attempt
    prepared = framework.pre_filter(state, pod, snapshot)
    if not prepared.status.is_success:
        return _rejected_before_filter(framework, snapshot, pod, attempt, prepared.status)
    if not _try_nominated_node(framework, snapshot, pod, attempt):
        _find_feasible(framework, snapshot, pod, attempt, (search, prepared))
    if attempt.error:
        return attempt
    if not len(attempt.feasible):
        return _post_filter(framework, snapshot, pod, attempt)
    return _choose(framework, snapshot, pod, attempt, search.tie_break)


def _rejected_before_filter(
    framework: Framework, snapshot: Snapshot, pod: PodInfo, attempt: Attempt, status: Status
) -> Attempt:
    if not status.is_rejected:
        attempt.error = status.message
        return attempt
    diagnosis = attempt.diagnosis
    diagnosis.absent = status
    diagnosis.pre_filter = status.message
    _blame(diagnosis, status.code, status.plugin)
    return _post_filter(framework, snapshot, pod, attempt)


def _blame(diagnosis: Diagnosis, code: Code, plugin: str) -> None:
    if code is Code.PENDING:
        diagnosis.pending_plugins.add(plugin)
    else:
        diagnosis.unschedulable_plugins.add(plugin)


def _try_nominated_node(
    framework: Framework, snapshot: Snapshot, pod: PodInfo, attempt: Attempt
) -> bool:
    """Look at the nominated node first; if it fits it is the only feasible one.

    PreFilter's restriction does not apply here, and an error is only logged upstream.
    """
    row = _row_of(snapshot, pod.nominated_node)
    if row is None:
        return False
    only = _mask(len(snapshot.nodes), np.array([row], np.int64))
    outcome = framework.filter(attempt.state, pod, snapshot.nodes, only)
    if outcome.passed[row]:
        attempt.feasible = np.array([row], np.int64)
        return True
    if not outcome.has_errors:
        _record(attempt.diagnosis, outcome.rejections)
    return False


def _row_of(snapshot: Snapshot, name: str) -> int | None:
    return snapshot.nodes.row_of(name) if name else None


def _record(diagnosis: Diagnosis, rejections: list[tuple[str, Rejection]]) -> None:
    diagnosis.rejections.extend(rejections)
    for plugin, rejection in rejections:
        _blame(diagnosis, rejection.code, plugin)


def _find_feasible(
    framework: Framework,
    snapshot: Snapshot,
    pod: PodInfo,
    attempt: Attempt,
    how: tuple[Search, PreFilterOutcome],
) -> None:
    """Filter in rotated order until enough is found; fills in the attempt.

    All rows are filtered at once and the result is cut down to what a sequential search
    would have looked at.
    """
    search, prepared = how
    diagnosis, nodes = attempt.diagnosis, snapshot.nodes
    listed = _listed(snapshot, prepared, diagnosis)
    outcome = framework.filter(attempt.state, pod, nodes, _mask(len(nodes), listed))
    rotated = _rotated(listed, search.start)
    wanted = feasible_wanted(len(listed), search.percentage) if framework.has_score else 1
    found = np.flatnonzero(outcome.passed[rotated])
    end = int(found[wanted]) if len(found) > wanted else len(listed)
    if outcome.has_errors and (failed := _first_error(outcome, rotated[:end])) is not None:
        end, attempt.error = failed
    looked_at = _mask(len(nodes), rotated[:end])
    _forget(diagnosis, looked_at)
    _record(diagnosis, outcome.within(looked_at))
    feasible = rotated[found[found < end]]
    statuses = int(np.count_nonzero(diagnosis.explicit()))
    attempt.next_start = (search.start + len(feasible) + statuses) % len(nodes)
    if not attempt.error:
        attempt.feasible = feasible


def _mask(count: int, rows: Ints) -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def _rotated(rows: Ints, start: int) -> Ints:
    at = start % len(rows) if len(rows) else 0
    return np.concatenate((rows[at:], rows[:at])) if at else rows


def _listed(snapshot: Snapshot, prepared: PreFilterOutcome, diagnosis: Diagnosis) -> Ints:
    """Return the rows to look at; the others get the status of absent nodes."""
    if prepared.node_names is None:
        return snapshot.order
    diagnosis.unschedulable_plugins.update(prepared.narrowing)
    plugins = " ".join(sorted(diagnosis.unschedulable_plugins))
    diagnosis.absent = unresolvable(f"node(s) didn't satisfy plugin(s) [{plugins}]")
    rows = (_row_of(snapshot, name) for name in prepared.node_names)
    found = np.array([row for row in rows if row is not None], np.int64)
    named = _mask(len(snapshot.nodes), found)
    return snapshot.order[named[snapshot.order]]


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


def _forget(diagnosis: Diagnosis, looked_at: Mask) -> None:
    """A node that is looked at again (the nominated one) gets its new status only."""
    diagnosis.rejections = [
        (plugin, rejection.within(~looked_at)) for plugin, rejection in diagnosis.rejections
    ]


def _post_filter(
    framework: Framework, snapshot: Snapshot, pod: PodInfo, attempt: Attempt
) -> Attempt:
    attempt.result = Result.UNSCHEDULABLE
    if framework.has_post_filter:
        result = framework.post_filter(attempt.state, pod, snapshot, attempt.diagnosis)
        attempt.post_filter = result
        attempt.diagnosis.post_filter = result.status.message
    return attempt


def _choose(
    framework: Framework,
    snapshot: Snapshot,
    pod: PodInfo,
    attempt: Attempt,
    tie_break: TieBreak,
) -> Attempt:
    best = np.zeros(1, np.int64)
    if len(attempt.feasible) == 1:
        attempt.ties = attempt.feasible
    else:
        scores = framework.scores(attempt.state, pod, snapshot, attempt.feasible)
        if isinstance(scores, Status):
            attempt.error = scores.message
            return attempt
        attempt.scores = scores
        best = np.flatnonzero(scores.totals == scores.totals.max())
        attempt.ties = attempt.feasible[best]
    attempt.result = Result.SCHEDULED
    if len(attempt.ties) == 1:
        attempt.row = int(attempt.ties[0])
    else:
        attempt.row = tie_break(snapshot, attempt.feasible, best)
    return attempt
