"""The numbers of all nodes: one column per node, grown as nodes and resources come.

Nothing here knows what a node or a resource is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from gpusched.cluster.requests import Requests
from gpusched.cluster.resources import CPU, MEMORY

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_FIRST_CAPACITY: Final = 8
_OTHERS: Final = 4
"""Rows that are no resources."""


@dataclass(slots=True, eq=False)
class Columns:
    """Amounts by resource and node; there are more columns than nodes.

    Attributes:
        block: All numbers, one kind below the other; shape (2R + 4, C). The others are views of it.
        allocatable: What nodes have; shape (R, C).
        requested: What the pods on them ask for; shape (R, C).
        nonzero: cpu (milli) and memory asked for, silent containers with defaults; shape (2, C).
        counts: Allowed pods, and pods; shape (2, C).
    """

    block: Ints
    allocatable: Ints = field(init=False)
    requested: Ints = field(init=False)
    nonzero: Ints = field(init=False)
    counts: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Find the kinds of numbers in the block."""
        self._divide()

    def _divide(self) -> None:
        resources = (len(self.block) - _OTHERS) // 2
        self.allocatable = self.block[:resources]
        self.requested = self.block[resources : 2 * resources]
        self.nonzero = self.block[-4:-2]
        self.counts = self.block[-2:]

    @classmethod
    def empty(cls, resources: int) -> Self:
        """Return columns of zeros for so many resources."""
        return cls(np.zeros((2 * resources + _OTHERS, _FIRST_CAPACITY), np.int64))

    @property
    def capacity(self) -> int:
        """Return for how many nodes there is room, C."""
        return int(self.block.shape[1])

    def copy_of(self, column: int) -> Self:
        """Return columns of this one node; writing to them does not show here."""
        return type(self)(self.block[:, column : column + 1].copy())

    def take(self, columns: Ints) -> Self:
        """Return copies of these nodes' columns, in this order."""
        return type(self)(self.block.take(columns, axis=1))

    def slice(self, first: int, last: int) -> Self:
        """Return a view of the nodes from ``first`` up to ``last``."""
        return type(self)(self.block[:, first:last])

    def key_of(self, column: int) -> bytes:
        """Return what is equal for nodes with equal numbers and for no others."""
        return self.block[:, column].tobytes()

    def rows_of(self, resources: Sequence[int]) -> Ints:
        """Return the rows of the block that tell of some resources.

        With cpu or memory they are those of what silent containers count with, too.
        """
        count = len(self.allocatable)
        nonzero = [2 * count + resource for resource in resources if resource in (CPU, MEMORY)]
        taken = [count + resource for resource in resources]
        return np.array([*resources, *taken, *nonzero], np.int64)

    def keys(self, rows: Ints, first: int, last: int) -> list[bytes]:
        """Return for nodes from ``first`` up to ``last`` what is equal if these rows are."""
        numbers = self.block[:, first:last].take(rows, axis=0)
        return [number.tobytes() for number in numbers.T]

    def set(self, column: int, other: Self, others: int) -> None:
        """Copy another table's numbers of one node."""
        self.block[:, column] = other.block[:, others]

    def grow(self) -> None:
        """Make room for twice as many nodes."""
        self.block = np.concatenate([self.block, np.zeros_like(self.block)], axis=1)
        self._divide()

    def fit(self, resources: int) -> None:
        """Make room for so many resources."""
        missing = resources - len(self.allocatable)
        if missing > 0:
            more = np.zeros((missing, self.capacity), np.int64)
            kinds = (self.allocatable, more, self.requested, more, self.nonzero, self.counts)
            self.block = np.concatenate(kinds)
            self._divide()

    def delete(self, column: int) -> None:
        """Take a node out; those behind it move up by one."""
        self.block[:, column:-1] = self.block[:, column + 1 :]
        self.block[:, -1] = 0

    def set_allocatable(
        self, column: int, amounts: tuple[tuple[int, int], ...], allowed_pods: int
    ) -> None:
        """Say what a node has; resources that are not among ``amounts`` it has none of."""
        self.allocatable[:, column] = 0
        for resource, amount in amounts:
            self.allocatable[resource, column] = amount
        self.counts[0, column] = allowed_pods

    def account(self, column: int, requests: Requests, sign: int) -> None:
        """Add (1) or take away (-1) what one pod asks for."""
        if requests.rows and requests.rows[-1] >= len(self.requested):
            self.fit(requests.rows[-1] + 1)
        resources = len(self.requested)
        asked = requests.columns.get(resources)
        if asked is None:
            asked = requests.columns[resources] = _column(requests, resources)
        amounts = self.block[:, column]
        if sign > 0:
            amounts += asked
        else:
            amounts -= asked


def _column(requests: Requests, resources: int) -> Ints:
    """Return what one pod adds to its node's column; shape (2R + 4,)."""
    taken = [0] * resources
    for resource, amount in zip(requests.rows, requests.amounts, strict=True):
        taken[resource] = amount
    nonzero = (requests.nonzero_cpu, requests.nonzero_memory)
    return np.array([*[0] * resources, *taken, *nonzero, 0, 1], np.int64)
