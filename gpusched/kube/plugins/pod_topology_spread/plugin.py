"""The plugin itself: what each extension point answers.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread, v1.36.1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from gpusched.api.config import PodTopologySpreadArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import EventHint
from gpusched.kube.framework.interface import OpenDomains, PreFilterResult
from gpusched.kube.framework.status import SKIP, SUCCESS, Code, Rejection, Status, error
from gpusched.kube.plugins.pod_topology_spread.constraints import (
    HARD,
    SOFT,
    Constraint,
    Defaults,
)
from gpusched.kube.plugins.pod_topology_spread.filtering import SpreadState, count, rejections
from gpusched.kube.plugins.pod_topology_spread.following import follow, follow_scores
from gpusched.kube.plugins.pod_topology_spread.hints import events
from gpusched.kube.plugins.pod_topology_spread.scoring import ScoreState, normalise, prepare

_PRE_FILTER = "PreFilterPodTopologySpread"
_PRE_SCORE = "PreScorePodTopologySpread"
_NOT_COUNTED = f'reading "{_PRE_FILTER}" from cycleState: not found'
_NOT_SCORED = f'error reading "{_PRE_SCORE}" from cycleState: not found'


@dataclass(frozen=True, slots=True)
class PodTopologySpread:
    """Spreads matching pods over topology domains: hard constraints filter, soft ones score.

    Attributes:
        defaults: The constraints of pods that have none of their own.
    """

    defaults: Defaults
    name: ClassVar[str] = "PodTopologySpread"

    @classmethod
    def create(cls, args: PodTopologySpreadArgs | None) -> Self:
        """Return the plugin for typed arguments; None for their defaults."""
        return cls(Defaults.of(args or PodTopologySpreadArgs()))

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """Count matching pods by domain; Skip without hard constraints."""
        constraints = self.defaults.of_pod(pod.shape, HARD, snapshot.objects)
        if not constraints:
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, count(pod.shape, constraints, snapshot))
        return PreFilterResult()

    def add_pod(self, state: CycleState, _pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `PreFilterExtensions`."""
        return self._change(state, other, nodes, 1)

    def remove_pod(self, state: CycleState, _pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `PreFilterExtensions`."""
        return self._change(state, other, nodes, -1)

    def _change(self, state: CycleState, other: PodInfo, nodes: Nodes, by: int) -> Status:
        counted = state.read(_PRE_FILTER)
        if not isinstance(counted, SpreadState):
            return error(_NOT_COUNTED)
        counted.change(other.shape, nodes, by)
        return SUCCESS

    def filter(self, state: CycleState, _pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """Turn away nodes that lack a topology key, or whose domain has too many pods."""
        counted = state.read(_PRE_FILTER)
        if not isinstance(counted, SpreadState):
            return [Rejection(_NOT_COUNTED, np.ones(len(nodes), np.bool_), Code.ERROR)]
        return rejections(counted, nodes)

    def follow_filter(
        self, shape: PodShape, snapshot: Snapshot
    ) -> Callable[[], Iterable[OpenDomains]] | None:
        """See `FollowingFilterPlugin`."""
        constraints = self.defaults.of_pod(shape, HARD, snapshot.objects)
        followed = follow(shape, constraints, snapshot)
        return lambda: [spread.open_domains() for spread in followed]

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Status:
        """Work out the raw scores; Skip without soft constraints."""
        constraints = self.defaults.of_pod(pod.shape, SOFT, snapshot.objects)
        if not constraints:
            return SKIP
        needs_all_keys = self._needs_all_keys(pod.shape)
        scored = prepare(pod.shape, constraints, snapshot, rows, needs_all_keys=needs_all_keys)
        state.write(_PRE_SCORE, scored)
        return SUCCESS

    def _needs_all_keys(self, shape: PodShape) -> bool:
        """Return whether nodes that lack a key are ignored: not by the built-in defaults."""
        return bool(shape.spec.topology_spread_constraints) or not self.defaults.is_system

    def score(
        self, state: CycleState, _pod: PodInfo, _snapshot: Snapshot, _rows: Ints
    ) -> Ints | Status:
        """Return the weighted number of matching pods around each row: the less the better."""
        scored = state.read(_PRE_SCORE)
        return scored.raw if isinstance(scored, ScoreState) else error(_NOT_SCORED)

    def normalize_score(self, state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        """Turn the scores round and stretch them to [0, 100]."""
        scored = state.read(_PRE_SCORE)
        ignored = scored.ignored if isinstance(scored, ScoreState) else np.zeros(len(scores), bool)
        return normalise(scores, ignored)

    def follow_score(self, shape: PodShape, snapshot: Snapshot) -> Callable[[Ints], Ints] | None:
        """See `FollowingScorePlugin`."""
        constraints = self.defaults.of_pod(shape, SOFT, snapshot.objects)
        if not constraints:
            return None
        needs_all_keys = self._needs_all_keys(shape)
        return follow_scores(shape, constraints, snapshot, needs_all_keys=needs_all_keys).of

    def reading(
        self, shape: PodShape, snapshot: Snapshot
    ) -> tuple[tuple[Constraint, bool], ...] | None:
        """See `LabelReader`: its constraints, and whether it is among those that each counts."""
        objects = snapshot.objects
        read = tuple(
            (constraint, constraint.selector.matches(shape.labels))
            for action in (HARD, SOFT)
            for constraint in self.defaults.of_pod(shape, action, objects)
        )
        return read or None

    def events_to_register(self) -> Sequence[EventHint]:
        """See `hints`."""
        return events(self.defaults)
