"""The victims on one node: all less important pods, but for those that can stay.

Source: kubernetes/kubernetes
pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go (SelectVictimsOnNode) and
pkg/scheduler/util/utils.go (MoreImportantPod), v1.36.1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gpusched.api.gosort import go_sorted
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PRESENT, PodInfo, PodShape
from gpusched.cluster.requests import Requests
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import Handle, Victims
from gpusched.kube.framework.status import Status, error, unresolvable
from gpusched.kube.plugins.default_preemption.budgets import Budget, split_by_budgets

NO_VICTIMS: Final = "No preemption victims found for incoming pod"


def is_more_important(pod: PodInfo, other: PodInfo) -> bool:
    """Return whether ``pod`` goes before ``other``: by priority, then by age.

    A pod that has not started counts as starting at the moment of asking, so of two such pods the
    one that is asked about first is the older one.
    """
    if pod.priority != other.priority:
        return pod.priority > other.priority
    if pod.start_time is None and other.start_time is None:
        return True
    return started(pod) < started(other)


def started(pod: PodInfo) -> int:
    """Return when a pod started; `PRESENT` if it has not."""
    return PRESENT if pod.start_time is None else pod.start_time


def by_importance(pods: Iterable[PodInfo]) -> list[PodInfo]:
    """Return pods, most important first, as Go's ``sort.Slice`` leaves them."""
    return go_sorted(pods, is_more_important)


def select_victims(
    handle: Handle,
    state: CycleState,
    pod: PodInfo,
    node: Nodes,
    budgets: Sequence[Budget],
) -> Victims | Status:
    """Return the victims that make room for ``pod`` on a node, or why there are none.

    Args:
        handle: Runs the filters.
        state: The attempt's data, a copy of its own.
        pod: The preemptor.
        node: The one node, a copy of its own.
        budgets: All disruption budgets.
    """
    trial = _Trial(handle, state, pod, node)
    potential = [other for other in node.states[0].pods if other.priority < pod.priority]
    for other in potential:
        trial.remove(other)
    if not potential:
        return trial.failure or unresolvable(NO_VICTIMS)
    fits = trial.filter()
    if not fits.is_success:
        return fits
    violating, others = split_by_budgets(by_importance(potential), budgets)
    broken = [other for other in violating if not trial.reprieve(other)]
    victims = broken + [other for other in others if not trial.reprieve(other)]
    if violating and others:
        victims = by_importance(victims)
    name = node.info(0).name
    if not victims and trial.failure is None:
        trial.failure = error(f'expected at least one victim pod on node "{name}"')
    return trial.failure or Victims(name, tuple(victims), len(broken))


@dataclass(slots=True)
class _Trial:
    """The dry run on one node; after a failure nothing more is tried.

    Attributes:
        failure: What went wrong, if anything did.
        refused: Pods that cannot stay as things are: their replicas cannot, either.
    """

    handle: Handle
    state: CycleState
    pod: PodInfo
    node: Nodes
    failure: Status | None = None
    refused: set[tuple[PodShape, Requests]] = field(default_factory=set)

    def remove(self, other: PodInfo) -> None:
        self._note(self.handle.remove_pod(self.state, self.pod, other, self.node))

    def filter(self) -> Status:
        return self.failure or self.handle.filter_one(self.state, self.pod, self.node)

    def reprieve(self, other: PodInfo) -> bool:
        """Return whether ``other`` can stay; if so it does."""
        if self.failure is not None:
            return True
        replica = other.shape, other.accounted
        if replica in self.refused:
            return False
        self._note(self.handle.add_pod(self.state, self.pod, other, self.node))
        if self.filter().is_success:
            self.refused.clear()
            return True
        self.remove(other)
        if not other.shape.spec.volumes:  # an ephemeral volume goes by the pod's name
            self.refused.add(replica)
        return False

    def _note(self, status: Status) -> None:
        if self.failure is None and not status.is_success:
            self.failure = status
