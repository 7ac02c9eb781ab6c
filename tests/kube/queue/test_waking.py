"""Waiting pods that are alike are asked about together; nobody can tell from what comes of it."""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.core import PodSpec
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.requests import Requests
from gpusched.kube.framework.events import (
    Action,
    Change,
    ClusterEvent,
    EventHint,
    EventResource,
    Hint,
)
from gpusched.kube.framework.interface import Plugin
from gpusched.kube.framework.status import SUCCESS, Status, unresolvable
from gpusched.kube.queue.backoff import SECOND
from gpusched.kube.queue.entity import Place, QueuedPod
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.scheduling_queue import QueueSettings, SchedulingQueue

DELETE = ClusterEvent(EventResource.ASSIGNED_POD, Action.DELETE, "AssignedPodDelete")
FIT, GATE = "NodeResourcesFit", "DefaultPreemption"


class Fit:
    """Wakes pods of the shapes that the deleted pod is the name of."""

    name: ClassVar[str] = FIT

    def __init__(self, *, by_shape: bool) -> None:
        self.by_shape = by_shape
        self.asked = 0

    def suits(self, pod: PodInfo, change: Change) -> bool:
        self.asked += 1
        gone: PodInfo = change.old
        return gone.uid == pod.uid or gone.name == pod.shape.labels["app"]

    def events_to_register(self) -> list[EventHint]:
        hint: Hint = self.suits
        return [EventHint(DELETE, hint, by_shape=self.by_shape)]


class Gate:
    """Keeps pods out; asked at every event."""

    name: ClassVar[str] = GATE

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.asked = 0

    def pre_enqueue(self, pod: PodInfo, _gate: object) -> Status:
        self.asked += 1
        return unresolvable("wait").by(GATE) if pod.uid in self.closed else SUCCESS

    def events_to_register(self) -> list[EventHint]:
        return [EventHint(DELETE, lambda _pod, _change: False, by_shape=True)]


