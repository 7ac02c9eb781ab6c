"""One attempt made again and taken apart: every node, every plugin, every score."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PodInfo
from gpusched.explain.changes import Change, changes_for, effort
from gpusched.explain.explanation import Explanation, NodeVerdict, PluginScore
from gpusched.kube.cycle import (
    Attempt,
    Result,
    Search,
    TieBreak,
    heap_tie_break,
    name_tie_break,
    schedule,
)
from gpusched.kube.framework.interface import FilterPlugin
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code

_TIES: Final[Mapping[TieBreak, str]] = {
    heap_tie_break: (
        "as upstream's heap gives it: the first of the best in a pre-order walk of the feasible "
        "nodes, in the order in which they were found"
    ),
    name_tie_break: "the name that sorts first",
}
_AT_RANDOM: Final = "drawn from the run's own random stream"
_MOST: Final = 12
"""Nodes that are named for one smallest change."""


def explain(framework: Framework, snapshot: Snapshot, pod: PodInfo, search: Search) -> Explanation:
    """Return one attempt taken apart; nothing is changed.

    Args:
        framework: The profile that decides.
        snapshot: The cluster as the attempt sees it.
        pod: The pod, not yet bound.
        search: How much of the cluster is looked at, from where, and how ties fall.
    """
    attempt = schedule(framework, snapshot, pod, search)
    return _Anatomy(framework, snapshot, pod, attempt).explanation(_TIES.get(search.tie_break))


@dataclass(frozen=True, slots=True)
class _Anatomy:
    """An attempt and what it was made with."""

    framework: Framework
    snapshot: Snapshot
    pod: PodInfo
    attempt: Attempt

    def explanation(self, tie_rule: str | None) -> Explanation:
        attempt = self.attempt
        failed = attempt.result is not Result.SCHEDULED
        verdicts = tuple(self._verdicts())
        tied = [self._name(row) for row in attempt.ties.tolist()]
        candidates = self._candidates()
        nominated = next(iter(candidates), "")
        return Explanation(
            pod=self.pod.key,
            scheduler=self.framework.profile.scheduler_name,
            result=attempt.result.value,
            message=attempt.message if failed else "",
            node="" if failed else self._name(attempt.row),
            nodes=verdicts,
            skipped=tuple(sorted(attempt.state.skip_filter)),
            pre_filter=attempt.diagnosis.pre_filter,
            ties=tuple(tied),
            tie=(tie_rule or _AT_RANDOM) if len(tied) > 1 else "",
            nominated=nominated,
            victims=candidates.get(nominated, ()),
            candidates=candidates,
            smallest_change=_smallest(verdicts) if failed else {},
        )

    def _name(self, row: int) -> str:
        return self.snapshot.nodes.info(row).name

    def _candidates(self) -> dict[str, tuple[str, ...]]:
        """Return the victims by node, of the nodes that are equally good to preemption."""
        result = self.attempt.post_filter
        found = () if result is None else result.candidates
        return {victims.node: tuple(pod.key for pod in victims.pods) for victims in found}

    def _verdicts(self) -> Iterable[NodeVerdict]:
        refusals = self._all_refusals()
        position = {row: at for at, row in enumerate(self.attempt.feasible.tolist())}
        for row in self.snapshot.order.tolist():
            if row in position:
                yield self._feasible(row, position[row])
            else:
                yield self._refused(row, refusals.get(row, {}))

    def _feasible(self, row: int, at: int) -> NodeVerdict:
        scores = self.attempt.scores
        return NodeVerdict(
            node=self._name(row),
            feasible=True,
            passed=self._passed(""),
            scores=self._scores(at),
            total=None if scores is None else int(scores.totals[at]),
        )

    def _refused(self, row: int, refusals: Mapping[str, tuple[str, ...]]) -> NodeVerdict:
        diagnosis = self.attempt.diagnosis
        name = self._name(row)
        own = [(plugin, r) for plugin, r in diagnosis.rejections if r.nodes[row]]
        if not own and self.attempt.result is Result.SCHEDULED and not diagnosis.absent.reasons:
            return NodeVerdict(name, feasible=False, looked_at=False)
        code = Code(diagnosis.code_of(row))
        plugin = own[0][0] if own else diagnosis.absent.plugin
        return NodeVerdict(
            node=name,
            feasible=False,
            passed=self._passed(plugin) if own else (),
            refused_by=plugin,
            reasons=tuple(r.reason for _, r in own) or diagnosis.absent.reasons,
            code=code.label,
            eviction_could_help=code is Code.UNSCHEDULABLE,
            changes=changes_for(self.pod, self.snapshot, row, refusals),
        )

    def _passed(self, refused_by: str) -> tuple[str, ...]:
        """Return the filters that were asked before the one that refused."""
        skipped = self.attempt.state.skip_filter
        asked = [plugin.name for plugin in self.framework.filters if plugin.name not in skipped]
        return tuple(asked[: asked.index(refused_by)] if refused_by in asked else asked)

    def _all_refusals(self) -> dict[int, dict[str, tuple[str, ...]]]:
        """Return, by row, the reasons of every plugin that would refuse, the first or not."""
        found: dict[int, dict[str, tuple[str, ...]]] = {}
        if self.attempt.diagnosis.pre_filter or self.attempt.result is Result.ERROR:
            return found
        for plugin in self._asked():
            for rejection in plugin.filter(self.attempt.state, self.pod, self.snapshot.nodes):
                if rejection.code is Code.ERROR:
                    continue
                for row in np.flatnonzero(rejection.nodes).tolist():
                    of_node = found.setdefault(row, {})
                    of_node[plugin.name] = (*of_node.get(plugin.name, ()), rejection.reason)
        return found

    def _asked(self) -> list[FilterPlugin]:
        skipped = self.attempt.state.skip_filter
        return [plugin for plugin in self.framework.filters if plugin.name not in skipped]

    def _scores(self, at: int) -> dict[str, PluginScore]:
        """Return the scores of the feasible node that was found at a position."""
        scores = self.attempt.scores
        if scores is None:
            return {}
        weights = self.framework.profile.score_weights
        return {
            name: PluginScore(
                int(scores.raw[name][at]), int(column[at]) // weights[name], int(column[at])
            )
            for name, column in scores.by_plugin.items()
        }


def _smallest(verdicts: Iterable[NodeVerdict]) -> dict[str, tuple[Change, ...]]:
    """Return the nodes that the least work would make fit, and the work."""
    ranked = [(effort(verdict.changes), verdict) for verdict in verdicts if verdict.changes]
    if not ranked:
        return {}
    least = min(rank for rank, _ in ranked)
    best = [verdict for rank, verdict in ranked if rank == least]
    return {verdict.node: verdict.changes for verdict in best[:_MOST]}
