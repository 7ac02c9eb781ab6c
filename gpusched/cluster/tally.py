"""Placed pods summed by groups of nodes and kept up to date, move by move.

`domains` counts whole columns anew; a tally gives the same numbers to whoever asks time and again.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from weakref import WeakValueDictionary, ref

import numpy as np

from gpusched.cluster.domains import has_label, sum_by_class
from gpusched.cluster.nodes import Ints, Mask, NodeClasses, Nodes, NodeState
from gpusched.cluster.placement import Placement
from gpusched.cluster.pod import PodShape

_MOST_SHAPES: Final = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """What counts.

    Attributes:
        weigh: How much a pod of a shape counts.
        staying: Whether terminating pods do not count.
        sign: A label that all pods have that count, so that others need not be weighed; None if
            there is none.
        name: What stands for the weights and the groups of nodes, so that equal tallies are one;
            None for no others.
    """

    weigh: Callable[[PodShape], int]
    staying: bool = False
    sign: tuple[str, str] | None = None
    name: Hashable = None


class Tally:
    """A sum over pods for every group of nodes, as long as no node object changes.

    Args:
        classes: The groups.
        counting: What counts.
        counted: False for nodes whose pods do not count; shape (N,); None if all do.

    Attributes:
        classes: As given.
        counting: As given.
        counted: As given.
        sums: The sum of each group as it is now; shape (V,): to be read at once, not written.
    """

    def __init__(
        self, classes: NodeClasses[Any], counting: Counting, counted: Mask | None = None
    ) -> None:
        self.classes = classes
        self.counting = counting
        self.counted = counted
        self.sums: Ints = np.zeros(len(classes.values), np.int64)

    @cached_property
    def labelled(self) -> Mask:
        """Return False for the nodes without a value; shape (V,)."""
        return np.array([value is not None for value in self.classes.values], np.bool_)

    def begin(self, pods: Ints) -> None:
        """Take what counts on each node; shape (N,)."""
        counted = pods if self.counted is None else np.where(self.counted, pods, 0)
        self.sums = sum_by_class(self.classes, counted)

    def add(self, row: int, amount: int, *, terminating: bool) -> None:
        """Count a pod that has come to a node or, with a negative amount, left it."""
        if terminating and self.counting.staying:
            return
        if self.counted is None or self.counted[row]:
            self.sums[self.classes.ids[row]] += amount


_Concerned = list[tuple[ref[Tally], int]]
"""Tallies in which a shape's pods count, and how much."""


class Tallies:
    """The tallies of one cluster: told of those moves that concern them, while anybody has them.

    Args:
        nodes: The nodes.
        placed: How many pods of each shape are where.
        terminating: The terminating ones among them.

    Attributes:
        are_kept: Whether there may be any; until then nobody need tell of moves.
    """

    def __init__(
        self,
        nodes: Nodes,
        placed: Mapping[PodShape, Placement],
        terminating: Mapping[PodShape, Placement],
    ) -> None:
        self._nodes = nodes
        self._placed = placed
        self._terminating = terminating
        self._version = -1
        self._forget()

    def _forget(self) -> None:
        """Leave tallies on nodes as they were to themselves: nobody will ask them again."""
        self.are_kept = False
        self._by_name: WeakValueDictionary[Hashable, Tally] = WeakValueDictionary()
        self._by_sign: dict[tuple[str, str] | None, list[ref[Tally]]] = {}
        self._forget_shapes()

    def _forget_shapes(self) -> None:
        self._concerned: dict[PodShape, _Concerned] = {}
        self._by_label: dict[tuple[str, str], list[PodShape]] = defaultdict(list)
        self._knows_placed = False

    # Tallies.

    def of(
        self, classes: NodeClasses[Any], counting: Counting, counted: Mask | None = None
    ) -> Tally:
        """Return a tally by groups of nodes; see there."""
        if self._version != self._nodes.version:
            self._forget()
            self._version = self._nodes.version
        name = counting.name
        key = (name, counting.staying, None if counted is None else counted.tobytes())
        found = None if name is None else self._by_name.get(key)
        if found is None:
            found = Tally(classes, counting, counted)
            self._begin(found)
            if name is not None:
                self._by_name[key] = found
        return found

    def by_label(self, label: str, counting: Counting, counted: Mask | None = None) -> Tally:
        """Return a tally by the values of a label; nodes without it belong to no domain."""
        has_key = has_label(self._nodes, label)
        return self.of(
            self._nodes.label(label), counting, has_key if counted is None else has_key & counted
        )

    def _begin(self, tally: Tally) -> None:
        """Count whole columns, and note whom to tell from now on."""
        nodes, counting, entry = self._nodes, tally.counting, ref(tally)
        self.are_kept = True
        self._meet_placed()
        pods = np.zeros(len(nodes), np.int64)
        for shape in self._candidates(counting.sign):
            weight = counting.weigh(shape)
            if not weight:
                continue
            self._concerned[shape] = [*_alive(self._concerned[shape]), (entry, weight)]
            if shape in self._placed:
                pods += weight * self._placed[shape].column(nodes)
            if counting.staying and shape in self._terminating:
                pods -= weight * self._terminating[shape].column(nodes)
        tally.begin(pods)
        others = self._by_sign.get(counting.sign, ())
        self._by_sign[counting.sign] = [*(each for each in others if each() is not None), entry]

    def _meet_placed(self) -> None:
        """Know all shapes that are placed; those that come later are met as they come."""
        if not self._knows_placed:
            self._forget_shapes()
            for shape in self._placed:
                self._whom(shape)
            self._knows_placed = True

    def _candidates(self, sign: tuple[str, str] | None) -> Iterable[PodShape]:
        """Return the shapes met so far that may count, all placed ones among them."""
        return list(self._concerned) if sign is None else self._by_label.get(sign, ())

    # Moves.

    def move(self, shape: PodShape, state: NodeState, by: int, *, terminating: bool) -> None:
        """Tell of a pod that has come to a node (1) or left it (-1)."""
        if self._version != self._nodes.version:
            self._forget()
            return
        concerned, row = self._whom(shape), state.row
        if row < 0:
            return
        for entry, weight in concerned:
            tally = entry()
            if tally is not None:
                tally.add(row, weight * by, terminating=terminating)

    def swap(self, old: PodShape, new: PodShape, state: NodeState) -> None:
        """Tell of a pod that stays on its node and has another shape now."""
        if self._whom(old) != self._whom(new):
            self.move(old, state, -1, terminating=False)
            self.move(new, state, 1, terminating=False)

    def _whom(self, shape: PodShape) -> _Concerned:
        """Return whom pods of a shape concern, and how much they count there."""
        found = self._concerned.get(shape)
        if found is None:
            if len(self._concerned) >= _MOST_SHAPES + 2 * len(self._placed):
                self._forget_shapes()
            found = self._concerned[shape] = self._weigh(shape)
            for label in shape.labels.items():
                self._by_label[label].append(shape)
        return found

    def _weigh(self, shape: PodShape) -> _Concerned:
        found = []
        for sign in (None, *shape.labels.items()):
            for entry in self._by_sign.get(sign, ()):
                tally = entry()
                weight = 0 if tally is None else tally.counting.weigh(shape)
                if weight:
                    found.append((entry, weight))
        return found


def _alive(concerned: _Concerned) -> Iterable[tuple[ref[Tally], int]]:
    return (pair for pair in concerned if pair[0]() is not None)
