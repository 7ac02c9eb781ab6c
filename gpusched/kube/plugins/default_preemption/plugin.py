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
from gpusched.cluster.domains import per_node
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.requirements import aggregate
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
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
from gpusched.kube.plugins.default_preemption.budgets import compile_budgets
from gpusched.kube.plugins.default_preemption.choice import best_candidates
from gpusched.kube.plugins.default_preemption.memory import LOCAL_FILTERS, Memory
from gpusched.kube.plugins.default_preemption.victims import NO_VICTIMS, select_victims

NEVER: Final = "not eligible due to preemptionPolicy=Never."
TERMINATING: Final = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
WAITING: Final = "waiting for the preemption for this pod to be finished"


@dataclass(slots=True)
class DefaultPreemption:
    """Looks for a node where evicting less important pods makes room.

    Attributes:
        args: The arguments.
        handle: The framework.
        preempting: Pods, by UID, whose preemption is being carried out, and whether they must
            still wait outside the queue for it. Whoever carries it out adds and removes them, and
            says so (`announce`) when the answer may have become No.
        memory: What dry runs have said.
    """

    args: DefaultPreemptionArgs
    handle: Handle
    preempting: dict[str, Callable[[], bool]] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory, repr=False)
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
        search = _Search(snapshot, diagnosis.rows_with(Code.UNSCHEDULABLE))
        start = self.handle.draw(len(search.potential)) if len(search.potential) else 0
        wanted = self._wanted(len(search.potential))
        budgets = compile_budgets(snapshot.objects.disruption_budgets)
        alike = not budgets and self._nodes_may_be_alike(state, pod)
        for row in search.rows_with_victims(pod, start):
            if alike:
                found = self._remembered(state, pod, snapshot.nodes, row)
            else:
                one = snapshot.nodes.copy_row(row)
                found = select_victims(self.handle, state.clone(), pod, one, budgets)
            search.note(row, found)
            if search.has_enough(wanted):
                break
        if not search.candidates:
            return search.failure()
        best = best_candidates(search.candidates)
        return PostFilterResult(SUCCESS, best[0].node, tuple(best))

    def _nodes_may_be_alike(self, state: CycleState, pod: PodInfo) -> bool:
        """Return whether a dry run hangs on its node alone (see `memory`)."""
        active = self.handle.active_filters(state)
        places = [LOCAL_FILTERS.index(name) for name in active if name in LOCAL_FILTERS]
        local = len(places) == len(active) and places == sorted(places)
        return local and not pod.shape.spec.volumes

    def _remembered(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, row: int
    ) -> Victims | Status:
        """Return what a dry run says, making it only if no node like this one was tried."""
        rivals = self.handle.rivals(pod, nodes.info(row).name)
        found = self.memory.recall(pod, nodes, row, rivals)
        if found is None:
            found = select_victims(self.handle, state.clone(), pod, nodes.copy_row(row), ())
            self.memory.keep(pod, nodes, row, rivals, found)
        return found

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


@dataclass(slots=True)
class _Search:
    """What the dry runs have found so far.

    Attributes:
        snapshot: Who is where.
        potential: The rows where eviction could help; shape (P,).
        candidates: The nodes where it does.
        failures: What dry runs failed with.
        reasons: Reason and code to the rows that gave them as an answer; shape (N,) each.
    """

    snapshot: Snapshot
    potential: Ints
    candidates: list[Victims] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    reasons: dict[tuple[str, Code], Mask] = field(default_factory=dict)

    def rows_with_victims(self, pod: PodInfo, start: int) -> list[int]:
        """Return the potential rows with pods of lower priority, from the ``start``-th on.

        The others need no dry run: their answer is known.
        """
        placed = self.snapshot.placed.items()
        lower = [by_node for shape, by_node in placed if shape.priority < pod.priority]
        has_victims = per_node(self.snapshot.nodes, lower)[self.potential] > 0
        self._reject(
            (NO_VICTIMS, Code.UNSCHEDULABLE_AND_UNRESOLVABLE), self.potential[~has_victims]
        )
        rotated = np.roll(self.potential, -start)
        rows: list[int] = rotated[np.roll(has_victims, -start)].tolist()
        return rows

    def note(self, row: int, found: Victims | Status) -> None:
        """Remember what came of one dry run."""
        if isinstance(found, Victims):
            self.candidates.append(found)
            return
        if found.code is Code.ERROR:
            self.failures.append(found.message)
        for reason in found.reasons:
            self._reject((reason, found.code), row)

    def _reject(self, answer: tuple[str, Code], rows: Ints | int) -> None:
        if answer not in self.reasons:
            self.reasons[answer] = np.zeros(len(self.snapshot.nodes), np.bool_)
        self.reasons[answer][rows] = True

    def has_enough(self, wanted: int) -> bool:
        """At least one of the candidates must break no budget."""
        return len(self.candidates) >= wanted and not all(c.violations for c in self.candidates)

    def failure(self) -> PostFilterResult:
        """Return the answer if there is no candidate; failed dry runs keep the nomination."""
        if self.failures:
            return PostFilterResult(error(f"preemption: {aggregate(self.failures)}"))
        rejections = [
            ("", Rejection(reason, nodes, code)) for (reason, code), nodes in self.reasons.items()
        ]
        diagnosis = Diagnosis(self.snapshot.order, rejections, unresolvable(NOT_HELPFUL))
        return PostFilterResult(unschedulable(f"preemption: {diagnosis.message()}"), "")
