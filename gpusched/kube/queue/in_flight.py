"""Attempts under way, and the events that arrive meanwhile.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/active_queue.go, v1.36.1;
specification, section 7.3.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from gpusched.kube.framework.events import Change, ClusterEvent

Happening: TypeAlias = tuple[ClusterEvent, Change | None]


class InFlight:
    """Where in the stream of events each attempt began; events nobody needs are forgotten.

    Attributes:
        began: The attempts under way: the pod's UID to its place in the stream.
    """

    __slots__ = ("_events", "began")

    def __init__(self) -> None:
        self._events: list[Happening] = []
        self.began: dict[str, int] = {}

    def begin(self, uid: str) -> None:
        """Begin an attempt for a pod."""
        self.began[uid] = len(self._events)

    def hear(self, happenings: Iterable[Happening]) -> None:
        """Remember events for the attempts under way."""
        self._events.extend(happenings)

    def land(self, uid: str) -> Sequence[Happening]:
        """End a pod's attempt and return the events that arrived during it."""
        began = self.began.pop(uid, None)
        if began is None or not self._events:
            return ()
        missed = self._events[began:]
        if not self.began:
            self._events.clear()
        return missed
