"""A profile's plugins, built once and called in order.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go, v1.36.1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from gpusched.api.config import ExtensionPoint, Profile
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.filtering import Filtering
from gpusched.kube.framework.interface import (
    DeviceCountingPlugin,
    DeviceCounts,
    FilterPlugin,
    GateByShape,
    Handle,
    LabelReader,
    NodeStatuses,
    Plugin,
    PostFilterPlugin,
    PostFilterResult,
    PreEnqueuePlugin,
    PreFilterExtensions,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
    ScorePlugin,
    SparingReserve,
)
from gpusched.kube.framework.outcomes import FilterOutcome, PreFilterOutcome, Scores
from gpusched.kube.framework.scoring import Scoring
from gpusched.kube.framework.status import SUCCESS, Code, Status, error, unresolvable
from gpusched.kube.nominator import Nominator

PluginFactory: TypeAlias = Callable[[Any, Handle], Plugin]
Registry: TypeAlias = Mapping[str, PluginFactory]


class Framework:
    """One profile, ready to run. Also the `Handle` of its plugins.

    Args:
        profile: Which plugins, in which order, with which arguments and weights.
        registry: Name to factory (`gpusched.kube.plugins.IN_TREE`, and the user's own).
        nominator: Who is nominated where; shared by all profiles of a scheduler.
        lots: The preemption stream: ``lots(n)`` gives a number in [0, n).

    Attributes:
        profile: The profile.
        plugins: Its plugins by name.
        lots: As given.
        label_readers: Those that read a pod's labels or owner.
        has_score: Whether any Score plugin is enabled.
        prepares_all: Whether all plugins that prepare for Filter or Score are enabled where they
            do so, too; Filter fails without.
        drawn: The bound of the number that the last PostFilter drew; 0 if it drew none.
    """

    def __init__(
        self,
        profile: Profile,
        registry: Registry,
        nominator: Nominator,
        lots: Callable[[int], int] = lambda _bound: 0,
    ) -> None:
        self.profile = profile
        self._nominator = nominator
        self.lots = lots
        self.drawn = 0
        arguments = {**profile.other_args, **profile.args}
        names = dict.fromkeys(name for point in profile.plugins.values() for name in point)
        self.plugins: Mapping[str, Plugin] = {
            name: registry[name](arguments.get(name), self) for name in names
        }
        at, point = self._at, ExtensionPoint
        self._gates = [(p, _opening(p)) for p in at(point.PRE_ENQUEUE, PreEnqueuePlugin)]
        self._pre_filter: list[PreFilterPlugin] = at(point.PRE_FILTER, PreFilterPlugin)
        self._post_filter: list[PostFilterPlugin] = at(point.POST_FILTER, PostFilterPlugin)
        self._reserve: list[ReservePlugin] = at(point.RESERVE, ReservePlugin)
        extensions = [p for p in self._pre_filter if isinstance(p, PreFilterExtensions)]
        self._filtering = Filtering(at(point.FILTER, FilterPlugin), extensions, nominator)
        pre_score, score = at(point.PRE_SCORE, PreScorePlugin), at(point.SCORE, ScorePlugin)
        self._scoring = Scoring(pre_score, score, profile.score_weights)
        counters = (p for p in self.plugins.values() if isinstance(p, DeviceCountingPlugin))
        self.label_readers = [p for p in self.plugins.values() if isinstance(p, LabelReader)]
        self._device_counter = next(counters, None)
        self.has_score = bool(profile.plugins.get(ExtensionPoint.SCORE))
        self.prepares_all = all(
            plugin in prepared or not isinstance(plugin, kind)
            for plugins, prepared, kind in (
                (self.filters, self._pre_filter, PreFilterPlugin),
                (score, pre_score, PreScorePlugin),
            )
            for plugin in plugins
        )

    def _at(self, point: ExtensionPoint, kind: type) -> list[Any]:
        """Names without code at a point (DefaultBinder at Bind, say) are carried by the cycle."""
        plugins = [self.plugins[name] for name in self.profile.plugins.get(point, ())]
        return [plugin for plugin in plugins if isinstance(plugin, kind)]

    @property
    def has_post_filter(self) -> bool:
        """Return whether any PostFilter plugin is enabled."""
        return bool(self._post_filter)

    @property
    def nominator(self) -> Nominator:
        """See `Handle`."""
        return self._nominator

    @property
    def filters(self) -> Sequence[FilterPlugin]:
        """Return the Filter plugins in order."""
        return self._filtering.plugins

    @property
    def scorers(self) -> Sequence[ScorePlugin]:
        """Return the Score plugins in order."""
        return self._scoring.plugins

    # The Handle.

    def devices_of(self, resource: str, snapshot: Snapshot, rows: Ints) -> DeviceCounts | None:
        """See `Handle`."""
        device_class = snapshot.objects.class_of_resource(resource)
        if device_class is None or self._device_counter is None:
            return None
        return self._device_counter.count_devices(device_class, snapshot, rows)

    def active_filters(self, state: CycleState) -> Sequence[str]:
        """See `Handle`."""
        names = (plugin.name for plugin in self._filtering.plugins)
        return [name for name in names if name not in state.skip_filter]

    def draw(self, bound: int) -> int:
        """See `Handle`."""
        self.drawn = bound
        return self.lots(bound)

    @contextmanager
    def drawing(self, lots: Callable[[int], int]) -> Iterator[None]:
        """Draw from another stream for a while."""
        own, self.lots = self.lots, lots
        try:
            yield
        finally:
            self.lots = own

    def filter_one(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`; the status names the plugin."""
        return self.filter(state, pod, nodes, np.ones(1, np.bool_)).status()

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`."""
        return self._filtering.add_pod(state, pod, other, nodes)

    def remove_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `Handle`."""
        return self._filtering.remove_pod(state, pod, other, nodes)

    # The extension points.

    def pre_enqueue(self, pod: PodInfo, snapshot: Snapshot, gate: str = "") -> Status:
        """Return Success, or the first plugin's reason to keep the pod out of the queue.

        Args:
            pod: The pod.
            snapshot: The cluster.
            gate: The plugin that keeps the pod out already; it is asked first.
        """
        plugins = pod.shape.memo(self, self._gatekeepers)
        if gate:
            plugins = sorted(plugins, key=lambda plugin: plugin.name != gate)
        for plugin in plugins:
            status = plugin.pre_enqueue(pod, snapshot)
            if not status.is_success:
                return status.by(plugin.name)
        return SUCCESS

    def _gatekeepers(self, shape: PodShape) -> list[PreEnqueuePlugin]:
        """Return the PreEnqueue plugins that may keep pods of a shape out."""
        return [plugin for plugin, lets_in in self._gates if not lets_in(shape)]

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterOutcome:
        """Run PreFilter; which Filters are skipped goes into ``state``."""
        names: frozenset[str] | None = None
        skipped: set[str] = set()
        narrowing: list[str] = []
        late = SUCCESS
        for plugin in self._pre_filter:
            result = plugin.pre_filter(state, pod, snapshot)
            code = result.status.code
            if code is Code.SKIP:
                skipped.add(plugin.name)
            elif code is Code.UNSCHEDULABLE:
                late = result.status.by(plugin.name)
            elif code is not Code.SUCCESS:
                return PreFilterOutcome(_ended_by(plugin.name, result.status))
            elif result.node_names is not None:
                narrowing.append(plugin.name)
                names = result.node_names if names is None else names & result.node_names
                if not names:
                    return PreFilterOutcome(_empty_intersection(narrowing))
        state.skip_filter = frozenset(skipped)
        return PreFilterOutcome(late, names, frozenset(narrowing))

    def filter(
        self, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> FilterOutcome:
        """Run Filter over ``candidates``; nodes with nominated pods are looked at twice."""
        return self._filtering.run(state, pod, nodes, candidates)

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, diagnosis: NodeStatuses
    ) -> PostFilterResult:
        """Run PostFilter until a plugin succeeds, fails or says that nothing can help."""
        reasons: list[str] = []
        nominated: str | None = None
        self.drawn = 0
        for plugin in self._post_filter:
            result = plugin.post_filter(state, pod, snapshot, diagnosis)
            if result.status.code is Code.ERROR:
                return PostFilterResult(result.status)
            if result.status.code is not Code.UNSCHEDULABLE:
                return result
            reasons.extend(result.status.reasons)
            if result.nominated_node is not None:
                nominated = result.nominated_node
        return PostFilterResult(Status(Code.UNSCHEDULABLE, tuple(reasons)), nominated)

    def scores(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Scores | Status:
        """Return the scores of feasible ``rows``, or the error that ends the attempt."""
        return self._scoring.run(state, pod, snapshot, rows)

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Status:
        """Run PreScore alone; which Scores are skipped goes into ``state``."""
        return self._scoring.prepare(state, pod, snapshot, rows)

    def reserves_nothing(self, state: CycleState) -> bool:
        """Return whether neither Reserve nor PreBind has anything to do for a pod."""
        return all(isinstance(p, SparingReserve) and p.is_idle(state) for p in self._reserve)

    def reserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> Status:
        """Run Reserve; on failure everything is given back."""
        for plugin in self._reserve:
            status = plugin.reserve(state, pod, snapshot, node)
            if status.is_success:
                continue
            self.unreserve(state, pod, snapshot, node)
            if status.is_rejected:
                return status.by(plugin.name)
            return error(f'running Reserve plugin "{plugin.name}": {status.message}')
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> None:
        """Give back what was reserved, in reverse order; all plugins are asked."""
        for plugin in reversed(self._reserve):
            plugin.unreserve(state, pod, snapshot, node)


def _opening(plugin: PreEnqueuePlugin) -> Callable[[PodShape], bool]:
    """Return who tells of a shape that the plugin keeps none of its pods out."""
    return plugin.lets_in if isinstance(plugin, GateByShape) else lambda _shape: False


def _ended_by(plugin: str, status: Status) -> Status:
    """Return the PreFilter answer that ends the attempt, with its author."""
    if status.is_rejected:
        return status.by(plugin)
    return error(f'running PreFilter plugin "{plugin}": {status.message}').by(plugin)


def _empty_intersection(narrowing: list[str]) -> Status:
    if len(narrowing) == 1:
        reason = f"node(s) didn't satisfy plugin {narrowing[0]}"
    else:
        reason = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(narrowing))}] simultaneously"
    return unresolvable(reason).by(narrowing[-1])
