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
            found = self._find(self._plan(key, framework, snapshot, pod), snapshot, search)
        except OutsidePlanError as reason:
            return self._scan(framework, snapshot, pod, search, str(reason))
        if found is None:
            return self._fail(key, framework, snapshot, pod, search)
        self.statistics.attempts["fast"] += 1
        return found

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

    def _find(self, plan: Plan, snapshot: Snapshot, search: Search) -> Attempt | None:
        """Return the scan's choice, or None if no node is feasible."""
        count = len(snapshot.nodes)
        start = search.start % count
        wanted = feasible_wanted(count, search.percentage)
        size = min(count, wanted + _SLACK)
        while True:
            rows = _window(snapshot, start, size)
            verdicts = self._verdicts(plan, rows, snapshot)
            if verdicts.min() > INFEASIBLE:
                feasible, end = None, min(wanted, size)
            else:
                feasible = np.flatnonzero(verdicts > INFEASIBLE)
                end = size
                if len(feasible) > wanted:
                    end = int(feasible[wanted])
                    feasible = feasible[:wanted]
            enough = size > wanted if feasible is None else len(feasible) == wanted and end < size
            if enough or size == count:
                break
            size = min(count, 4 * size)
        if feasible is None:
            chosen, scores = rows[:end], verdicts[:end]
        else:
            chosen, scores = rows[feasible], verdicts[feasible]
        if not len(chosen):
            return None
        return self._choose(plan, snapshot, search, (chosen, scores), (start + end) % count)

    def _verdicts(self, plan: Plan, rows: Ints, snapshot: Snapshot) -> Ints:
        verdicts = plan.verdicts_of(self._states.ids[rows], rows, snapshot)
        if plan.allowed is None:
            return verdicts
        return np.where(plan.allowed[rows], verdicts, INFEASIBLE)

    def _choose(
        self,
        plan: Plan,
        snapshot: Snapshot,
        search: Search,
        found: tuple[Ints, Ints],
        next_start: int,
    ) -> Attempt:
        feasible, verdicts = found
        totals = plan.totals(verdicts, feasible)
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

    def _fail(
        self,
        key: _PlanKey,
        framework: Framework,
        snapshot: Snapshot,
        pod: PodInfo,
        search: Search,
    ) -> Attempt:
        """Let the scan say why, and remember it if preemption found nothing to do."""
        attempt = self._scan(framework, snapshot, pod, search, "no node fits")
        result = attempt.post_filter
        if attempt.result is Result.UNSCHEDULABLE and not (result and result.candidates):
            attempt.diagnosis.remember()
            self._failures[key] = (self._failure_version(key[1]), attempt)
        return attempt

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
