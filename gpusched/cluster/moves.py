"""Pods that have come and gone, in order, for whoever counts pods and does not want to recount."""

from typing import Final, NamedTuple

from gpusched.cluster.nodes import NodeState
from gpusched.cluster.pod import PodShape

_LONG: Final = 4096


class Move(NamedTuple):
    """A pod that has come to a node or left it.

    Attributes:
        shape: The pod's shape.
        state: The node.
        by: 1 if it has come, -1 if it has left.
        terminating: Whether the pod is terminating.
    """

    shape: PodShape
    state: NodeState
    by: int
    terminating: bool


class Moves:
    """The last moves; a reader that has missed some finds another list and counts anew.

    Attributes:
        recent: The moves since the list was begun.
    """

    __slots__ = ("recent",)

    def __init__(self) -> None:
        self.recent: list[Move] = []

    def add(self, shape: PodShape, state: NodeState, by: int, *, terminating: bool) -> None:
        """Note a move."""
        if len(self.recent) >= _LONG:
            self.recent = []
        self.recent.append(Move(shape, state, by, terminating))
