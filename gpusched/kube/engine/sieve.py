"""Filter's answers remembered by shape and node, while the filters look at one node alone.

What Filter says of a node then hangs on the node's object, its amounts and ports, and on the pods
nominated to it: whoever asks again, because no node fits or somebody is nominated, asks about the
nodes that have changed.
"""

from collections.abc import Collection
from itertools import compress
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gpusched.cluster.cache import Cache
from gpusched.cluster.news import NewsReader
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.filtering import OBJECT_FILTERS, all_local
from gpusched.kube.framework.outcomes import FilterOutcome
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Rejection

_MOST_SHAPES: Final = 64
_PASSED: Final = 0
_NOWHERE: Final = -1
_FEW: Final = 8
_Key: TypeAlias = tuple[str, object]
_Answer: TypeAlias = tuple[tuple[str, str, Code], ...]


class Sieve:
    """Runs Filter over the nodes of one cache.

    Args:
        cache: The cluster.

    Attributes:
        asked: How many nodes the plugins were asked about.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[_Key, _Answers | None] = {}
        self.asked = 0

    def run(
        self, framework: Framework, state: CycleState, pod: PodInfo, nodes: Nodes, candidates: Mask
    ) -> FilterOutcome:
        """Do what `Framework.filter` does.

        A shape that is filtered for the first time, and most often the last, is not worth an entry.
        """
        count = int(np.count_nonzero(candidates))
        if not all_local(framework.active_filters(state)):
            self.asked += count
            return framework.filter(state, pod, nodes, candidates)
        if count == 1:
            return self._ask_one(framework, state, pod, candidates)
        key = (framework.profile.scheduler_name, pod.shape.kin)  # nobody here reads labels
        if key not in self._known:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[key] = None
            self.asked += count
            return framework.filter(state, pod, nodes, candidates)
        answers = self._known[key]
        if answers is None:
            answers = self._known[key] = _Answers(self._cache, framework)
        self.asked += answers.catch_up(state, pod)
        outcome = answers.outcome()
        if count == len(nodes):
            return outcome
        return FilterOutcome(outcome.passed & candidates, outcome.within(candidates))

    def _ask_one(
        self, framework: Framework, state: CycleState, pod: PodInfo, candidates: Mask
    ) -> FilterOutcome:
        """Ask about a single node: the nominated one."""
        self.asked += 1
        row = candidates.nonzero()[0]
        found = framework.filter(state, pod, self._cache.nodes.take_rows(row), np.ones(1, np.bool_))
        whole = FilterOutcome(candidates.copy())
        whole.replace_rows(row, found)
        return whole


class _Answers:
    """What Filter says of every node to the pods of one shape.

    Args:
        cache: The cluster.
        framework: The profile.
    """

    def __init__(self, cache: Cache, framework: Framework) -> None:
        self._cache = cache
        self._framework = framework
        self._version: tuple[object, ...] = ()
        self._rows = NewsReader(cache.nodes.news)
        self._nominations = NewsReader(framework.nominator.news)
        self._own = _NOWHERE
        self._number: dict[_Answer, int] = {(): _PASSED}
        self._outs = [False]
        self._answers: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._outcome: FilterOutcome | None = None

    def catch_up(self, state: CycleState, pod: PodInfo) -> int:
        """Ask about the nodes that may have changed; return how many."""
        nodes = self._cache.nodes
        rows = self._stale(self._version_of(state), pod)
        if rows is None:
            self._answers = np.full(len(nodes), -1, np.int32)
            everywhere = np.ones(len(nodes), np.bool_)
            found = self._framework.filter(state, pod, nodes, everywhere)
            self._put(np.arange(len(nodes)), found)
            return len(nodes)
        few = np.array(sorted(row for row in rows if not self._is_out(row)), np.int64)
        if len(few):
            amounts_only = state.without_filters(OBJECT_FILTERS)
            everywhere = np.ones(len(few), np.bool_)
            found = self._framework.filter(amounts_only, pod, nodes.take_rows(few), everywhere)
            self._put(few, found)
        return len(few)

    def outcome(self) -> FilterOutcome:
        """Return the answers as Filter gives them; not to be written."""
        if self._outcome is None:
            rejections = []
            for answer, number in self._number.items():
                nodes = self._answers == number
                if answer and nodes.any():
                    rejections += [
                        (plugin, Rejection(reason, nodes, code)) for plugin, reason, code in answer
                    ]
            self._outcome = FilterOutcome(self._answers == _PASSED, rejections)
        return self._outcome

    def _is_out(self, row: int) -> bool:
        """Return whether a filter that reads the node's object turned it away: it does so again.

        If none did, all let it pass again: a changed object is another version.
        """
        return self._outs[self._answers.item(row)]

    def _version_of(self, state: CycleState) -> tuple[object, ...]:
        """Return what all answers hang on: node objects, device classes, who filters."""
        classes = self._cache.objects.device_classes.version
        return (self._cache.nodes.version, classes, *self._framework.active_filters(state))

    def _stale(self, version: tuple[object, ...], pod: PodInfo) -> Collection[int] | None:
        """Return the rows to ask about; None for all.

        A pod's own nomination counts for its siblings, not for itself.
        """
        changed, nominations = self._rows.read(), self._nominations.read()
        own, before = self._row_of(self._framework.nominator.node_of(pod.uid)), self._own
        self._own = own
        if changed is None or nominations is None or version != self._version:
            self._version = version
            return None
        rows = {*changed, own, before, *map(self._row_of, nominations)}
        rows.discard(_NOWHERE)
        return rows

    def _row_of(self, node: str) -> int:
        row = self._cache.nodes.row_of(node) if node else None
        return _NOWHERE if row is None else row

    def _put(self, rows: Ints, outcome: FilterOutcome) -> None:
        """Keep what Filter said of ``rows``, in their order."""
        masks = [rejection.nodes for _, rejection in outcome.rejections]
        said = np.array(masks, np.bool_).reshape(len(masks), len(rows)).T
        entries = [(plugin, r.reason, r.code) for plugin, r in outcome.rejections]
        if len(rows) <= _FEW:
            patterns, which = said, np.arange(len(rows))
        else:
            patterns, which = np.unique(said, axis=0, return_inverse=True)
        answers = (tuple(compress(entries, pattern)) for pattern in patterns.tolist())
        numbers = np.array([self._number_of(answer) for answer in answers])[which.ravel()]
        if (self._answers[rows] != numbers).any():
            self._answers[rows] = numbers
            self._outcome = None

    def _number_of(self, answer: _Answer) -> int:
        number = self._number.setdefault(answer, len(self._number))
        if number == len(self._outs):
            self._outs.append(any(plugin in OBJECT_FILTERS for plugin, _, _ in answer))
        return number
