"""Placed pods summed by topology domain and kept up to date, move by move.

`domains` counts whole columns anew; a tally gives the same numbers to whoever asks time and again.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import has_label, sum_by_class
from gpusched.cluster.news import NewsReader
from gpusched.cluster.nodes import Ints, Mask
from gpusched.cluster.placement import Move
from gpusched.cluster.pod import PodShape

Weigh = Callable[[PodShape], int]
"""How much a placed pod counts."""

_MOST_SHAPES: Final = 4096


class Tally:
    """A sum over pods for every value of one label, as long as no node object changes.

    Args:
        snapshot: Who is where.
        key: The label; nodes without it belong to no domain.
        weigh: How much a pod counts.
        counted: False for nodes whose pods do not count; shape (N,); None if all do.
        staying: Whether terminating pods do not count.

    Attributes:
        classes: The nodes by value.
        labelled: False for the nodes without a value; shape (V,).
    """

    def __init__(
        self,
        snapshot: Snapshot,
        key: str,
        weigh: Weigh,
        counted: Mask | None = None,
        *,
        staying: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._weigh = weigh
        self._staying = staying
        self._weights: dict[PodShape, int] = {}
        self.classes = snapshot.nodes.label(key)
        values = self.classes.values
        self.labelled = np.array([value is not None for value in values], np.bool_)
        has_key = has_label(snapshot.nodes, key)
        self._counted: Mask = has_key if counted is None else has_key & counted
        self._moves = NewsReader(snapshot.moves)
        self._sums: Ints = np.zeros(len(values), np.int64)

    def sums(self) -> Ints:
        """Return the sum of each domain as it is now; shape (V,): good until the next call."""
        moves = self._moves.read()
        if moves is None:
            self._count_anew()
        else:
            for move in moves:
                self._follow(move)
        return self._sums

    def _follow(self, move: Move) -> None:
        if move.terminating and self._staying:
            return
        row = move.state.row
        weight = self._weight(move.shape)
        if weight and row >= 0 and self._counted[row]:
            self._sums[self.classes.ids[row]] += weight * move.by

    def _weight(self, shape: PodShape) -> int:
        weight = self._weights.get(shape)
        if weight is None:
            if len(self._weights) >= _MOST_SHAPES:
                self._weights.clear()
            weight = self._weights[shape] = self._weigh(shape)
        return weight

    def _count_anew(self) -> None:
        snapshot = self._snapshot
        pods = np.zeros(len(snapshot.nodes), np.int64)
        for shape, placement in snapshot.placed.items():
            weight = self._weight(shape)
            if not weight:
                continue
            pods += weight * placement.column(snapshot.nodes)
            if self._staying and shape in snapshot.terminating:
                pods -= weight * snapshot.terminating[shape].column(snapshot.nodes)
        self._sums = sum_by_class(self.classes, np.where(self._counted, pods, 0))
