"""The fast engine: plans per shape, verdicts per node state, failures remembered.

See `docs/decisions/0004-the-fast-engine.md` for why, with figures.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.cycle import (
    Attempt,
    Result,
    Search,
    feasible_wanted,
    heap_tie_break,
    schedule,
)
from gpusched.kube.engine.interface import EngineStatistics
from gpusched.kube.engine.plan import INFEASIBLE, OutsidePlanError, Plan
from gpusched.kube.engine.preorder import first_in_preorder
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.runtime import Framework

_SLACK: Final = 64
_MOST_PLANS: Final = 1024

_Version = tuple[object, ...]
_PlanKey = tuple[str, PodShape]


class FastEngine:
    """Gives the scan's decisions without scanning, where nodes of one state are interchangeable.

    Args:
        cache: The cluster; one engine per cache.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._states = NodeStates(cache.nodes)
        self._plans: dict[_PlanKey, tuple[_Version, Plan | OutsidePlanError]] = {}
        self._failures: dict[_PlanKey, tuple[_Version, Attempt]] = {}
        self.statistics = EngineStatistics()

    def attempt(self, framework: Framework, pod: PodInfo, search: Search) -> Attempt:
        """See `Engine`."""
        snapshot = self._cache.snapshot()
        why = _outside(framework, snapshot, pod)
        if why:
            return self._scan(framework, snapshot, pod, search, why)
        key = (framework.profile.scheduler_name, pod.shape)
        remembered = self._remembered(key, search)
        if remembered is not None:
            return remembered
        try:
            plan = self._plan(key, framework, snapshot, pod)
            found = self._find(plan, snapshot, pod, search)
        except OutsidePlanError as reason:
            return self._scan(framework, snapshot, pod, search, str(reason))
        if found is not None:
            self.statistics.attempts["fast"] += 1
            return found
        failed = self._scan(framework, snapshot, pod, search, "no node fits")
        if plan.failures_last:
            self._remember(key, failed)
        return failed

    # Plans.

    def _version(self, shape: PodShape) -> _Version:
        """Return what a plan hangs on beside the shape and the node states."""
        return (self._cache.nodes.version, *self._cache.plan_version(shape))

    def _plan(self, key: _PlanKey, framework: Framework, snapshot: Snapshot, pod: PodInfo) -> Plan:
        """Return the shape's plan; that it has none is remembered, too."""
        if self._states.refresh():
            self._plans.clear()
        version = self._version(pod.shape)
        known = self._plans.get(key)
        if known is None or known[0] != version:
            known = (version, self._make_plan(framework, snapshot, pod))
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = known
        if isinstance(known[1], OutsidePlanError):
            raise known[1]
        return known[1]

    def _make_plan(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo
    ) -> Plan | OutsidePlanError:
        try:
            plan = Plan(framework, snapshot, pod)
        except OutsidePlanError as reason:
            return reason
        self.statistics.evaluations += len(snapshot.nodes)
        return plan

    # Finding a node.

    def _find(self, plan: Plan, snapshot: Snapshot, pod: PodInfo, search: Search) -> Attempt | None:
        """Return the scan's choice, or None if no node is feasible."""
        count = len(snapshot.nodes)
        start = search.start % count
        wanted = feasible_wanted(count, search.percentage)
        feasible, verdicts, end = self._look(plan, snapshot, pod, (start, wanted))
        if not len(feasible):
            return None
        totals = plan.totals(verdicts, feasible)
        if len(feasible) > 1 and plan.live_scorers:
            totals = totals + plan.live_totals(snapshot, pod, feasible)
        return self._choose(plan, snapshot, search, (feasible, totals), (start + end) % count)

    def _look(
        self, plan: Plan, snapshot: Snapshot, pod: PodInfo, where: tuple[int, int]
    ) -> tuple[Ints, Ints, int]:
        """Look at nodes in rotated order, in growing windows, until enough are feasible.

        Returns:
            The feasible rows, their verdicts, and how many nodes a sequential search had looked at.
        """
        start, wanted = where
        count = len(snapshot.nodes)
        allowed = plan.open_to(snapshot, pod)
        size = min(count, wanted + _SLACK)
        while True:
            rows = _window(snapshot, start, size)
            verdicts = plan.verdicts_of(self._states.ids[rows], rows, snapshot)
            if allowed is not None:
                verdicts = np.where(allowed[rows], verdicts, INFEASIBLE)
            if verdicts.min() > INFEASIBLE:
                if size > wanted or size == count:
                    end = min(wanted, size)
                    return rows[:end], verdicts[:end], end
            else:
                found = np.flatnonzero(verdicts > INFEASIBLE)
                if len(found) > wanted or size == count:
                    end = int(found[wanted]) if len(found) > wanted else size
                    found = found[:wanted]
                    return rows[found], verdicts[found], end
            size = min(count, 4 * size)

    def _choose(
        self,
        plan: Plan,
        snapshot: Snapshot,
        search: Search,
        found: tuple[Ints, Ints],
        next_start: int,
    ) -> Attempt:
        feasible, totals = found
        top = totals.max()
        if search.tie_break is heap_tie_break and totals[0] == top:
            row, best = int(feasible[0]), None
        else:
            best = np.flatnonzero(totals == top)
            if search.tie_break is heap_tie_break:
                row = int(feasible[first_in_preorder(best)])
            else:
                row = _by(search, snapshot, feasible, best)
        ties = feasible[totals == top] if best is None else feasible[best]
        return Attempt(
            Result.SCHEDULED,
            Diagnosis(snapshot.order),
            next_start,
            feasible=feasible,
            ties=ties,
            row=row,
            state=plan.state,
        )

    # Everything else.

    def _remember(self, key: _PlanKey, attempt: Attempt) -> None:
        """Keep why no node fits if preemption found nothing to do."""
        result = attempt.post_filter
        if attempt.result is Result.UNSCHEDULABLE and not (result and result.candidates):
            attempt.diagnosis.remember()
            self._failures[key] = (self._failure_version(key[1]), attempt)

    def _failure_version(self, shape: PodShape) -> _Version:
        return (
            self._cache.nodes.generation,
            self._cache.objects.disruption_budgets.version,
            *self._version(shape),
        )

    def _remembered(self, key: _PlanKey, search: Search) -> Attempt | None:
        known = self._failures.get(key)
        if known is None:
            return None
        if known[0] != self._failure_version(key[1]):
            del self._failures[key]
            return None
        self.statistics.attempts["remembered"] += 1
        start = search.start % len(self._cache.nodes)
        attempt = known[1]
        return attempt if attempt.next_start == start else replace(attempt, next_start=start)

    def _scan(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo, search: Search, why: str
    ) -> Attempt:
        self.statistics.attempts["scan"] += 1
        self.statistics.fallbacks[why] += 1
        self.statistics.evaluations += len(snapshot.nodes)
        return schedule(framework, snapshot, pod, search)


def _outside(framework: Framework, snapshot: Snapshot, pod: PodInfo) -> str:
    """Return why an attempt is one for the scan from the outset, or an empty string."""
    if not len(snapshot.nodes):
        return "no nodes"
    if not framework.has_score:
        return "no score plugins"
    if pod.nominated_node or not framework.nominator.is_empty:
        return "nominated pods"
    return ""


def _by(search: Search, snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
    return int(feasible[best[0]]) if len(best) == 1 else search.tie_break(snapshot, feasible, best)


def _window(snapshot: Snapshot, start: int, size: int) -> Ints:
    """Return the first ``size`` rows in rotated order."""
    order = snapshot.order
    end = start + size
    if end <= len(order):
        return order[start:end]
    return np.concatenate([order[start:], order[: end - len(order)]])
