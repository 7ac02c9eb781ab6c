"""The priority queue: whatever comes, leaves or is pushed anew, the first by key comes out."""

from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gpusched.kube.queue.entity import Place, QueuedPod
from gpusched.kube.queue.heap import PodHeap


class HeapMachine(RuleBasedStateMachine):
    """Pods with a number that may change before they are pushed again."""

    def __init__(self) -> None:
        super().__init__()
        self.heap = PodHeap(Place.ACTIVE, lambda queued: (queued.timestamp,))
        self.members: list[QueuedPod] = []
        self.others: list[QueuedPod] = []
        self.count = 0

    @rule(at=st.integers(0, 5))
    def push_new(self, at: int) -> None:
        self.count += 1
        pod: Any = SimpleNamespace(uid=str(self.count))
        self._push(QueuedPod(pod, at, self.count))

    @rule(at=st.integers(0, 5))
    def push_again(self, at: int) -> None:
        if self.others:
            queued = self.others.pop(0)
            queued.timestamp = at
            self._push(queued)

    def _push(self, queued: QueuedPod) -> None:
        self.heap.push(queued)
        self.members.append(queued)

    @rule(number=st.integers(0, 5))
    def discard(self, number: int) -> None:
        if self.members:
            queued = self.members.pop(number % len(self.members))
            self.heap.discard(queued)
            self.heap.discard(queued)
            assert queued.place is Place.NOWHERE
            self.others.append(queued)

    @rule()
    def pop(self) -> None:
        first = self.heap.pop()
        assert first is self._first()
        if first is not None:
            self.members.remove(first)
            self.others.append(first)

    @invariant()
    def the_first_is_the_first(self) -> None:
        assert self.heap.peek() is self._first()
        assert len(self.heap) == len(self.members)

    def _first(self) -> QueuedPod | None:
        return min(self.members, key=lambda q: (q.timestamp, q.sequence), default=None)


TestHeapMachine = HeapMachine.TestCase
TestHeapMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
