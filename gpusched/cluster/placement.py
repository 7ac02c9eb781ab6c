"""Where the pods of one shape are: numbers by node, and as a column once somebody has asked."""

import numpy as np

from gpusched.cluster.columns import Ints
from gpusched.cluster.nodes import Nodes, NodeState


class Placement(dict[NodeState, int]):
    """Pods by node, ghosts included; a node without any is absent.

    The column is made when it is first asked for and kept up to date from then on, until rows
    come or go.
    """

    __slots__ = ("_column", "_layout")

    def __init__(self) -> None:
        super().__init__()
        self._column: Ints | None = None
        self._layout = -1

    def change(self, state: NodeState, by: int) -> None:
        """Count pods that come to a node or leave it."""
        left = self.get(state, 0) + by
        if left:
            self[state] = left
        else:
            del self[state]
        if self._column is not None and state.row >= 0:
            if state.row < len(self._column):
                self._column[state.row] = left
            else:
                self._column = None

    def column(self, nodes: Nodes) -> Ints:
        """Return the pods on each node; shape (N,), not to be written."""
        if self._column is None or self._layout != nodes.layout:
            self._layout = nodes.layout
            self._column = np.zeros(len(nodes), np.int64)
            for state, count in self.items():
                if state.row >= 0:
                    self._column[state.row] = count
        return self._column
