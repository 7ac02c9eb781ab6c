"""Random draws with a memory of nothing but the seed."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """A stream of choices; equal seeds give equal streams."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(list(seed))

    def often(self, chance: float) -> bool:
        """Return True with a probability of ``chance``."""
        return bool(self._rng.random() < chance)

    def number(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return int(self._rng.integers(low, high + 1))

    def one(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[int(self._rng.integers(len(items)))]

    def some(self, items: Sequence[T], low: int, high: int) -> list[T]:
        """Return ``low`` to ``high`` different items, in random order."""
        count = min(self.number(low, high), len(items))
        return [items[int(i)] for i in self._rng.permutation(len(items))[:count]]

    def many(self, make: Callable[[], T], low: int, high: int) -> list[T]:
        """Return ``low`` to ``high`` made items."""
        return [make() for _ in range(self.number(low, high))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return all items in random order."""
        return self.some(items, len(items), len(items))
