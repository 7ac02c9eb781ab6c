"""Node states: nodes with equal resources, free and used, are one to whoever counts resources.

A node's state is its allocatable and requested amounts and its number of pods. Distinct states
are numbered; a pool of equal nodes has few of them however many nodes it has.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gpusched.cluster.columns import Columns
from gpusched.cluster.nodes import Ints, Nodes, NodeState
from gpusched.cluster.resources import ResourceNames

_LONG: Final = 4096
_FORGOTTEN: Final = 2
"""The numbering begins anew once it has this many times more states than there are nodes."""
_NOBODY: Final = NodeState(None)


class NodeStates:
    """The number of each node's state, kept up to date row by row.

    Attributes:
        ids: The state of each row; shape (N,).
        epoch: Grows when the numbering begins anew.
        count: How many distinct states this numbering has.
        columns: The amounts of each state, by number, with room for more.
        changed: The rows whose state was looked up anew, in order, with room for more; another
            array once it is full.
        changes: How many of them there are.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._dirty = nodes.track_changes()
        self._numbers: dict[bytes, int] = {}
        self._layout = (-1, -1)
        self.columns = Columns.empty(0)
        self.ids: Ints = np.zeros(0, np.int64)
        self.epoch = 0
        self.count = 0
        self._begin_changes()

    @property
    def resources(self) -> ResourceNames:
        """Return the names of the rows."""
        return self._nodes.resources

    def refresh(self) -> None:
        """Bring `ids` up to date."""
        nodes = self._nodes
        layout = (nodes.layout, len(nodes.resources.names))
        if layout != self._layout or self.count > _LONG + _FORGOTTEN * len(self.ids):
            self._layout = layout
            self._rebuild()
        elif self._dirty:
            self._catch_up()

    def _catch_up(self) -> None:
        columns = self._nodes.columns
        if self.changes + len(self._dirty) > len(self.changed):
            self._begin_changes()
        for row in self._dirty:
            self.ids[row] = self._number(columns, row)
            self.changed[self.changes] = row
            self.changes += 1
        self._dirty.clear()

    def _begin_changes(self) -> None:
        self.changed: Ints = np.empty(_LONG + 2 * len(self.ids), np.int64)
        self.changes = 0

    def table(self, first: int, last: int) -> Nodes:
        """Return the states from ``first`` up to ``last`` as a table with a row for each.

        It has amounts only: there is no node and no pod behind a row.
        """
        amounts = self.columns.slice(first, last)
        return Nodes(self._nodes.resources, amounts, [_NOBODY] * (last - first))

    def take(self, numbers: Sequence[int]) -> Nodes:
        """Return the same for any states."""
        amounts = self.columns.take(np.array(numbers, np.int64))
        return Nodes(self._nodes.resources, amounts, [_NOBODY] * len(numbers))

    def _rebuild(self) -> None:
        self._numbers.clear()
        self._dirty.clear()
        self.epoch += 1
        self.count = 0
        self.columns = Columns.empty(len(self._nodes.resources))
        columns = self._nodes.columns
        numbers = (self._number(columns, row) for row in range(len(self._nodes)))
        self.ids = np.fromiter(numbers, np.int64, len(self._nodes))
        self._begin_changes()

    def _number(self, columns: Columns, row: int) -> int:
        key = columns.key_of(row)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self.count
            if number == self.columns.capacity:
                self.columns.grow()
            self.columns.set(number, columns, row)
            self.count += 1
        return number
