"""A heap whose members can leave or change place: stale entries are dropped when met."""

import heapq
from collections.abc import Callable
from typing import Any

from gpusched.kube.queue.entity import Place, QueuedPod


class PodHeap:
    """Pods by a key; a pod is a member while its place and ticket are as when it was pushed.

    Args:
        place: The place that membership stands for.
        key: What to sort by; a tuple, smaller first. Ties fall by order of arrival.
    """

    def __init__(self, place: Place, key: Callable[[QueuedPod], tuple[Any, ...]]) -> None:
        self.place = place
        self._key = key
        self._heap: list[tuple[tuple[Any, ...], int, int, QueuedPod]] = []
        self._members: set[QueuedPod] = set()

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self._members)

    def push(self, queued: QueuedPod) -> None:
        """Make the pod a member."""
        queued.place = self.place
        queued.ticket += 1
        self._members.add(queued)
        heapq.heappush(self._heap, (self._key(queued), queued.sequence, queued.ticket, queued))

    def discard(self, queued: QueuedPod) -> None:
        """End the pod's membership, if it is a member."""
        if queued in self._members:
            self._members.remove(queued)
            queued.ticket += 1
            queued.place = Place.NOWHERE

    def peek(self) -> QueuedPod | None:
        """Return the first member, or None."""
        heap = self._heap
        while heap:
            _, _, ticket, queued = heap[0]
            if ticket == queued.ticket and queued in self._members:
                return queued
            heapq.heappop(heap)
        return None

    def pop(self) -> QueuedPod | None:
        """Take out the first member, or return None."""
        queued = self.peek()
        if queued is not None:
            heapq.heappop(self._heap)
            self._members.remove(queued)
            queued.place = Place.NOWHERE
        return queued

    def __contains__(self, queued: QueuedPod) -> bool:
        """Return whether the pod is a member."""
        return queued in self._members
