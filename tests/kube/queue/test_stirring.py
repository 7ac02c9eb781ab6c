"""The queue says when its first pods may have changed: whoever looks need not look again else."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.status import SUCCESS, Status, unresolvable
from gpusched.kube.queue.backoff import SECOND
from gpusched.kube.queue.entity import QueuedPod
from gpusched.kube.queue.hints import QueueingHints
from gpusched.kube.queue.scheduling_queue import QueueSettings, SchedulingQueue
from tests.kube.queue.test_scheduling_queue import DELETE, Fit, pod

NAMES = st.sampled_from(["a", "b", "c", "d"])
FIT = frozenset({"NodeResourcesFit"})


class StirringMachine(RuleBasedStateMachine):
    """Everything that a queue is told; after each step its answers are as before, or it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.gated: set[str] = set()
        hints = {"default-scheduler": QueueingHints({"NodeResourcesFit": Fit()})}
        self.queue = SchedulingQueue(QueueSettings(), hints, self._pre_enqueue)
        self.now = 0
        self.flying: dict[str, QueuedPod] = {}
        self.known = self._answers()

    def _pre_enqueue(self, info: PodInfo, _gate: str) -> Status:
        closed = info.name in self.gated
        return unresolvable("closed").by("SchedulingGates") if closed else SUCCESS

    def _answers(self) -> tuple[object, ...]:
        due = self.queue.next_backoff_flush(self.now)
        return self.queue.has_next(), due

    def _check(self) -> None:
        assert self.queue.stirred or self._answers() == self.known
        self.queue.stirred = False
        self.known = self._answers()
        assert self.queue.listens or not (self.queue.depths()["unschedulable"] or self.flying)

    @rule(name=NAMES)
    def add(self, name: str) -> None:
        if self.queue.find(f"uid-{name}") is None:
            self.queue.add(pod(name), self.now)
        self._check()

    @rule(name=NAMES)
    def gate(self, name: str) -> None:
        self.gated ^= {name}

    @rule()
    def pop(self) -> None:
        queued = self.queue.pop(self.now)
        if queued is not None:
            self.flying[queued.pod.uid] = queued
        self._check()

    @rule(error=st.booleans())
    def fail(self, error: bool) -> None:
        for uid, queued in list(self.flying.items())[:1]:
            del self.flying[uid]
            self.queue.fail(queued, frozenset() if error else FIT, frozenset(), self.now)
        self._check()

    @rule()
    def bind(self) -> None:
        for uid in list(self.flying)[:1]:
            del self.flying[uid]
            self.queue.done(uid)
        self._check()

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if f"uid-{name}" not in self.flying:
            self.queue.delete(f"uid-{name}")
        self._check()

    @rule(name=NAMES)
    def activate(self, name: str) -> None:
        self.queue.activate(f"uid-{name}", self.now)
        self._check()

    @rule()
    def move(self) -> None:
        self.queue.move(DELETE, None, self.now)
        self._check()

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        """Time passes as the scheduler lets it pass: every back-off is ended when it is due."""
        end = self.now + seconds * SECOND
        while (due := self.queue.next_backoff_flush(self.now)) is not None and due <= end:
            self.now = due
            self.queue.flush_backoff(self.now)
            self._check()
        self.now = end
        self.queue.flush_unschedulable(self.now)
        self._check()


TestStirringMachine = StirringMachine.TestCase
TestStirringMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
