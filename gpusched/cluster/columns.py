"""The numbers of all nodes: one column per node, grown as nodes and resources come.

Nothing here knows what a node or a resource is called.
"""

from dataclasses import dataclass, field
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from gpusched.cluster.requests import Requests

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
        for resource, amount in zip(requests.rows, requests.amounts, strict=True):
            self.requested[resource, column] += sign * amount
        self.nonzero[0, column] += sign * requests.nonzero_cpu
        self.nonzero[1, column] += sign * requests.nonzero_memory
        self.counts[1, column] += sign
