"""Placed pods summed by groups of nodes and kept up to date, move by move.

`domains` counts whole columns anew; a tally gives the same numbers to whoever asks time and again.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import has_label, sum_by_class
from gpusched.cluster.news import NewsReader
from gpusched.cluster.nodes import Ints, Mask, NodeClasses
from gpusched.cluster.placement import Move
from gpusched.cluster.pod import PodShape

Weigh = Callable[[PodShape], int]
"""How much a placed pod counts."""

_MOST_SHAPES: Final = 4096


class Tally:
    """A sum over pods for every group of nodes, as long as no node object changes.

    Args:
        snapshot: Who is where.
        classes: The groups.
        weigh: How much a pod counts.
        counted: False for nodes whose pods do not count; shape (N,); None if all do.
        staying: Whether terminating pods do not count.

    Attributes:
        classes: As given.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        classes: NodeClasses[Any],
        weigh: Weigh,
        counted: Mask | None = None,
        *,
        staying: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._weigh = weigh
        self._staying = staying
        self._weights: dict[PodShape, int] = {}
        self.classes = classes
        self._counted = counted
        self._moves = NewsReader(snapshot.moves)
        self._sums: Ints = np.zeros(len(classes.values), np.int64)

    @classmethod
    def by_label(
        cls,
        snapshot: Snapshot,
        key: str,
        weigh: Weigh,
        counted: Mask | None = None,
        *,
        staying: bool = False,
    ) -> Self:
        """Return a tally by the values of a label; nodes without it belong to no domain."""
        has_key = has_label(snapshot.nodes, key)
        counted = has_key if counted is None else has_key & counted
        return cls(snapshot, snapshot.nodes.label(key), weigh, counted, staying=staying)

    @cached_property
    def labelled(self) -> Mask:
        """Return False for the nodes without a value; shape (V,)."""
        return np.array([value is not None for value in self.classes.values], np.bool_)

    def sums(self) -> Ints:
        """Return the sum of each group as it is now; shape (V,): good until the next call."""
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
        if weight and row >= 0 and (self._counted is None or self._counted[row]):
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
        counted = pods if self._counted is None else np.where(self._counted, pods, 0)
        self._sums = sum_by_class(self.classes, counted)