class Announcing(Gate):
    """Says whose gate may have opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def opened(self) -> list[str]:
        opened, self.open = self.open, []
        return opened


class World:
    """A queue, and how many pods were seen to go where."""

    def __init__(self, *, grouped: bool, each: bool = False) -> None:
        self.gate: Gate = Announcing() if grouped else Gate()
        self.fit = Fit(by_shape=grouped)
        self.moves: Counter[tuple[str, str]] = Counter()
        self.told: list[tuple[str, str, str]] = []
        plugins: dict[str, Plugin] = {FIT: self.fit, GATE: self.gate}
        self.queue = SchedulingQueue(
            QueueSettings(tell_each=each),
            {"default-scheduler": QueueingHints(plugins)},
            self.gate.pre_enqueue,
            self._observe,
        )

    def _observe(
        self, queued: QueuedPod, label: str, place: Place, _: Worth | None, count: int
    ) -> None:
        self.moves[label, place.value] += count
        self.told.append((queued.pod.name, label, place.value))

    def wait(self, pod: PodInfo, now: int) -> None:
        """Let a pod come and fail, with its gate closed."""
        self.queue.add(pod, now)
        self.fail(now)
        self.gate.closed.add(pod.uid)

    def fail(self, now: int) -> None:
        """Let everybody whose turn it is fail."""
        while (queued := self.queue.pop(now)) is not None:
            self.queue.fail(queued, frozenset({FIT}), frozenset(), now)

    def open(self, uid: str) -> None:
        self.gate.closed.discard(uid)
        if isinstance(self.gate, Announcing):
            self.gate.open.append(uid)

    def gone(self, app: str, uid: str, now: int) -> None:
        """A pod was deleted that makes room for pods of one shape."""
        gone = PodInfo(SHAPES[0], app, uid, Requests())
        self.queue.move(DELETE, Change(gone, None, None), now)  # type: ignore[arg-type]


def shape_of(app: str) -> PodShape:
    spec = PodSpec.model_validate({"containers": [], "schedulerName": "default-scheduler"})
    return PodShape("default", {"app": app}, spec, None, Requests(), 0)


SHAPES = [shape_of("a"), shape_of("b")]


def pod(number: int, shape: int = 0) -> PodInfo:
    return PodInfo(SHAPES[shape], f"p{number}", f"uid-{number}", Requests())


def test_a_thousand_gated_pods_cost_no_more_questions_per_event_than_one() -> None:
    world = World(grouped=True)
    for number in range(1000):
        world.wait(pod(number), 0)
    world.gone("a", "first", SECOND)
    asked, looked_at = world.fit.asked, world.gate.asked
    for event in range(500):
        world.gone("a", f"gone-{event}", SECOND)
    assert (world.fit.asked - asked, world.gate.asked - looked_at) == (500, 0)
    assert world.moves["AssignedPodDelete", "unschedulable"] == 501 * 1000


def test_a_pod_whose_gate_has_opened_is_woken_by_the_next_event_and_by_nothing_else() -> None:
    world = World(grouped=True)
    for number in range(3):
        world.wait(pod(number), 0)
    world.gone("a", "first", SECOND)
    world.open("uid-1")
    assert not world.queue.has_next()
    world.gone("b", "of no use", SECOND)
    assert not world.queue.has_next()
    world.gone("a", "second", SECOND)
    woken = world.queue.pop(SECOND)
    assert woken is not None
    assert woken.pod.uid == "uid-1"
    assert not world.queue.has_next()


def test_a_pod_whose_labels_change_while_it_waits_is_judged_by_its_new_shape() -> None:
    world = World(grouped=True)
    for number in range(2):
        world.wait(pod(number), 0)
    world.queue.update(pod(1, shape=1), (), 0)
    world.gate.closed.clear()
    world.gone("b", "first", 0)
    woken = world.queue.pop(SECOND)
    assert woken is not None
    assert woken.pod.uid == "uid-1"
    assert not world.queue.has_next()


def test_the_pod_that_an_event_is_about_is_asked_by_itself() -> None:
    world = World(grouped=True)
    for number in range(3):
        world.wait(pod(number), 0)
    world.gate.closed.clear()
    world.gone("nobody", "uid-0", 0)
    woken = world.queue.pop(SECOND)
    assert woken is not None
    assert woken.pod.uid == "uid-0"
    assert not world.queue.has_next()


def uid(number: int) -> str:
    return f"uid-{number}"


def come(world: World, number: int, at: int) -> None:
    if world.queue.find(uid(number)) is None:
        world.wait(pod(number, number % 2), at)


def close(world: World, number: int, _at: int) -> None:
    """A gate closes behind pods that are not kept out, as preemption's does."""
    found = world.queue.find(uid(number))
    if found is not None and not found.gated_by:
        world.gate.closed.add(uid(number))


def change(world: World, number: int, at: int) -> None:
    if world.queue.find(uid(number)) is not None:
        world.queue.update(pod(number, at % 2), (), at)


VERBS: dict[str, Callable[[World, int, int], None]] = {
    "come": come,
    "open": lambda world, number, _at: world.open(uid(number)),
    "close": close,
    "room for a": lambda world, number, at: world.gone("a", uid(number), at),
    "room for b": lambda world, number, at: world.gone("b", uid(number), at),
    "room for nobody": lambda world, number, at: world.gone("nobody", uid(number), at),
    "change": change,
    "delete": lambda world, number, _at: world.queue.delete(uid(number)),
    "activate": lambda world, number, at: world.queue.activate(uid(number), at),
    "fail": lambda world, _number, at: world.fail(at),
}
plans = st.lists(st.tuples(st.sampled_from(list(VERBS)), st.integers(0, 9)), max_size=60)


@given(plans)
def test_nobody_can_tell_pods_that_are_asked_about_together(plan: list[tuple[str, int]]) -> None:
    one_by_one = World(grouped=False)
    told, counted = World(grouped=True, each=True), World(grouped=True)
    for world in (one_by_one, told, counted):
        for step, (verb, number) in enumerate(plan):
            VERBS[verb](world, number, step * SECOND // 4)
    assert told.told == one_by_one.told
    assert told.moves == one_by_one.moves == counted.moves
    assert counted.queue.depths() == one_by_one.queue.depths()
