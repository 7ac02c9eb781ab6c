"""Ties without sorting: the same winner as a heap of equals gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kube.engine.preorder import first_in_preorder, preorder_keys


def preorder(size: int) -> list[int]:
    """Walk a heap's implicit tree: a node, its left subtree, its right subtree."""
    found: list[int] = []
    stack = [0]
    while stack:
        at = stack.pop()
        if at < size:
            found.append(at)
            stack += [2 * at + 2, 2 * at + 1]
    return found


def popped_from_heap(totals: list[int]) -> int:
    """Return whose entry a heap by total alone gives first, its entries in the order found.

    Written out, as upstream's container/heap does it.
    """
    entries = [_Entry(total, at) for at, total in enumerate(totals)]
    _heapify(entries)
    return entries[0].at


class _Entry:
    def __init__(self, total: int, at: int) -> None:
        self.total, self.at = total, at

    def __lt__(self, other: "_Entry") -> bool:
        return self.total > other.total


def _heapify(entries: list[_Entry]) -> None:
    """Sift down as container/heap does: the left child unless the right one is better."""
    for start in reversed(range(len(entries) // 2)):
        at = start
        while (child := 2 * at + 1) < len(entries):
            right = child + 1
            if right < len(entries) and entries[right] < entries[child]:
                child = right
            if not entries[child] < entries[at]:
                break
            entries[at], entries[child] = entries[child], entries[at]
            at = child


@pytest.mark.parametrize("size", [1, 2, 7, 8, 255, 256, 257, 1000, 5000])
def test_keys_are_in_the_order_of_a_walk_through_the_tree(size: int) -> None:
    assert preorder_keys(size)[:size].argsort().tolist() == preorder(size)


def test_keys_are_all_different_and_are_made_once() -> None:
    keys = preorder_keys(5000)
    assert len(np.unique(keys)) == len(keys) >= 5000
    assert preorder_keys(5000) is keys


@pytest.mark.property
@given(st.lists(st.integers(0, 2), min_size=1, max_size=600))
def test_the_first_in_preorder_is_whom_a_heap_puts_on_top(totals: list[int]) -> None:
    best = np.flatnonzero(np.array(totals) == max(totals))
    assert first_in_preorder(best) == popped_from_heap(totals)


@pytest.mark.property
@given(st.sets(st.integers(0, 100_000), min_size=1, max_size=50))
def test_the_first_in_preorder_is_the_first_of_a_walk_in_large_trees_too(places: set[int]) -> None:
    order = {at: number for number, at in enumerate(preorder(max(places) + 1))}
    assert first_in_preorder(np.array(sorted(places))) == min(places, key=order.__getitem__)
