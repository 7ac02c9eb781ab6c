"""A profile's plugins, built once and called in order.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go, v1.36.1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

import numpy as np

from gpusched.api.config import ExtensionPoint, Profile
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import (
    MAX_NODE_SCORE,
    FilterPlugin,
    Handle,
    NodeStatuses,
    NormalizeScorePlugin,
    Plugin,
    PostFilterPlugin,
    PostFilterResult,
    PreEnqueuePlugin,
    PreFilterExtensions,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
    ScorePlugin,
)
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status, error
from gpusched.kube.nominator import Nominator

PluginFactory: TypeAlias = Callable[[Any, Handle], Plugin]
Registry: TypeAlias = Mapping[str, PluginFactory]


@dataclass(frozen=True, slots=True)
class PreFilterOutcome:
    """What all PreFilter plugins said together.

    Attributes:
        status: Success, or the first answer that ends the attempt.
        node_names: The intersection of all restrictions; None if there is none.
        narrowing: The plugins that restricted.
    """

    status: Status
    node_names: frozenset[str] | None = None
    narrowing: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class FilterOutcome:
    """What all Filter plugins said of a table of nodes.

    Attributes:
        passed: True for rows that no plugin turned away; shape (N,).
        rejections: Plugin and rejection, in filter order; each row appears under one plugin only.
    """

    passed: Mask
    rejections: list[tuple[str, Rejection]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of K feasible nodes.

    Attributes:
        by_plugin: Weighted scores after normalising; shape (K,) each; skipped plugins are absent.
        totals: Their sum; shape (K,).
        raw: Raw scores by plugin, before normalising.
    """

    by_plugin: Mapping[str, Ints]
    totals: Ints
    raw: Mapping[str, Ints]


