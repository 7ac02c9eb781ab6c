"""Node states: nodes with equal resources, free and used, are one to whoever counts resources.

A node's state is its allocatable and requested amounts and its number of pods. Distinct states
are numbered; a pool of equal nodes has few of them however many nodes it has.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gpusched.cluster.columns import Columns
from gpusched.cluster.nodes import Nodes

_Key = tuple[bytes, bytes, bytes, bytes]
_LONG: Final = 4096


class NodeStates:
    """The number of each node's state, kept up to date row by row.

    Attributes:
        ids: The state of each row; shape (N,).
        count: How many distinct states have been met.
        changed: The rows whose state was looked up anew, in order; another list once it has grown
            long.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._dirty = nodes.track_changes()
        self._numbers: dict[_Key, int] = {}
        self._layout = (-1, -1)
        self.ids: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self.changed: list[int] = []

    @property
    def count(self) -> int:
        """Return how many distinct states have been met."""
        return len(self._numbers)

    def refresh(self) -> bool:
        """Bring `ids` up to date; return True if the numbering began anew."""
        nodes = self._nodes
        layout = (nodes.layout, len(nodes.resources))
        if layout != self._layout:
            self._layout = layout
            self._rebuild()
            return True
        if self._dirty:
            columns = nodes.columns
            for row in self._dirty:
                self.ids[row] = self._number(columns, row)
            if len(self.changed) > _LONG + len(self.ids):
                self.changed = []
            self.changed += self._dirty
            self._dirty.clear()
        return False

    def _rebuild(self) -> None:
        self._numbers.clear()
        self._dirty.clear()
        self.changed = []
        columns = self._nodes.columns
        numbers = (self._number(columns, row) for row in range(len(self._nodes)))
        self.ids = np.fromiter(numbers, np.int32, len(self._nodes))

    def _number(self, columns: Columns, row: int) -> int:
        key = (
            columns.allocatable[:, row].tobytes(),
            columns.requested[:, row].tobytes(),
            columns.nonzero[:, row].tobytes(),
            columns.counts[:, row].tobytes(),
        )
        return self._numbers.setdefault(key, len(self._numbers))
