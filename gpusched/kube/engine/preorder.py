"""Who comes first in a pre-order walk of a heap's implicit tree: ties without sorting.

Whether position a comes before position b does not depend on the heap's size, so one table of
keys serves every tie (`cycle.heap_tie_break` is the same rule, spelled out).
"""

import numpy as np

from gpusched.cluster.nodes import Ints

_DEPTHS = 40
_MOST_WALKS = 16
_keys: dict[int, Ints] = {}
_walks: dict[int, Ints] = {}


def preorder_keys(count: int) -> Ints:
    """Return a key per heap position; the smallest key comes first. Shape (>= count,).

    >>> preorder_keys(7)[:7].argsort().tolist()
    [0, 1, 3, 4, 2, 5, 6]
    """
    size = 1 << max(8, (count - 1).bit_length())
    keys = _keys.get(size)
    if keys is None:
        number = np.arange(1, size + 1, dtype=np.int64)
        depth = np.frexp(number.astype(np.float64))[1].astype(np.int64) - 1
        path = (number - (np.int64(1) << depth)) << (_DEPTHS - depth)
        keys = _keys[size] = (path << 6) | depth
    return keys


def first_in_preorder(best: Ints) -> int:
    """Return the position among ``best`` (ascending) that a heap of equals puts on top."""
    if best[0] == 0 or len(best) == 1:
        return int(best[0])
    keys = preorder_keys(int(best[-1]) + 1)
    return int(best[keys[best].argmin()])


def preorder_walk(count: int) -> Ints:
    """Return the positions of a heap of ``count`` in pre-order; kept for the last few counts.

    >>> preorder_walk(7).tolist()
    [0, 1, 3, 4, 2, 5, 6]
    """
    walk = _walks.get(count)
    if walk is None:
        if len(_walks) >= _MOST_WALKS:
            _walks.clear()
        walk = _walks[count] = preorder_keys(count)[:count].argsort()
    return walk
