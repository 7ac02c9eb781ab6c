"""What dry runs say of every node to preemptors of one shape, in columns.

A thousand preemptors look at five hundred candidates each; between two of them a node or two have
changed. Those alone are tried again (`memory`), the rest is read off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import per_node
from gpusched.cluster.news import NewsReader
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.interface import Handle, Victims
from gpusched.kube.framework.status import Status, unresolvable
from gpusched.kube.plugins.default_preemption.budgets import Budget
from gpusched.kube.plugins.default_preemption.choice import COSTS, VIOLATIONS, best_of, costs_of
from gpusched.kube.plugins.default_preemption.memory import Circumstances, Memory
from gpusched.kube.plugins.default_preemption.victims import NO_VICTIMS

_UNKNOWN: Final = -1
_CANDIDATE: Final = 0
_NOWHERE: Final = -1
_NOBODY: Final = Victims("", (), 0)
"""Where there is no candidate."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of the dry runs of one attempt.

    Attributes:
        best: The candidates that are missed least, in the order in which they were tried.
        failures: If there are none: the answers of dry runs, and the rows that gave them.
    """

    best: tuple[Victims, ...]
    failures: Sequence[tuple[Status, Ints]] = ()


class DryRuns:
    """Answers by row, tried anew once a row, or who is nominated there, has changed.

    Args:
        handle: The framework.
        nodes: The table.

    Attributes:
        nodes: As given.
    """

    def __init__(self, handle: Handle, nodes: Nodes) -> None:
        self.nodes = nodes
        self._handle = handle
        self._memory = Memory()
        self._rows = NewsReader(nodes.news)
        self._nominations = NewsReader(handle.nominator.news)
        self._own = _NOWHERE
        self._rules: tuple[object, ...] = ()
        self._version = -1
        self._kinds: Ints = np.zeros(0, np.int64)
        self._costs: Ints = np.zeros((len(COSTS), 0), np.int64)
        self._victims: list[Victims] = []
        self._statuses: dict[Status, int] = {}

    def catch_up(self, pod: PodInfo, snapshot: Snapshot, rules: tuple[object, ...]) -> None:
        """Forget what may have changed since the last attempt.

        Args:
            pod: The preemptor. Its own nomination counts for its siblings, not for itself.
            snapshot: The cluster.
            rules: What all answers hang on beside the nodes.
        """
        changed, nominations = self._rows.read(), self._nominations.read()
        own, before = self._row_of(self._handle.nominator.node_of(pod.uid)), self._own
        self._own = own
        if rules != self._rules:
            self._rules, self._memory, self._version = rules, Memory(), -1
        if changed is None or nominations is None or self._version != self.nodes.version:
            self._begin_anew(pod, snapshot)
            return
        for row in {*changed, own, before, *map(self._row_of, nominations)} - {_NOWHERE}:
            self._kinds[row] = _UNKNOWN
            self._victims[row] = _NOBODY

    def search(
        self,
        pod: PodInfo,
        rows: Ints,
        wanted: int,
        budgets: Sequence[Budget],
        dry_run: Callable[[int], Victims | Status],
    ) -> Findings:
        """Try nodes in turn until there are enough candidates.

        Args:
            pod: The preemptor.
            rows: Where eviction could help, in the order of trying; shape (P,).
            wanted: How many candidates are enough, if one of them breaks no budget.
            budgets: All disruption budgets.
            dry_run: Tries one row.
        """
        end = self._end(rows, wanted)
        while len(unknown := rows[:end][self._kinds[rows[:end]] == _UNKNOWN]):
            for row in unknown.tolist():
                around = Circumstances(self._rivals(pod, row), budgets)
                answer = self._memory.answer(pod, self.nodes, row, around, partial(dry_run, row))
                self._note(row, answer)
            end = self._end(rows, wanted)
        tried = rows[:end]
        candidates = tried[self._kinds[tried] == _CANDIDATE]
        if not len(candidates):
            return Findings((), self._failures(tried))
        best = candidates[best_of(self._costs[:, candidates])]
        return Findings(tuple(map(self._victims.__getitem__, best.tolist())))

    def _end(self, rows: Ints, wanted: int) -> int:
        """Return how many rows must be tried at least, as far as is known."""
        wanted = max(wanted, 1)
        if 2 * wanted < len(rows) and (end := self._end(rows[: 2 * wanted], wanted)) < 2 * wanted:
            return end
        kinds = self._kinds[rows]
        hopeful = np.flatnonzero(kinds <= _CANDIDATE)
        if len(hopeful) < wanted:
            return len(rows)
        unbroken = (kinds[hopeful] == _UNKNOWN) | (self._costs[VIOLATIONS, rows[hopeful]] == 0)
        if not unbroken.any():
            return len(rows)
        return int(hopeful[max(wanted - 1, int(unbroken.argmax()))]) + 1

    def _begin_anew(self, pod: PodInfo, snapshot: Snapshot) -> None:
        """Forget all; nodes without less important pods need no dry run."""
        count = len(self.nodes)
        self._version = self.nodes.version
        self._kinds = np.full(count, _UNKNOWN, np.int64)
        self._costs = np.zeros((len(COSTS), count), np.int64)
        self._victims = [_NOBODY] * count
        placed = snapshot.placed.items()
        lower = [by_node for shape, by_node in placed if shape.priority < pod.priority]
        nothing = unresolvable(NO_VICTIMS)
        self._kinds[per_node(self.nodes, lower) == 0] = self._number_of(nothing)

    def _note(self, row: int, answer: Victims | Status) -> None:
        if isinstance(answer, Status):
            self._kinds[row] = self._number_of(answer)
            return
        self._kinds[row] = _CANDIDATE
        self._victims[row] = answer
        self._costs[:, row] = costs_of(answer)

    def _number_of(self, status: Status) -> int:
        return self._statuses.setdefault(status, len(self._statuses) + 1)

    def _failures(self, rows: Ints) -> Sequence[tuple[Status, Ints]]:
        """Return who failed with what, in the order in which each answer was first given."""
        kinds = self._kinds[rows]
        givers = ((status, np.flatnonzero(kinds == at)) for status, at in self._statuses.items())
        given = [(status, at) for status, at in givers if len(at)]
        return [(status, rows[at]) for status, at in sorted(given, key=lambda pair: pair[1][0])]

    def _rivals(self, pod: PodInfo, row: int) -> Sequence[PodInfo]:
        return self._handle.nominator.rivals(pod, self.nodes.info(row).name)

    def _row_of(self, node: str) -> int:
        row = self.nodes.row_of(node) if node else None
        return _NOWHERE if row is None else row
