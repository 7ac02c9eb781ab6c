"""What one shape of pod means for every node: worked out once, kept while nothing it reads changes.

A plan asks the reference plugins, never a copy of them: those that read node objects alone are
asked once for all rows, those that read amounts once per node state (`verdicts`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gpusched.api.config import ExtensionPoint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.pod import PodInfo
from gpusched.kube.engine.openings import Follow
from gpusched.kube.engine.verdicts import READS_AMOUNTS, Asker, Verdicts
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import (
    MAX_NODE_SCORE,
    FollowingFilterPlugin,
    FollowingScorePlugin,
    NormalizeScorePlugin,
    Plugin,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
)
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Status

READS_OBJECTS: Final = frozenset(
    {"NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodeDeclaredFeatures"}
)
"""Filters that read nothing of a node but its object."""

SCORES_OBJECTS: Final = frozenset({"TaintToleration", "NodeAffinity", "ImageLocality"})
"""Scores that read nothing of a node but its object."""

SCORES_ZERO: Final = frozenset({"DynamicResources"})
"""Scores that are 0 for every node where their PreFilter had nothing to say."""

SKIPS_BY_SHAPE: Final = frozenset(
    {"NodePorts", "PodTopologySpread", "DynamicResources", "VolumeBinding"}
    | {"VolumeRestrictions", "NodeVolumeLimits", "VolumeZone", "NodeResourcesBalancedAllocation"}
    | READS_OBJECTS
    | READS_AMOUNTS
    | SCORES_OBJECTS
)
"""Plugins that, having skipped one pod, skip every pod of its shape while the plan is valid,
unless the shape uses volumes or claims. Those that read no labels do so for its kin, too."""

READS_PODS: Final = frozenset({"NodePorts", "PodTopologySpread", "InterPodAffinity"})
"""Live filters that read pods, and of other objects only what `Cache.plan_version` covers."""

LASTING_POST_FILTERS: Final = frozenset({"DefaultPreemption", "DynamicResources"})
"""PostFilters that find nothing to do again while nothing changes on nodes and budgets."""


class OutsidePlanError(Exception):
    """The case is one for the scan; the message says why, for the statistics."""


@dataclass(frozen=True, slots=True, eq=False)
class VaryingScore:
    """A score that differs between nodes and is normalised over those that are feasible.

    Attributes:
        plugin: Normalises.
        weight: Its weight.
        raw: Raw scores of all rows; shape (N,).
    """

    plugin: Any
    weight: int
    raw: Ints


class Plan:
    """One shape's answers on one set of node objects.

    Plugins that read more than node objects and amounts (other pods, say) are *live*: they are
    asked anew at each attempt, by themselves. So are all where devices may stand for a resource
    that the pod asks for: then nodes of one state differ by the devices that they have left.
    Some can follow the pods that come and go instead (`FollowingFilterPlugin`).

    Attributes:
        state: The cycle state after PreFilter and PreScore.
        live_filters: Live plugins that filter.
        live_scorers: Live plugins that score, with their weights.
        followed: Tell which topology domains are open.
        followed_scores: Give feasible rows their scores, with their weights.
        allowed: False for rows that some object filter turns away; shape (N,); None if none is.
        fixed: Weighted scores that hang on node objects alone and need no normalising, shape
            (N,); None if they are equal everywhere.
        varying: Scores to normalise attempt by attempt.
        is_plain: Whether verdicts are all there is to compare nodes by.
    """

    def __init__(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo, verdicts: Verdicts
    ) -> None:
        self.state = CycleState()
        self._framework = framework
        self._pod = pod
        self._verdicts = verdicts
        self._counts_amounts = not _may_have_devices(snapshot, pod)
        self._asker = Asker(pod.shape.requests)
        prepared = framework.pre_filter(self.state, pod, snapshot)
        if not prepared.status.is_success:
            raise OutsidePlanError("PreFilter rejects the pod")
        if prepared.node_names is not None:
            raise OutsidePlanError("PreFilter names the nodes")
        self.live_filters: list[Any] = []
        self.live_scorers: list[tuple[Any, int]] = []
        self.followed: list[Follow] = []
        self.followed_scores: list[tuple[Callable[[Ints], Ints], int]] = []
        self.allowed = self._ask_filters(snapshot)
        self.varying: list[VaryingScore] = []
        self.fixed = self._ask_scorers(snapshot)
        scores = (self.varying, self.live_scorers, self.followed_scores)
        self.is_plain = self.fixed is None and not any(scores)
        prepared_anew = any(isinstance(plugin, ReservePlugin) for plugin in self.live_filters)
        self.state.is_bare = not prepared_anew and framework.reserves_nothing(self.state)

    @property
    def priority(self) -> int:
        """Return the priority of the pods that it is for."""
        return self._pod.priority

    @property
    def looks_at_pods(self) -> bool:
        """Return whether some filter looks at more than node objects and amounts."""
        return bool(self.live_filters or self.followed)

    @property
    def failures_last(self) -> bool:
        """Return whether a failure holds until nodes, pods or `Cache.plan_version` change.

        It does not where volumes, claims, devices or a plugin of the user's own have a say.
        """
        post_filters = self._framework.profile.plugins.get(ExtensionPoint.POST_FILTER, ())
        return LASTING_POST_FILTERS.issuperset(post_filters) and READS_PODS.issuperset(
            plugin.name for plugin in self.live_filters
        )

    def _stays_skipped(self, plugin: Plugin, snapshot: Snapshot) -> bool:
        """Return whether a plugin that has skipped this pod skips all that may use the plan.

        InterPodAffinity may have met terms on nodes without their key: it says itself whether
        they might concern the next pod.
        """
        shape, name = self._pod.shape, plugin.name
        readers = self._framework.label_readers
        if any(reader is plugin and reader.reading(shape, snapshot) is None for reader in readers):
            return True
        if shape.spec.volumes or shape.spec.resource_claims:
            return name in READS_OBJECTS or name in READS_AMOUNTS or name in SCORES_OBJECTS
        return name in SKIPS_BY_SHAPE

    def _ask_filters(self, snapshot: Snapshot) -> Mask | None:
        nodes = snapshot.nodes
        allowed = np.ones(len(nodes), np.bool_)
        for plugin in self._framework.filters:
            if plugin.name in self.state.skip_filter and self._stays_skipped(plugin, snapshot):
                continue
            if plugin.name in READS_AMOUNTS and self._counts_amounts:
                continue
            if plugin.name in READS_OBJECTS:
                for rejection in plugin.filter(self.state, self._pod, nodes):
                    allowed &= ~rejection.nodes
            elif (follow := self._follow_filter(plugin, snapshot)) is not None:
                self.followed.append(follow)
            else:
                self.live_filters.append(plugin)
        return None if allowed.all() else allowed

    def _ask_scorers(self, snapshot: Snapshot) -> Ints | None:
        rows = snapshot.order
        status = self._framework.pre_score(self.state, self._pod, snapshot, rows)
        if not status.is_success:
            raise OutsidePlanError("PreScore fails")
        fixed = np.zeros(len(rows), np.int64)
        for plugin in self._framework.scorers:
            weight = self._framework.profile.score_weights[plugin.name]
            if plugin.name in self.state.skip_score and self._stays_skipped(plugin, snapshot):
                continue
            if plugin.name in READS_AMOUNTS and self._counts_amounts:
                continue
            if plugin.name in SCORES_OBJECTS:
                self._ask_object_scorer(plugin, weight, snapshot, fixed)
            elif isinstance(plugin, FollowingScorePlugin):
                self._follow_score(plugin, weight, snapshot)
            elif plugin.name not in SCORES_ZERO or plugin in self.live_filters:
                self.live_scorers.append((plugin, weight))
        return fixed if fixed.size and (fixed != fixed[0]).any() else None

    def _follow_filter(self, plugin: Any, snapshot: Snapshot) -> Follow | None:
        if not isinstance(plugin, FollowingFilterPlugin):
            return None
        return plugin.follow_filter(self._pod.shape, snapshot)

    def _follow_score(self, plugin: FollowingScorePlugin, weight: int, snapshot: Snapshot) -> None:
        follow = plugin.follow_score(self._pod.shape, snapshot)
        if follow is None:
            self.live_scorers.append((plugin, weight))
        else:
            self.followed_scores.append((follow, weight))

    def _ask_object_scorer(self, plugin: Any, weight: int, snapshot: Snapshot, fixed: Ints) -> None:
        """Add to ``fixed`` what is equal everywhere or needs no normalising, else keep it."""
        everywhere = np.arange(len(snapshot.nodes))
        raw = plugin.score(self.state, self._pod, snapshot, everywhere)
        if isinstance(raw, Status):
            raise OutsidePlanError(f"{plugin.name} fails")
        if (raw == raw[0]).all():
            # All nodes are alike whichever of them turn out to be feasible: the total moves by
            # one number for all, which decides nothing.
            return
        if isinstance(plugin, NormalizeScorePlugin):
            self.varying.append(VaryingScore(plugin, weight, raw))
        else:
            fixed += raw * weight

    def known_verdicts(self) -> Ints:
        """Return what is known of nodes in each state, by their amounts; shape (>= states,)."""
        if not self._counts_amounts:
            return np.zeros(self._verdicts.states, np.int64)
        return self._verdicts.known(self._asker)

    def verdicts_of(self, states: Ints) -> Ints:
        """Return the verdicts on nodes in these states, by their amounts; shape (K,)."""
        if not self._counts_amounts:
            return np.zeros(len(states), np.int64)
        return self._verdicts.of(self._asker, states)

    def open_to(self, snapshot: Snapshot, pod: PodInfo) -> Mask:
        """Return where live filters let the pod go; shape (N,); call it before `live_totals`."""
        passed = np.ones(len(snapshot.nodes), np.bool_)
        for plugin in self.live_filters:
            if not self._prepare_live(plugin, snapshot, pod):
                continue
            for rejection in plugin.filter(self.state, pod, snapshot.nodes):
                if rejection.code is Code.ERROR:
                    raise OutsidePlanError(f"{plugin.name} fails")
                passed &= ~rejection.nodes
        return passed

    def _prepare_live(self, plugin: Any, snapshot: Snapshot, pod: PodInfo) -> bool:
        """Run a live plugin's PreFilter; return whether its Filter has anything to say."""
        if not isinstance(plugin, PreFilterPlugin):
            return True
        result = plugin.pre_filter(self.state, pod, snapshot)
        if result.status.code is Code.SKIP:
            return False
        if not result.status.is_success or result.node_names is not None:
            raise OutsidePlanError(f"{plugin.name} rejects the pod, or names the nodes")
        return True

    def live_totals(self, snapshot: Snapshot, pod: PodInfo, rows: Ints) -> Ints:
        """Return what live plugins add to the feasible rows' totals; shape (K,)."""
        totals = np.zeros(len(rows), np.int64)
        for plugin, weight in self.live_scorers:
            if isinstance(plugin, PreScorePlugin):
                status = plugin.pre_score(self.state, pod, snapshot, rows)
                if status.code is Code.SKIP:
                    continue
                if not status.is_success:
                    raise OutsidePlanError(f"{plugin.name} fails")
            raw = plugin.score(self.state, pod, snapshot, rows)
            if isinstance(raw, Status):
                raise OutsidePlanError(f"{plugin.name} fails")
            if isinstance(plugin, NormalizeScorePlugin):
                raw = plugin.normalize_score(self.state, pod, raw)
            if raw.min() < 0 or raw.max() > MAX_NODE_SCORE:
                raise OutsidePlanError(f"{plugin.name} gives an invalid score")
            totals += raw * weight
        return totals

    def totals(self, verdicts: Ints, rows: Ints) -> Ints:
        """Return what to compare feasible rows by: their total score up to a common summand.

        What live plugins add is not among it.
        """
        totals = verdicts
        if self.fixed is not None:
            totals = totals + self.fixed[rows]
        for score in self.varying:
            normal = score.plugin.normalize_score(self.state, self._pod, score.raw[rows])
            totals = totals + normal * score.weight
        for give, weight in self.followed_scores:
            totals = totals + give(rows) * weight
        return totals


def _may_have_devices(snapshot: Snapshot, pod: PodInfo) -> bool:
    """Return whether devices may stand for a resource that the pod asks for."""
    if not len(snapshot.objects.device_classes):
        return False
    names = snapshot.nodes.resources.names
    asked = (names[row] for row in pod.shape.requests.rows)
    return any(snapshot.objects.class_of_resource(name) is not None for name in asked)
