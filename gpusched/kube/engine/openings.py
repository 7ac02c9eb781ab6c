"""Where plugins that follow pods let a pod go, laid out as a cycle walks over the nodes.

Such a plugin opens and closes whole topology domains. Of few domains there are few patterns, which
come again: the nodes of each are looked up once.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from gpusched.cluster.nodes import Ints, Mask
from gpusched.kube.framework.interface import OpenDomains

Follow = Callable[[], Iterable[OpenDomains]]

_MOST_PATTERNS: Final = 32


class Openings:
    """The nodes that are open to one shape.

    Args:
        followed: Tell which domains are open.
        rows: Rows in the order of the walk.
    """

    def __init__(self, followed: Sequence[Follow], rows: Ints) -> None:
        self._followed = followed
        self._rows = rows
        self._masks: dict[tuple[tuple[int, bytes], ...], Mask] = {}

    def mask(self) -> Mask | None:
        """Return True where the pod may go now, in the order of the walk; None for everywhere."""
        closing = [
            (at, domains)
            for at, domains in enumerate(each for follow in self._followed for each in follow())
            if not domains.open.all()
        ]
        if not closing:
            return None
        pattern = tuple((at, domains.open.tobytes()) for at, domains in closing)
        mask = self._masks.get(pattern)
        if mask is None:
            if len(self._masks) >= _MOST_PATTERNS:
                self._masks.clear()
            open_to = np.logical_and.reduce([domains.open[domains.ids] for _, domains in closing])
            mask = self._masks[pattern] = open_to[self._rows]
        return mask