class Framework:
    """One profile, ready to run. Also the `Handle` of its plugins.

    Args:
        profile: Which plugins, in which order, with which arguments and weights.
        registry: Name to factory (`gpusched.kube.plugins.IN_TREE`, and the user's own).
        nominator: Who is nominated where; shared by all profiles of a scheduler.
        draw: The preemption stream: ``draw(n)`` gives a number in [0, n).
    """

    def __init__(
        self,
        profile: Profile,
        registry: Registry,
        nominator: Nominator,
        draw: Callable[[int], int] = lambda _bound: 0,
    ) -> None:
        self.profile = profile
        self._nominator = nominator
        self._draw = draw
        names = dict.fromkeys(name for point in profile.plugins.values() for name in point)
        self.plugins = {name: registry[name](profile.args.get(name), self) for name in names}
        self._pre_filter = self._at(ExtensionPoint.PRE_FILTER, PreFilterPlugin)
        self._filter = self._at(ExtensionPoint.FILTER, FilterPlugin)
        self._post_filter = self._at(ExtensionPoint.POST_FILTER, PostFilterPlugin)
        self._pre_score = self._at(ExtensionPoint.PRE_SCORE, PreScorePlugin)
        self._score = self._at(ExtensionPoint.SCORE, ScorePlugin)
        self._reserve = self._at(ExtensionPoint.RESERVE, ReservePlugin)
        self._pre_enqueue = self._at(ExtensionPoint.PRE_ENQUEUE, PreEnqueuePlugin)
        self._extensions = [p for p in self._pre_filter if isinstance(p, PreFilterExtensions)]

    def _at(self, point: ExtensionPoint, kind: type) -> list[Any]:
        """Names without code at a point (DefaultBinder at Bind, say) are carried by the cycle."""
        plugins = [self.plugins[name] for name in self.profile.plugins.get(point, ())]
        return [plugin for plugin in plugins if isinstance(plugin, kind)]

    @property
    def has_post_filter(self) -> bool:
        """Return whether any PostFilter plugin is enabled."""
        return bool(self._post_filter)

    @property
    def has_score(self) -> bool:
        """Return whether any Score plugin is enabled."""
        return bool(self._score)

    # The Handle.

    def nominated(self, node: str) -> Sequence[PodInfo]:
        """See `Handle`."""
        return self._nominator.on(node)

    def draw(self, bound: int) -> int:
        """See `Handle`."""
        return self._draw(bound)

    def filter_one(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`; the status names the plugin."""
        outcome = self.filter(state, pod, nodes, np.ones(1, np.bool_))
        return one_status(outcome)

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`."""
        nodes.add_pod(nodes.states[0], other)
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                status: Status = plugin.add_pod(state, pod, other, nodes)
                if not status.is_success:
                    return error(
                        f'running AddPod on PreFilter plugin "{plugin.name}": {status.message}'
                    )
        return SUCCESS

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`."""
        nodes.remove_pod(nodes.states[0], other)
        for plugin in self._extensions:
            if plugin.name not in state.skip_filter:
                status: Status = plugin.remove_pod(state, pod, other, nodes)
                if not status.is_success:
                    return error(
                        f'running RemovePod on PreFilter plugin "{plugin.name}": {status.message}'
                    )
        return SUCCESS

    # The extension points.

    def pre_enqueue(self, pod: PodInfo, snapshot: Snapshot) -> Status:
        """Return Success, or the first plugin's reason to keep the pod out of the queue."""
        for plugin in self._pre_enqueue:
            status: Status = plugin.pre_enqueue(pod, snapshot)
            if not status.is_success:
                return status.by(plugin.name)
        return SUCCESS

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterOutcome:
        """Run PreFilter; which Filters are skipped goes into ``state``."""
        names: frozenset[str] | None = None
        skipped: set[str] = set()
        narrowing: list[str] = []
        late = SUCCESS
        for plugin in self._pre_filter:
            result = plugin.pre_filter(state, pod, snapshot)
            status: Status = result.status.by(plugin.name)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
                continue
            if status.code is Code.UNSCHEDULABLE:
                late = status
                continue
            if status.code is Code.ERROR:
                text = f'running PreFilter plugin "{plugin.name}": {status.message}'
                return PreFilterOutcome(replace(status, reasons=(text,)))
            if not status.is_success:
                return PreFilterOutcome(status)
            if result.node_names is None:
                continue
            narrowing.append(plugin.name)
            names = result.node_names if names is None else names & result.node_names
            if not names:
                return PreFilterOutcome(_empty_intersection(narrowing))
        state.skip_filter = frozenset(skipped)
        return PreFilterOutcome(late, names, frozenset(narrowing))

    def filter(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> FilterOutcome:
        """Run Filter over ``candidates``; nodes with nominated pods are looked at twice.

        Source: pkg/scheduler/framework/runtime/framework.go (RunFilterPluginsWithNominatedPods).
        """
        outcome = self._filter_plain(state, pod, nodes, candidates)
        for row in self._rows_with_rivals(pod, nodes, candidates):
            first = self._filter_with_rivals(state, pod, nodes, row)
            if first.rejections:
                _override(outcome, row, first, len(nodes))
        return outcome

    def _filter_plain(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> FilterOutcome:
        alive = candidates.copy()
        outcome = FilterOutcome(alive)
        for plugin in self._filter:
            if plugin.name in state.skip_filter:
                continue
            before = alive.copy()
            for rejection in plugin.filter(state, pod, nodes):
                hit = rejection.nodes & before
                if hit.any():
                    outcome.rejections.append((plugin.name, replace(rejection, nodes=hit)))
                    alive &= ~hit
            if not alive.any():
                break
        return outcome

    def _rows_with_rivals(self, pod: PodInfo, nodes: Nodes, candidates: Mask) -> list[int]:
        if self._nominator.is_empty:
            return []
        rows = (row for row in np.flatnonzero(candidates).tolist())
        return [row for row in rows if self._rivals(pod, nodes.info(row).name)]

    def _rivals(self, pod: PodInfo, node: str) -> list[PodInfo]:
        return [
            other
            for other in self._nominator.on(node)
            if other.priority >= pod.priority and other.uid != pod.uid
        ]

    def _filter_with_rivals(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, row: int
    ) -> FilterOutcome:
        copy, one = state.clone(), nodes.copy_row(row)
        for other in self._rivals(pod, nodes.info(row).name):
            status = self.add_pod(copy, pod, other, one)
            if not status.is_success:
                failed = Rejection(status.message, np.ones(1, np.bool_), Code.ERROR)
                return FilterOutcome(np.zeros(1, np.bool_), [("", failed)])
        return self._filter_plain(copy, pod, one, np.ones(1, np.bool_))

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, diagnosis: NodeStatuses
    ) -> PostFilterResult:
        """Run PostFilter until a plugin succeeds, fails or says that nothing can help."""
        reasons: list[str] = []
        nominated: str | None = None
        for plugin in self._post_filter:
            result: PostFilterResult = plugin.post_filter(state, pod, snapshot, diagnosis)
            if result.status.is_success or result.status.code is Code.ERROR:
                return result
            reasons.extend(result.status.reasons)
            if result.nominated_node is not None:
                nominated = result.nominated_node
            if result.status.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
                break
        return PostFilterResult(Status(Code.UNSCHEDULABLE, tuple(reasons)), nominated)

    def scores(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Scores | Status:
        """Return the scores of feasible ``rows``, or the error that ends the attempt."""
        skipped: set[str] = set()
        for plugin in self._pre_score:
            status = plugin.pre_score(state, pod, snapshot, rows)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
            elif not status.is_success:
                return error(f'running PreScore plugin "{plugin.name}": {status.message}')
        state.skip_score = frozenset(skipped)
        return self._score_all(state, pod, snapshot, rows)

    def _score_all(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Scores | Status:
        raw: dict[str, Ints] = {}
        for plugin in self._score:
            if plugin.name in state.skip_score:
                continue
            answer = plugin.score(state, pod, snapshot, rows)
            if isinstance(answer, Status):
                return error(
                    f'running Score plugins: plugin "{plugin.name}" failed with: {answer.message}'
                )
            raw[plugin.name] = answer
        return self._weigh(state, pod, raw, len(rows))

    def _weigh(
        self, state: CycleState, pod: PodInfo, raw: Mapping[str, Ints], count: int
    ) -> Scores | Status:
        totals = np.zeros(count, np.int64)
        weighted: dict[str, Ints] = {}
        for name, scores in raw.items():
            plugin = self.plugins[name]
            normal = scores
            if isinstance(plugin, NormalizeScorePlugin):
                normal = plugin.normalize_score(state, pod, scores)
            wrong = np.flatnonzero((normal < 0) | (normal > MAX_NODE_SCORE))
            if wrong.size:
                return error(
                    f'applying score defaultWeights on Score plugins: plugin "{name}" returns an '
                    f"invalid score {normal[wrong[0]]}, it should in the range of [0, 100] "
                    "after normalizing"
                )
            weighted[name] = normal * self.profile.score_weights[name]
            totals += weighted[name]
        if not self._score:
            totals += 1
        return Scores(weighted, totals, raw)

    def reserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> Status:
        """Run Reserve; on failure what was reserved is given back in reverse order."""
        for at, plugin in enumerate(self._reserve):
            status = plugin.reserve(state, pod, snapshot, node)
            if status.is_success:
                continue
            for done in reversed(self._reserve[: at + 1]):
                done.unreserve(state, pod, snapshot, node)
            if status.is_rejected:
                return cast("Status", status.by(plugin.name))
            return error(f'running Reserve plugin "{plugin.name}": {status.message}')
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> None:
        """Give back what was reserved, in reverse order."""
        for plugin in reversed(self._reserve):
            plugin.unreserve(state, pod, snapshot, node)


def one_status(outcome: FilterOutcome) -> Status:
    """Return the status of the one row of a filter outcome."""
    if not outcome.rejections:
        return SUCCESS
    failed = [(p, r) for p, r in outcome.rejections if r.code is Code.ERROR]
    if failed:
        plugin, rejection = failed[0]
        return Status(Code.ERROR, (error_text(plugin, rejection.reason),), plugin)
    code = max(rejection.code for _, rejection in outcome.rejections)
    reasons = tuple(rejection.reason for _, rejection in outcome.rejections)
    return Status(code, reasons, outcome.rejections[0][0])


def error_text(plugin: str, text: str) -> str:
    """Return a Filter error as the attempt reports it; AddPod's errors bring their own words."""
    return f'running "{plugin}" filter plugin: {text}' if plugin else text


def _override(outcome: FilterOutcome, row: int, first: FilterOutcome, count: int) -> None:
    """Replace one row's answer by that of the pass with nominated pods."""
    for _, rejection in outcome.rejections:
        rejection.nodes[row] = False
    outcome.rejections = [(p, r) for p, r in outcome.rejections if r.nodes.any()]
    outcome.passed[row] = False
    for plugin, rejection in first.rejections:
        nodes = np.zeros(count, np.bool_)
        nodes[row] = True
        outcome.rejections.append((plugin, replace(rejection, nodes=nodes)))


def _empty_intersection(narrowing: list[str]) -> Status:
    if len(narrowing) == 1:
        reason = f"node(s) didn't satisfy plugin {narrowing[0]}"
    else:
        reason = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(narrowing))}] simultaneously"
    return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (reason,), narrowing[-1])
