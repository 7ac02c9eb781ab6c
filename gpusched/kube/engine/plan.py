"""What one shape of pod means for every node: worked out once, kept while nothing it reads changes.

A plan asks the reference plugins, never a copy of them: those that read node objects alone are
asked once for all rows, those that read resources are asked once per node state.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import MAX_NODE_SCORE, NormalizeScorePlugin
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Status

READS_OBJECTS: Final = frozenset(
    {"NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodeDeclaredFeatures"}
)
"""Filters that read nothing of a node but its object."""

READS_RESOURCES: Final = frozenset({"NodeResourcesFit", "NodeResourcesBalancedAllocation"})
"""Plugins that read a node's resources, free and used, and its number of pods, nothing else."""

SCORES_OBJECTS: Final = frozenset({"TaintToleration", "NodeAffinity", "ImageLocality"})
"""Scores that read nothing of a node but its object."""

SCORES_ZERO: Final = frozenset({"DynamicResources"})
"""Scores that are 0 for every node where their PreFilter had nothing to say."""

UNKNOWN: Final = -2
INFEASIBLE: Final = -1
_FIRST_STATES: Final = 64


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

    Attributes:
        state: The cycle state after PreFilter and PreScore.
        allowed: False for rows that some object filter turns away; shape (N,); None if none is.
        verdicts: By node state: `UNKNOWN`, `INFEASIBLE`, or the weighted score of all plugins
            that read resources; shape (capacity,).
        fixed: Weighted scores that hang on node objects alone and need no normalising, shape
            (N,); None if they are equal everywhere.
        varying: Scores to normalise attempt by attempt.
    """

    def __init__(self, framework: Framework, snapshot: Snapshot, pod: PodInfo) -> None:
        self.state = CycleState()
        self._framework = framework
        self._pod = pod
        prepared = framework.pre_filter(self.state, pod, snapshot)
        if not prepared.status.is_success:
            raise OutsidePlanError("PreFilter rejects the pod")
        if prepared.node_names is not None:
            raise OutsidePlanError("PreFilter names the nodes")
        self.allowed = self._ask_filters(snapshot)
        self.verdicts: Ints = np.full(_FIRST_STATES, UNKNOWN, np.int64)
        self._resource_scorers: list[tuple[Any, int]] = []
        self.varying: list[VaryingScore] = []
        self.fixed = self._ask_scorers(snapshot)

    def _ask_filters(self, snapshot: Snapshot) -> Mask | None:
        nodes = snapshot.nodes
        allowed = np.ones(len(nodes), np.bool_)
        self._resource_filters: list[Any] = []
        for plugin in self._framework.filters:
            if plugin.name in self.state.skip_filter:
                continue
            if plugin.name in READS_RESOURCES:
                self._resource_filters.append(plugin)
            elif plugin.name in READS_OBJECTS:
                for rejection in plugin.filter(self.state, self._pod, nodes):
                    allowed &= ~rejection.nodes
            else:
                raise OutsidePlanError(f"{plugin.name} filters")
        return None if allowed.all() else allowed

    def _ask_scorers(self, snapshot: Snapshot) -> Ints | None:
        rows = snapshot.order
        status = self._framework.pre_score(self.state, self._pod, snapshot, rows)
        if not status.is_success:
            raise OutsidePlanError("PreScore fails")
        fixed = np.zeros(len(rows), np.int64)
        for plugin in self._framework.scorers:
            weight = self._framework.profile.score_weights[plugin.name]
            if plugin.name in self.state.skip_score:
                continue
            if plugin.name in READS_RESOURCES:
                self._resource_scorers.append((plugin, weight))
            elif plugin.name in SCORES_OBJECTS:
                self._ask_object_scorer(plugin, weight, snapshot, fixed)
            elif plugin.name not in SCORES_ZERO or plugin.name not in self.state.skip_filter:
                raise OutsidePlanError(f"{plugin.name} scores")
        return fixed if fixed.size and (fixed != fixed[0]).any() else None

    def _ask_object_scorer(self, plugin: Any, weight: int, snapshot: Snapshot, fixed: Ints) -> None:
        """Add to ``fixed`` what is equal everywhere or needs no normalising, else keep it."""
        everywhere = np.arange(len(snapshot.nodes))
        raw = plugin.score(self.state, self._pod, snapshot, everywhere)
        if isinstance(raw, Status):
            raise OutsidePlanError(f"{plugin.name} fails")
        if not isinstance(plugin, NormalizeScorePlugin):
            fixed += raw * weight
        elif (raw == raw[0]).all():
            # All nodes are alike whichever of them turn out to be feasible: the total moves by
            # one number for all, which decides nothing.
            return
        else:
            self.varying.append(VaryingScore(plugin, weight, raw))

    def verdicts_of(self, states: npt.NDArray[np.int32], rows: Ints, snapshot: Snapshot) -> Ints:
        """Return the verdict of each of the ``rows``, given their node states; shape (K,)."""
        self._reserve(int(states.max(initial=0)) + 1)
        found = self.verdicts[states]
        if (found == UNKNOWN).any():
            unknown, first = np.unique(states[found == UNKNOWN], return_index=True)
            samples = rows[np.flatnonzero(found == UNKNOWN)[first]]
            self.verdicts[unknown] = self._judge(samples, snapshot)
            found = self.verdicts[states]
        return found

    def _reserve(self, count: int) -> None:
        if count > len(self.verdicts):
            more = np.full(max(count, len(self.verdicts)), UNKNOWN, np.int64)
            self.verdicts = np.concatenate([self.verdicts, more])

    def _judge(self, rows: Ints, snapshot: Snapshot) -> Ints:
        """Ask the resource plugins about one node of each state."""
        sample = snapshot.nodes.take_rows(rows)
        passed = np.ones(len(rows), np.bool_)
        for plugin in self._resource_filters:
            for rejection in plugin.filter(self.state, self._pod, sample):
                passed &= ~rejection.nodes
        totals = np.zeros(len(rows), np.int64)
        for plugin, weight in self._resource_scorers:
            raw = plugin.score(self.state, self._pod, snapshot, rows)
            if isinstance(raw, Status) or (passed & ((raw < 0) | (raw > MAX_NODE_SCORE))).any():
                raise OutsidePlanError(f"{plugin.name} gives an invalid score")
            totals += raw * weight
        return np.where(passed, totals, INFEASIBLE)

    def totals(self, verdicts: Ints, rows: Ints) -> Ints:
        """Return what to compare feasible rows by: their total score up to a common summand."""
        totals = verdicts
        if self.fixed is not None:
            totals = totals + self.fixed[rows]
        for score in self.varying:
            normal = score.plugin.normalize_score(self.state, self._pod, score.raw[rows])
            totals = totals + normal * score.weight
        return totals
