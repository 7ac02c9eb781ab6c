"""Step functions over time, and what is read off them: values, means, areas.

Knows no Kubernetes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """One value that holds from each instant to the next.

    Attributes:
        times: Microseconds, ascending, the first is 0 and the last is the end; shape (T,).
        values: The value from each of them on; shape (T,).
    """

    times: Ints
    values: Ints

    @property
    def last(self) -> int:
        """Return the value at the end."""
        return int(self.values[-1])

    def area(self) -> int:
        """Return the integral from the start to the end: value times microseconds.

        >>> steps_of({0: 2, 3: -1}, end=5).area()
        8
        """
        return int((self.values[:-1] * np.diff(self.times)).sum())

    def at(self, instants: Ints) -> Ints:
        """Return the values at some instants within the run."""
        found: Ints = self.values[np.searchsorted(self.times, instants, side="right") - 1]
        return found


def steps_of(changes: Mapping[int, int], end: int) -> Steps:
    """Return the running sum of changes; changes before 0 count at 0, those behind the end not.

    >>> steps_of({-4: 1, 2: 5, 9: 7}, end=3).values.tolist()
    [1, 6, 6]
    """
    at = np.array([*changes.keys(), 0, end], np.int64)
    by = np.array([*changes.values(), 0, 0], np.int64)
    kept = at <= end
    times, where = np.unique(at[kept].clip(0), return_inverse=True)
    summed = np.zeros(len(times), np.int64)
    np.add.at(summed, where, by[kept])
    return Steps(times, summed.cumsum())


def counted(spans: Iterable[tuple[int, int, int]], end: int) -> Steps:
    """Return the sum of weights over spans ``(from, to, weight)`` at each time.

    >>> counted([(0, 4, 1), (2, 4, 8)], end=6).values.tolist()
    [1, 9, 0, 0]
    """
    changes: dict[int, int] = {}
    for start, stop, weight in spans:
        if stop > start:
            changes[max(0, start)] = changes.get(max(0, start), 0) + weight
            changes[max(0, stop)] = changes.get(max(0, stop), 0) - weight
    return steps_of(changes, end)
