"""Loads: node states that are one to whoever rates them.

Scores hang on a few resources, cpu and memory unless a profile says else. Nodes that differ in the
GPUs that are left, or in the number of their pods, are in many states and under few loads.
"""

from collections.abc import Iterable

import numpy as np

from gpusched.cluster.nodes import Ints, Nodes
from gpusched.kube.engine.states import NodeStates


class Loads:
    """The number of the load that each node state is under.

    Args:
        states: The node states.
        resources: The rows of the resources that are read, -1 for one that nobody has named.
            Good for one epoch of the states.

    Attributes:
        count: How many distinct loads there are.
    """

    def __init__(self, states: NodeStates, resources: Iterable[int]) -> None:
        self._states = states
        self._rows = states.columns.rows_of(sorted(row for row in resources if row >= 0))
        self._numbers: dict[bytes, int] = {}
        self._of_states: list[int] = []
        self._examples: list[int] = []

    @property
    def count(self) -> int:
        """Return how many distinct loads there are."""
        return len(self._examples)

    def of(self, first: int, last: int) -> Ints:
        """Return the loads of the states from ``first`` up to ``last``, given once before."""
        return np.array(self._of_states[first:last], np.int64)

    def table(self, first: int, last: int) -> Nodes:
        """Return a table with a node under each load from ``first`` up to ``last``."""
        return self._states.take(self._examples[first:last])

    def catch_up(self) -> None:
        """Number the loads of the states that are new."""
        first = len(self._of_states)
        keys = self._states.columns.keys(self._rows, first, self._states.count)
        for state, key in enumerate(keys, first):
            number = self._numbers.setdefault(key, len(self._examples))
            if number == len(self._examples):
                self._examples.append(state)
            self._of_states.append(number)
