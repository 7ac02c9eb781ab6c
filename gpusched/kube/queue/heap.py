"""A priority queue whose members can leave or change place: stale entries are dropped when met."""

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from gpusched.kube.queue.entity import Place, QueuedPod


class PodHeap:
    """Pods by a key; a pod is a member while its ticket is as when it was pushed.

    Most pods come in order. They wait in a line; only those that come out of order need the heap.

    Args:
        place: The place that membership stands for.
        key: What to sort by; a tuple, smaller first. Ties fall by order of arrival.
    """

    def __init__(self, place: Place, key: Callable[[QueuedPod], tuple[Any, ...]]) -> None:
        self.place = place
        self._key = key
        self._line: deque[tuple[Any, ...]] = deque()
        self._heap: list[tuple[Any, ...]] = []
        self._members: set[QueuedPod] = set()

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self._members)

    def push(self, queued: QueuedPod) -> None:
        """Make the pod a member."""
        queued.place = self.place
        queued.ticket += 1
        self._members.add(queued)
        entry = (*self._key(queued), queued.sequence, queued.ticket, queued)
        if not self._line or self._line[-1] < entry:
            self._line.append(entry)
        else:
            heapq.heappush(self._heap, entry)

    def discard(self, queued: QueuedPod) -> None:
        """End the pod's membership, if it is a member."""
        if queued in self._members:
            self._members.remove(queued)
            queued.ticket += 1
            queued.place = Place.NOWHERE

    def peek(self) -> QueuedPod | None:
        """Return the first member, or None."""
        line, heap = self._line, self._heap
        while line and line[0][-2] != line[0][-1].ticket:
            line.popleft()
        while heap and heap[0][-2] != heap[0][-1].ticket:
            heapq.heappop(heap)
        if heap and (not line or heap[0] < line[0]):
            first: QueuedPod = heap[0][-1]
            return first
        return line[0][-1] if line else None

    def pop(self) -> QueuedPod | None:
        """Take out the first member, or return None."""
        queued = self.peek()
        if queued is None:
            return None
        if self._line and self._line[0][-1] is queued:
            self._line.popleft()
        else:
            heapq.heappop(self._heap)
        self._members.remove(queued)
        if not self._members:
            self._members = set()  # an empty set keeps its places, which may have been a million
        queued.place = Place.NOWHERE
        return queued

    def __contains__(self, queued: QueuedPod) -> bool:
        """Return whether the pod is a member."""
        return queued in self._members
