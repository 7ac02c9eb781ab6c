"""The fast engine: plans per shape, verdicts per node state, failures remembered.

See `docs/decisions/0004-the-fast-engine.md` for why, with figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import (
    Attempt,
    Result,
    Search,
    feasible_wanted,
    heap_tie_break,
    schedule,
)
from gpusched.kube.engine.board import Board, Glance, Walk, WalkedStates
from gpusched.kube.engine.failures import Failures
from gpusched.kube.engine.interface import EngineStatistics
from gpusched.kube.engine.kinship import Key, Kinship, Version
from gpusched.kube.engine.openings import Openings
from gpusched.kube.engine.plan import OutsidePlanError, Plan
from gpusched.kube.engine.preorder import first_in_preorder, preorder_walk
from gpusched.kube.engine.sieve import Sieve
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.engine.verdicts import INFEASIBLE, INVALID, Verdicts
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.filtering import all_local
from gpusched.kube.framework.runtime import Framework

_SLACK: Final = 64
_SMALL: Final = 2048
"""So many nodes are looked up anew each time; a board is for those that look at more."""
_MOST_PLANS: Final = 1024
_MOST_CELLS: Final = 1 << 23
"""Verdicts that all plans together may keep in the order of nodes, 16 bytes each."""


@dataclass(slots=True, eq=False)
class _Known:
    """What is known of one shape, or of shapes that are kin.

    Attributes:
        key: Whose it is.
        version: What it hangs on beside the shape and the node states.
        plan: The plan, or why there is none.
        view: Where to read the plan's verdicts in the order of nodes.
        openings: Where followed plugins let the pods go.
        reach: How many nodes were looked at the last time; 0 if the first ones all fitted.
    """

    key: Key
    version: Version
    plan: Plan | OutsidePlanError
    view: Board | Glance | None = None
    openings: Openings | None = None
    reach: int = 0


class FastEngine:
    """Gives the scan's decisions without scanning, where nodes of one state are interchangeable.

    Args:
        cache: The cluster; one engine per cache.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._states = NodeStates(cache.nodes)
        self._sieve = Sieve(cache)
        self._follow(cache.order())
        self._kinship = Kinship(cache)
        self._known: dict[Key, _Known] = {}
        self._verdicts: dict[str, Verdicts] = {}
        self._failures = Failures(cache, self._states)
        self.statistics = EngineStatistics()

    def attempt(self, framework: Framework, pod: PodInfo, search: Search) -> Attempt:
        """See `Engine`."""
        snapshot = self._cache.snapshot()
        why = _outside(framework, snapshot, pod)
        if why:
            return self._scan(framework, snapshot, pod, search, why)
        key, version = self._kinship.of(framework, pod.shape)
        start = search.start % len(snapshot.nodes)
        remembers = bool(self._failures) and framework.nominator.is_empty
        failed = self._failures.again(key, framework, version, start) if remembers else None
        if failed is not None:
            self.statistics.attempts["remembered"] += 1
            return failed
        known = self._look_up(key, version, framework, pod)
        if isinstance(known.plan, OutsidePlanError):
            return self._scan(framework, snapshot, pod, search, str(known.plan))
        failed = self._failures.still(key, framework, version, start) if remembers else None
        if failed is not None:
            self.statistics.attempts["remembered"] += 1
            return failed
        return self._ask(known, known.plan, framework, pod, search)

    def _ask(
        self, known: _Known, plan: Plan, framework: Framework, pod: PodInfo, search: Search
    ) -> Attempt:
        """Ask the plan; where no node fits the scan says why, and that is remembered."""
        snapshot = self._cache.snapshot()
        try:
            found = self._find(known, plan, framework, pod, search)
        except OutsidePlanError as reason:
            return self._scan(framework, snapshot, pod, search, str(reason))
        if found is not None:
            self.statistics.attempts["fast"] += 1
            return found
        failed = self._scan(framework, snapshot, pod, search, "no node fits")
        if plan.failures_last and framework.nominator.is_empty:
            self._failures.keep(known.key, framework, plan, known.version, failed)
        return failed

    # Plans.

    def _look_up(self, key: Key, version: Version, framework: Framework, pod: PodInfo) -> _Known:
        """Return what is known of a pod's like; that it has no plan is remembered, too."""
        self._states.refresh()
        if self._walk.order is not self._cache.order():
            self._follow(self._cache.order())
        known = self._known.get(key)
        if known is None or known.version != version:
            known = _Known(key, version, self._make_plan(framework, self._cache.snapshot(), pod))
            if len(self._known) >= min(_MOST_PLANS, _MOST_CELLS // len(self._walk.order)):
                self._known.clear()
            self._known[key] = known
        return known

    def _follow(self, order: Ints) -> None:
        self._walk = Walk(order)
        self._walked = WalkedStates(self._walk, self._states)
        self._nobody = Diagnosis(order)

    def _make_plan(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo
    ) -> Plan | OutsidePlanError:
        name = framework.profile.scheduler_name
        verdicts = self._verdicts.get(name)
        if verdicts is None:
            verdicts = self._verdicts[name] = Verdicts(framework, self._states, self.statistics)
        try:
            plan = Plan(framework, snapshot, pod, verdicts)
        except OutsidePlanError as reason:
            return reason
        self.statistics.evaluations += len(snapshot.nodes)
        return plan

    # Finding a node.

    def _find(
        self, known: _Known, plan: Plan, framework: Framework, pod: PodInfo, search: Search
    ) -> Attempt | None:
        """Return the scan's choice, or None if no node is feasible."""
        count = len(self._walk.order)
        start = search.start % count
        wanted = feasible_wanted(count, search.percentage)
        view = self._view(known, plan, max(wanted, known.reach))
        is_open = self._open_to(known, plan, pod) if plan.looks_at_pods else None
        if not framework.nominator.is_empty:
            is_open = self._uncrowded(plan, framework, pod)
        feasible, verdicts, end = self._look(known, view, is_open, (start, wanted))
        if not len(feasible):
            return None
        totals = verdicts if plan.is_plain else plan.totals(verdicts, feasible)
        if len(feasible) > 1 and plan.live_scorers:
            totals = totals + plan.live_totals(self._cache.snapshot(), pod, feasible)
            self.statistics.evaluations += len(feasible)
        if search.tie_break is heap_tie_break and len(feasible) == wanted:
            row, tied = _first_best(feasible, totals)
        else:
            row, tied = _best(feasible, totals, self._cache.snapshot(), search)
        return Attempt(
            Result.SCHEDULED,
            self._nobody,
            (start + end) % count,
            evaluated=end,
            feasible=feasible,
            tied=tied,
            row=row,
            state=plan.state,
        )

    def _view(self, known: _Known, plan: Plan, size: int) -> Board | Glance:
        """Return where to read a plan's verdicts on about so many nodes.

        A plan that is used once is not worth a board.
        """
        if known.view is None:
            known.view = Glance(plan, self._walk, self._walked)
        elif size > _SMALL and isinstance(known.view, Glance):
            known.view = Board(plan, self._walk, self._states)
        return known.view

    def _open_to(self, known: _Known, plan: Plan, pod: PodInfo) -> Mask | None:
        """Return where plugins that look at other pods let the pod go, in the order of the walk."""
        if known.openings is None:
            known.openings = Openings(plan.followed, self._walk.rows)
        followed = known.openings.mask()
        if not plan.live_filters:
            return followed
        live: Mask = plan.open_to(self._cache.snapshot(), pod)[self._walk.rows]
        self.statistics.evaluations += len(self._walk.order)
        return live if followed is None else live & followed

    def _uncrowded(self, plan: Plan, framework: Framework, pod: PodInfo) -> Mask:
        """Return where a pod passes with those nominated there, and without; as a walk goes."""
        if plan.looks_at_pods or not all_local(framework.active_filters(plan.state)):
            raise OutsidePlanError("nominated pods")
        nodes = self._cache.nodes
        everywhere = np.ones(len(nodes), np.bool_)
        outcome = self._sieve.run(framework, plan.state, pod, nodes, everywhere)
        uncrowded: Mask = outcome.passed[self._walk.rows]
        return uncrowded

    def _look(
        self, known: _Known, view: Board | Glance, is_open: Mask | None, where: tuple[int, int]
    ) -> tuple[Ints, Ints, int]:
        """Look at nodes in rotated order, in growing windows, until enough are feasible.

        A sequential search ends at the first feasible node that it does not want any more: those
        before it that do not fit count as looked at.

        Returns:
            The feasible rows, their verdicts, and how many nodes a sequential search had looked at.
        """
        start, wanted = where
        rows = self._walk.rows
        count = len(self._walk.order)
        size = min(count, known.reach + known.reach // 8 + _SLACK if known.reach else wanted + 1)
        while True:
            verdicts, lowest = view.look(start, size)
            if lowest == INVALID:
                raise OutsidePlanError("a score is out of bounds")
            if lowest > INFEASIBLE and is_open is None and (size > wanted or size == count):
                known.reach = 0
                return rows[start : start + wanted], verdicts[:wanted], wanted
            if is_open is not None:
                verdicts = np.where(is_open[start : start + size], verdicts, INFEASIBLE)
            found = (verdicts > INFEASIBLE).nonzero()[0]
            if len(found) > wanted or size == count:
                known.reach = end = int(found[wanted]) if len(found) > wanted else size
                found = found[:wanted]
                return rows[start + found], verdicts[found], end
            size = min(count, 2 * size)

    def _scan(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo, search: Search, why: str
    ) -> Attempt:
        self.statistics.attempts["scan"] += 1
        self.statistics.fallbacks[why] += 1
        asked = self._sieve.asked
        attempt = schedule(framework, snapshot, pod, search, partial(self._sieve.run, framework))
        self.statistics.evaluations += self._sieve.asked - asked
        return attempt


def _outside(framework: Framework, snapshot: Snapshot, pod: PodInfo) -> str:
    """Return why an attempt is one for the scan from the outset, or an empty string."""
    if not len(snapshot.nodes):
        return "no nodes"
    if not framework.has_score:
        return "no score plugins"
    if not framework.prepares_all:
        return "plugins that are not prepared"
    if pod.nominated_node:
        return "nominated pods"
    return ""


def _first_best(feasible: Ints, totals: Ints) -> tuple[int, Callable[[], Ints]]:
    """Return the best row that a heap puts on top, and who tells all that are as good."""
    walk = preorder_walk(len(feasible))
    walked = totals.take(walk)
    at = walked.argmax()

    def tied() -> Ints:
        best: Ints = np.sort(walk[walked == walked[at]])
        return feasible[best]

    return feasible.item(walk.item(at)), tied


def _best(
    feasible: Ints, totals: Ints, snapshot: Snapshot, search: Search
) -> tuple[int, Callable[[], Ints]]:
    """Do what `_first_best` does for any rule of ties, and for any number of rows."""
    best = (totals == totals.max()).nonzero()[0]
    if search.tie_break is heap_tie_break:
        row = int(feasible[first_in_preorder(best)])
    elif len(best) == 1:
        row = int(feasible[best[0]])
    else:
        row = search.tie_break(snapshot, feasible, best)
    return row, lambda: feasible[best]
