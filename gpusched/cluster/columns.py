"""The numbers of all nodes: one column per node, grown as nodes and resources come.

Nothing here knows what a node or a resource is called.
"""

from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from gpusched.cluster.requests import Requests

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_FIRST_CAPACITY: Final = 8


@dataclass(slots=True, eq=False)
class Columns:
    """Amounts by resource and node; there are more columns than nodes.

    Attributes:
        allocatable: What nodes have; shape (R, C).
        requested: What the pods on them ask for; shape (R, C).
        nonzero: cpu (milli) and memory asked for, silent containers with defaults; shape (2, C).
        counts: Allowed pods, and pods; shape (2, C).
    """

    allocatable: Ints
    requested: Ints
    nonzero: Ints
    counts: Ints

    @classmethod
    def empty(cls, resources: int) -> Self:
        """Return columns of zeros for so many resources."""
        return cls(
            *(np.zeros((rows, _FIRST_CAPACITY), np.int64) for rows in (resources,) * 2 + (2, 2))
        )

    @property
    def capacity(self) -> int:
        """Return for how many nodes there is room, C."""
        return int(self.allocatable.shape[1])

    def copy_of(self, column: int) -> Self:
        """Return columns of this one node; writing to them does not show here."""
        one = slice(column, column + 1)
        arrays = (self.allocatable, self.requested, self.nonzero, self.counts)
        return type(self)(*(array[:, one].copy() for array in arrays))

    def take(self, columns: Ints) -> Self:
        """Return copies of these nodes' columns, in this order."""
        arrays = (self.allocatable, self.requested, self.nonzero, self.counts)
        return type(self)(*(array[:, columns] for array in arrays))

    def slice(self, first: int, last: int) -> Self:
        """Return a view of the nodes from ``first`` up to ``last``."""
        arrays = (self.allocatable, self.requested, self.nonzero, self.counts)
        return type(self)(*(array[:, first:last] for array in arrays))

    def key_of(self, column: int) -> tuple[bytes, bytes, bytes, bytes]:
        """Return what is equal for nodes with equal numbers and for no others."""
        return (
            self.allocatable[:, column].tobytes(),
            self.requested[:, column].tobytes(),
            self.nonzero[:, column].tobytes(),
            self.counts[:, column].tobytes(),
        )

    def set(self, column: int, other: Self, others: int) -> None:
        """Copy another table's numbers of one node."""
        self.allocatable[:, column] = other.allocatable[:, others]
        self.requested[:, column] = other.requested[:, others]
        self.nonzero[:, column] = other.nonzero[:, others]
        self.counts[:, column] = other.counts[:, others]

    def grow(self) -> None:
        """Make room for twice as many nodes."""
        for name in self.__slots__:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)], axis=1))

    def fit(self, resources: int) -> None:
        """Make room for so many resources."""
        missing = resources - len(self.allocatable)
        if missing > 0:
            more = np.zeros((missing, self.capacity), np.int64)
            self.allocatable = np.concatenate([self.allocatable, more])
            self.requested = np.concatenate([self.requested, more])

    def delete(self, column: int) -> None:
        """Take a node out; those behind it move up by one."""
        for array in (self.allocatable, self.requested, self.nonzero, self.counts):
            array[:, column:-1] = array[:, column + 1 :]
            array[:, -1] = 0

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
