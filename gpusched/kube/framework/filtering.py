"""Running Filter: over a table of nodes, and over one node with pods put on it for a trial.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go (RunFilterPlugins,
RunFilterPluginsWithNominatedPods, RunPreFilterExtensionAddPod), v1.36.1.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from gpusched.cluster.nodes import Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import FilterPlugin, PreFilterExtensions
from gpusched.kube.framework.outcomes import FilterOutcome
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status, error
from gpusched.kube.nominator import Nominator

LOCAL_FILTERS: Final = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
)
"""Filters that read nothing but one node's object, amounts and ports (and device classes), in an
order in which those that eviction cannot change come first: a node that was turned away resolvably
has passed them."""

OBJECT_FILTERS: Final = frozenset(LOCAL_FILTERS[:4])
"""Those among them that read nothing of a node but its object."""


def all_local(filters: Sequence[str]) -> bool:
    """Return whether filters look at one node alone, those that read its object before others."""
    places = [LOCAL_FILTERS.index(name) for name in filters if name in LOCAL_FILTERS]
    return len(places) == len(filters) and places == sorted(places)


class Filtering:
    """The Filter plugins of a profile.

    Args:
        plugins: Filter plugins in order.
        extensions: PreFilter plugins whose data follow pods that come and go in a trial.
        nominator: Whose nominations count.
    """

    def __init__(
        self,
        plugins: Sequence[FilterPlugin],
        extensions: Sequence[PreFilterExtensions],
        nominator: Nominator,
    ) -> None:
        self.plugins = plugins
        self._extensions = extensions
        self._nominator = nominator

    def run(self, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask) -> FilterOutcome:
        """Run Filter over ``candidates``; nodes with nominated pods are looked at twice.

        A node must pass with the pods that are nominated there, and without them.
        """
        outcome = self._run_plain(state, pod, nodes, candidates)
        if self._nominator.is_empty:
            return outcome
        crowds = self._crowds(pod, nodes, candidates)
        if any(plugin.name not in state.skip_filter for plugin in self._extensions):
            for row, rivals in crowds.items():
                crowded = self._run_crowded(state, pod, nodes.copy_row(row), rivals)
                outcome.replace_rows(np.array([row]), crowded)
        elif crowds:
            rows = np.array(list(crowds))
            outcome.replace_rows(rows, self._run_all_crowded(state, pod, nodes, crowds))
        return outcome

    def _crowds(
        self, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> Mapping[int, Sequence[PodInfo]]:
        """Return the pods that ``pod`` may not push aside, by the row they are nominated to."""
        crowds: dict[int, Sequence[PodInfo]] = {}
        for row in self._nominated_rows(nodes, candidates):
            rivals = self._nominator.rivals(pod, nodes.info(row).name)
            if rivals:
                crowds[row] = rivals
        return crowds

    def _nominated_rows(self, nodes: Nodes, candidates: Mask) -> Sequence[int]:
        """Return candidates to which somebody may be nominated: whatever is quicker to tell."""
        nominated = self._nominator.nodes()
        if len(nominated) > np.count_nonzero(candidates):
            few: list[int] = candidates.nonzero()[0].tolist()
            return few
        rows = map(nodes.row_of, nominated)
        return [row for row in rows if row is not None and candidates[row]]

    def _run_crowded(
        self, state: CycleState, pod: PodInfo, node: Nodes, rivals: Sequence[PodInfo]
    ) -> FilterOutcome:
        trial = state.clone()
        for rival in rivals:
            status = self.add_pod(trial, pod, rival, node)
            if not status.is_success:
                failed = Rejection(status.message, np.ones(1, np.bool_), Code.ERROR)
                return FilterOutcome(np.zeros(1, np.bool_), [("", failed)])
        return self._run_plain(trial, pod, node, np.ones(1, np.bool_))

    def _run_all_crowded(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, crowds: Mapping[int, Sequence[PodInfo]]
    ) -> FilterOutcome:
        """Look at all crowded nodes in one table; no plugin keeps data that follow the rivals."""
        crowded = nodes.copy_rows(np.array(list(crowds)))
        for at, rivals in zip(crowded.states, crowds.values(), strict=True):
            for rival in rivals:
                crowded.add_pod(at, rival)
        return self._run_plain(state.clone(), pod, crowded, np.ones(len(crowded), np.bool_))

    def _run_plain(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> FilterOutcome:
        """Ask plugin after plugin about the nodes that all before it let pass."""
        alive = candidates
        rejections: list[tuple[str, Rejection]] = []
        for plugin in self.plugins:
            if plugin.name in state.skip_filter:
                continue
            left = alive
            for rejection in plugin.filter(state, pod, nodes):
                hit = rejection.nodes & alive
                if hit.any():
                    rejections.append(
                        (plugin.name, Rejection(rejection.reason, hit, rejection.code))
                    )
                    left = left & ~hit
            if left is not alive and not left.any():
                return FilterOutcome(left, rejections)
            alive = left
        return FilterOutcome(alive.copy() if alive is candidates else alive, rejections)

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `interface.Handle`."""
        nodes.add_pod(nodes.states[0], other)
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                status = plugin.add_pod(state, pod, other, nodes)
                if not status.is_success:
                    return error(
                        f'running AddPod on PreFilter plugin "{plugin.name}": {status.message}'
                    )
        return SUCCESS

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `interface.Handle`."""
        nodes.remove_pod(nodes.states[0], other)
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                status = plugin.remove_pod(state, pod, other, nodes)
                if not status.is_success:
                    return error(
                        f'running RemovePod on PreFilter plugin "{plugin.name}": {status.message}'
                    )
        return SUCCESS
