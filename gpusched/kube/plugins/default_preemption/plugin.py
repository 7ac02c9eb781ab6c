"""The plugin itself: who may preempt, which nodes are tried, and what comes of it.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/preemption.go (Preempt,
findCandidates, DryRunPreemption) and
pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go, v1.36.1.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

import numpy as np

from gpusched.api.config import DefaultPreemptionArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.requirements import aggregate
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.filtering import all_local
from gpusched.kube.framework.interface import Handle, NodeStatuses, PostFilterResult, Victims
from gpusched.kube.framework.status import (
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
    unschedulable,
)
from gpusched.kube.plugins.default_preemption.budgets import Budget, compile_budgets
from gpusched.kube.plugins.default_preemption.choice import best_candidates
from gpusched.kube.plugins.default_preemption.dry_runs import DryRuns, Findings
from gpusched.kube.plugins.default_preemption.victims import select_victims

NEVER: Final = "not eligible due to preemptionPolicy=Never."
TERMINATING: Final = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
WAITING: Final = "waiting for the preemption for this pod to be finished"

_MOST_SHAPES: Final = 64


@dataclass(slots=True)
class DefaultPreemption:
    """Looks for a node where evicting less important pods makes room.

    Attributes:
        args: The arguments.
        handle: The framework.
        preempting: Pods, by UID, whose preemption is being carried out, and whether they must
            still wait outside the queue for it. Whoever carries it out adds and removes them, and
            says so (`announce`) when the answer may have become No.
        dry_runs: What dry runs have said, by the preemptors' shape.
    """

    args: DefaultPreemptionArgs
    handle: Handle
    preempting: dict[str, Callable[[], bool]] = field(default_factory=dict)
    dry_runs: dict[PodShape, DryRuns] = field(default_factory=dict, repr=False)
    _opened: dict[str, None] = field(default_factory=dict, repr=False)
    name: ClassVar[str] = "DefaultPreemption"

    @classmethod
    def create(cls, args: DefaultPreemptionArgs | None, handle: Handle) -> Self:
        """Return the plugin for typed arguments; None for their defaults."""
        return cls(args or DefaultPreemptionArgs(), handle)

    def pre_enqueue(self, pod: PodInfo, _snapshot: Snapshot) -> Status:
        """Keep a pod out of the queue while its victims are being deleted."""
        must_wait = self.preempting.get(pod.uid)
        return unresolvable(WAITING) if must_wait is not None and must_wait() else SUCCESS

    def announce(self, uid: str) -> None:
        """Say that a pod may not have to wait outside the queue any more."""
        self._opened[uid] = None

    def opened(self) -> Collection[str]:
        """See AnnouncedGate."""
        opened, self._opened = self._opened, {}
        return opened

    def events_to_register(self) -> Sequence[EventHint]:
        """Deletions let gated preemptors be looked at again; they cure nothing by themselves."""
        return (EventHint(ClusterEvent(EventResource.POD, Action.DELETE), _never, by_shape=True),)

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, diagnosis: NodeStatuses
    ) -> PostFilterResult:
        """Return the best candidates, or why there are none.

        Whoever carries it out also clears the nominations of less important pods to the node.
        """
        if reason := _ineligible(pod, snapshot, diagnosis):
            return PostFilterResult(unschedulable(f"preemption: {reason}"))
        potential = diagnosis.rows_with(Code.UNSCHEDULABLE)
        start = self.handle.draw(len(potential)) if len(potential) else 0
        rows = np.concatenate((potential[start:], potential[:start]))
        budgets = compile_budgets(snapshot.objects.disruption_budgets)
        if self._nodes_may_be_alike(state, pod):
            found = self._search(state, pod, snapshot, rows, budgets)
        else:
            found = self._try_all(state, pod, snapshot, rows, budgets)
        if not found.best:
            return _failure(snapshot, found)
        return PostFilterResult(SUCCESS, found.best[0].node, found.best)

    def _nodes_may_be_alike(self, state: CycleState, pod: PodInfo) -> bool:
        """Return whether a dry run hangs on its node alone (see `memory`)."""
        return all_local(self.handle.active_filters(state)) and not pod.shape.spec.volumes

    def _search(
        self,
        state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
        budgets: Sequence[Budget],
    ) -> Findings:
        """Look for candidates where nodes may be alike."""
        runs = self.dry_runs.get(pod.shape)
        if runs is None or runs.nodes is not snapshot.nodes:
            if len(self.dry_runs) >= _MOST_SHAPES:
                self.dry_runs.clear()
            runs = self.dry_runs[pod.shape] = DryRuns(self.handle, snapshot.nodes)
        objects = snapshot.objects
        versions = (objects.device_classes.version, objects.disruption_budgets.version)
        runs.catch_up(pod, snapshot, (*versions, *self.handle.active_filters(state)))

        def dry_run(row: int) -> Victims | Status:
            one = snapshot.nodes.copy_row(row)
            return select_victims(self.handle, state.clone(), pod, one, budgets)

        return runs.search(pod, rows, self._wanted(len(rows)), budgets, dry_run)

    def _try_all(
        self,
        state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
        budgets: Sequence[Budget],
    ) -> Findings:
        """Look for candidates one dry run after the other."""
        wanted = self._wanted(len(rows))
        candidates: list[Victims] = []
        failures: list[tuple[Status, Ints]] = []
        for row in rows.tolist():
            one = snapshot.nodes.copy_row(row)
            found = select_victims(self.handle, state.clone(), pod, one, budgets)
            if isinstance(found, Status):
                failures.append((found, np.array([row])))
                continue
            candidates.append(found)
            if len(candidates) >= wanted and not all(c.violations for c in candidates):
                break
        return Findings(tuple(best_candidates(candidates)) if candidates else (), failures)

    def _wanted(self, potential: int) -> int:
        """Return how many candidates are enough."""
        share = potential * self.args.min_candidate_nodes_percentage // 100
        return min(potential, max(share, self.args.min_candidate_nodes_absolute))


def _never(_pod: PodInfo, _change: Change) -> bool:
    return False


def _ineligible(pod: PodInfo, snapshot: Snapshot, diagnosis: NodeStatuses) -> str:
    """Return why a pod may not preempt, or an empty string."""
    if pod.shape.spec.preemption_policy == "Never":
        return NEVER
    row = snapshot.nodes.row_of(pod.nominated_node) if pod.nominated_node else None
    if row is None or diagnosis.code_of(row) == Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
        return ""
    leaving = (
        other.terminating and other.preempted and other.priority < pod.priority
        for other in snapshot.nodes.states[row].pods
    )
    return TERMINATING if any(leaving) else ""


def _failure(snapshot: Snapshot, found: Findings) -> PostFilterResult:
    """Return the answer if there is no candidate; failed dry runs keep the nomination."""
    failures = [status.message for status, _ in found.failures if status.code is Code.ERROR]
    if failures:
        return PostFilterResult(error(f"preemption: {aggregate(failures)}"))
    reasons: dict[tuple[str, Code], Mask] = {}
    for status, rows in found.failures:
        for reason in status.reasons:
            answer = reason, status.code
            if answer not in reasons:
                reasons[answer] = np.zeros(len(snapshot.nodes), np.bool_)
            reasons[answer][rows] = True
    rejections = [("", Rejection(reason, nodes, code)) for (reason, code), nodes in reasons.items()]
    diagnosis = Diagnosis(snapshot.order, rejections, unresolvable(NOT_HELPFUL))
    return PostFilterResult(unschedulable(f"preemption: {diagnosis.message()}"), "")
