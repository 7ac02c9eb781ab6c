"""Running PreScore, Score and NormalizeScore, and weighing the result.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go (RunPreScorePlugins,
RunScorePlugins), v1.36.1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import (
    MAX_NODE_SCORE,
    NormalizeScorePlugin,
    PreScorePlugin,
    ScorePlugin,
)
from gpusched.kube.framework.outcomes import Scores
from gpusched.kube.framework.status import SUCCESS, Code, Status, error


class Scoring:
    """The PreScore and Score plugins of a profile.

    Args:
        pre_score: PreScore plugins in order.
        plugins: Score plugins in order.
        weights: By plugin name.
    """

    def __init__(
        self,
        pre_score: Sequence[PreScorePlugin],
        plugins: Sequence[ScorePlugin],
        weights: Mapping[str, int],
    ) -> None:
        self._pre_score = pre_score
        self.plugins = plugins
        self._weights = weights
        self._normalizers = {
            plugin.name: plugin for plugin in plugins if isinstance(plugin, NormalizeScorePlugin)
        }

    def run(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Scores | Status:
        """Return the scores of feasible ``rows``, or the error that ends the attempt."""
        status = self.prepare(state, pod, snapshot, rows)
        if not status.is_success:
            return status
        raw: dict[str, Ints] = {}
        for plugin in self.plugins:
            if plugin.name in state.skip_score:
                continue
            answer = plugin.score(state, pod, snapshot, rows)
            if isinstance(answer, Status):
                return error(
                    f'running Score plugins: plugin "{plugin.name}" failed with: {answer.message}'
                )
            raw[plugin.name] = answer
        return self._weigh(state, pod, raw, len(rows))

    def prepare(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Status:
        """Run PreScore; which Scores are skipped goes into ``state``."""
        skipped: set[str] = set()
        for plugin in self._pre_score:
            status = plugin.pre_score(state, pod, snapshot, rows)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
            elif not status.is_success:
                return error(f'running PreScore plugin "{plugin.name}": {status.message}')
        state.skip_score = frozenset(skipped)
        return SUCCESS

    def _weigh(
        self, state: CycleState, pod: PodInfo, raw: Mapping[str, Ints], count: int
    ) -> Scores | Status:
        """Sum up; without any Score plugin every node gets 1."""
        totals = np.zeros(count, np.int64) if self.plugins else np.ones(count, np.int64)
        weighted: dict[str, Ints] = {}
        for name, scores in raw.items():
            normalizer = self._normalizers.get(name)
            normal = scores
            if normalizer is not None:
                normal = normalizer.normalize_score(state, pod, scores)
            if normal.min() < 0 or normal.max() > MAX_NODE_SCORE:
                return _out_of_range(name, normal)
            weighted[name] = normal * self._weights[name]
            totals += weighted[name]
        return Scores(weighted, totals, raw)


def _out_of_range(name: str, scores: Ints) -> Status:
    wrong = scores[(scores < 0) | (scores > MAX_NODE_SCORE)][0]
    return error(
        f'applying score defaultWeights on Score plugins: plugin "{name}" returns an invalid '
        f"score {wrong}, it should in the range of [0, {MAX_NODE_SCORE}] after normalizing"
    )
