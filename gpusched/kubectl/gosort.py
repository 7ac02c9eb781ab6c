"""Go's ``sort.Sort``, element for element: equal items land where it puts them.

Go's sort is not stable. Events that share a timestamp, or that have none, come out in an order that
only this very algorithm (pattern-defeating quicksort) gives, so it is mirrored step for step.

Source: golang/go src/sort/zsortinterface.go, go1.26
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_SMALL: Final = 12
"""Up to this length an insertion sort does the work."""
_NINTHER: Final = 50
"""From this length on the pivot is a median of medians, and short shifts are tried."""
_MAX_SWAPS: Final = 12
_MAX_STEPS: Final = 5
_PIVOT_SAMPLE: Final = 8
_WORD: Final = 2**64 - 1


def go_sorted(items: Iterable[T], less: Callable[[T, T], bool]) -> list[T]:
    """Return ``items`` in the order that Go's ``sort.Sort`` leaves them in.

    Args:
        items: What to sort.
        less: Whether the first argument must come before the second.

    >>> go_sorted([3, 1, 2], lambda a, b: a < b)
    [1, 2, 3]
    """
    sorter = _Sorter(list(items), less)
    sorter.quicksort(0, len(sorter.items), len(sorter.items).bit_length())
    return sorter.items


@dataclass(slots=True)
class _Sorter(Generic[T]):
    """The list in work; all positions are absolute, ranges are half open."""

    items: list[T]
    compare: Callable[[T, T], bool]

    def less(self, i: int, j: int) -> bool:
        return self.compare(self.items[i], self.items[j])

    def swap(self, i: int, j: int) -> None:
        self.items[i], self.items[j] = self.items[j], self.items[i]

    def quicksort(self, start: int, end: int, limit: int) -> None:
        """Sort a range; ``limit`` bad pivots are forgiven before heapsort takes over."""
        balanced = partitioned = True
        while end - start > _SMALL:
            if limit == 0:
                self._heapsort(start, end)
                return
            if not balanced:
                self._break_patterns(start, end)
                limit -= 1
            pivot, rising = self._pivot(start, end)
            if balanced and partitioned and rising and self._nearly_sorted(start, end):
                return
            if start > 0 and not self.less(start - 1, pivot):
                start = self._partition_equal(start, end, pivot)
                continue
            length = end - start
            middle, partitioned = self._partition(start, end, pivot)
            balanced = min(middle - start, end - middle) >= length // 8
            if middle - start < end - middle:
                self.quicksort(start, middle, limit)
                start = middle + 1
            else:
                self.quicksort(middle + 1, end, limit)
                end = middle
        self._insertion_sort(start, end)

    def _insertion_sort(self, start: int, end: int) -> None:
        for i in range(start + 1, end):
            j = i
            while j > start and self.less(j, j - 1):
                self.swap(j, j - 1)
                j -= 1

    def _heapsort(self, start: int, end: int) -> None:
        length = end - start
        for root in range((length - 1) // 2, -1, -1):
            self._sift_down(root, length, start)
        for last in range(length - 1, -1, -1):
            self.swap(start, start + last)
            self._sift_down(0, last, start)

    def _sift_down(self, root: int, end: int, first: int) -> None:
        while (child := 2 * root + 1) < end:
            if child + 1 < end and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def _partition(self, start: int, end: int, pivot: int) -> tuple[int, bool]:
        """Put smaller items left of the pivot; return its place and whether nothing moved."""
        self.swap(start, pivot)
        low, high = self._gap(start, start + 1, end - 1)
        untouched = low > high
        while low <= high:
            self.swap(low, high)
            low, high = self._gap(start, low + 1, high - 1)
        self.swap(high, start)
        return high, untouched

    def _gap(self, pivot: int, low: int, high: int) -> tuple[int, int]:
        """Narrow ``low..high`` to the next pair that stands on the wrong sides of the pivot."""
        while low <= high and self.less(low, pivot):
            low += 1
        while low <= high and not self.less(high, pivot):
            high -= 1
        return low, high

    def _partition_equal(self, start: int, end: int, pivot: int) -> int:
        """Put items equal to the pivot first; return where the greater ones begin."""
        self.swap(start, pivot)
        low, high = start + 1, end - 1
        while True:
            while low <= high and not self.less(start, low):
                low += 1
            while low <= high and self.less(start, high):
                high -= 1
            if low > high:
                return low
            self.swap(low, high)
            low, high = low + 1, high - 1

    def _nearly_sorted(self, start: int, end: int) -> bool:
        """Try to finish with a few shifts; return whether the range is sorted now."""
        i = start + 1
        for _ in range(_MAX_STEPS):
            while i < end and not self.less(i, i - 1):
                i += 1
            if i == end:
                return True
            if end - start < _NINTHER:
                return False
            self.swap(i, i - 1)
            if i - start >= 2:  # noqa: PLR2004 - there is a neighbour on the left
                self._shift_left(i - 1)
            if end - i >= 2:  # noqa: PLR2004 - and on the right
                self._shift_right(i + 1, end)
        return False

    def _shift_left(self, j: int) -> None:
        while j >= 1 and self.less(j, j - 1):
            self.swap(j, j - 1)
            j -= 1

    def _shift_right(self, j: int, end: int) -> None:
        while j < end and self.less(j, j - 1):
            self.swap(j, j - 1)
            j += 1

    def _break_patterns(self, start: int, end: int) -> None:
        """Scatter a few items, so that an unlucky pattern does not repeat itself."""
        length = end - start
        if length < _PIVOT_SAMPLE:
            return
        state, mask = length, (1 << length.bit_length()) - 1
        middle = start + length // 4 * 2
        for i in (middle - 1, middle, middle + 1):
            state ^= state << 13 & _WORD
            state ^= state >> 7
            state ^= state << 17 & _WORD
            other = state & mask
            self.swap(i, start + (other - length if other >= length else other))

    def _pivot(self, start: int, end: int) -> tuple[int, bool]:
        """Return a pivot's place and whether the range looks rising; a falling range is turned."""
        quarter, swaps = (end - start) // 4, [0]
        low, middle, high = (start + quarter * k for k in (1, 2, 3))
        if end - start >= _NINTHER:
            low, middle, high = (self._median(i - 1, i, i + 1, swaps) for i in (low, middle, high))
        middle = self._median(low, middle, high, swaps)
        if swaps[0] != _MAX_SWAPS:
            return middle, swaps[0] == 0
        self.items[start:end] = self.items[start:end][::-1]
        return end - 1 - (middle - start), True

    def _median(self, a: int, b: int, c: int, swaps: list[int]) -> int:
        """Return the middle one of three places; ``swaps`` counts the pairs found out of order."""
        a, b = self._ordered(a, b, swaps)
        b, c = self._ordered(b, c, swaps)
        return self._ordered(a, b, swaps)[1]

    def _ordered(self, a: int, b: int, swaps: list[int]) -> tuple[int, int]:
        if not self.less(b, a):
            return a, b
        swaps[0] += 1
        return b, a
