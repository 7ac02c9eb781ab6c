"""The queue against what real schedulers were seen to do (golden timelines, FINDINGS)."""

from typing import ClassVar

import pytest

from gpusched.api.core import PodSpec
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.requests import Requests
from gpusched.kube.framework.events import Action, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.status import SUCCESS, Status, unresolvable
from gpusched.kube.queue.backoff import SECOND, Backoff
from gpusched.kube.queue.entity import Place, QueuedPod
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.scheduling_queue import QueueSettings, SchedulingQueue

DELETE = ClusterEvent(EventResource.ASSIGNED_POD, Action.DELETE, "AssignedPodDelete")
NOTHING = Requests()


class Fit:
    """A stand-in for NodeResourcesFit: every deletion wakes."""

    name: ClassVar[str] = "NodeResourcesFit"

    def events_to_register(self) -> list[EventHint]:
        return [EventHint(ClusterEvent(EventResource.ASSIGNED_POD, Action.DELETE))]


def pod(name: str, priority: int = 0) -> PodInfo:
    spec = PodSpec.model_validate({"containers": [], "schedulerName": "default-scheduler"})
    shape = PodShape("gpu-demo", {}, spec, None, NOTHING, priority)
    return PodInfo(shape, name, f"uid-{name}", NOTHING)


class Recorder:
    def __init__(self) -> None:
        self.moves: list[tuple[str, str, str]] = []

    def __call__(
        self, queued: QueuedPod, label: str, place: Place, _: Worth | None, _count: int
    ) -> None:
        self.moves.append((queued.pod.name, label, place.value))


def make_queue(
    *, pop_from_backoff: bool = True, gated: set[str] | None = None, phase: int = 0
) -> tuple[SchedulingQueue, Recorder]:
    recorder = Recorder()

    def pre_enqueue(info: PodInfo, _gate: str) -> Status:
        if gated and info.name in gated:
            return unresolvable("waiting for scheduling gates: [g]").by("SchedulingGates")
        return SUCCESS

    settings = QueueSettings(
        Backoff(aligned=pop_from_backoff, phase=phase), pop_from_backoff=pop_from_backoff
    )
    hints = {"default-scheduler": QueueingHints({"NodeResourcesFit": Fit()})}
    return SchedulingQueue(settings, hints, pre_enqueue, recorder), recorder


def fail(queue: SchedulingQueue, now: int, rejected_by: set[str]) -> QueuedPod:
    queued = queue.pop(now)
    assert queued is not None
    queue.fail(queued, frozenset(rejected_by), frozenset(), now)
    return queued


def micros(seconds: float) -> int:
    return round(seconds * SECOND)


def test_the_popular_backoff_is_invisible_because_an_empty_active_queue_takes_from_it() -> None:
    queue, recorder = make_queue()
    queue.add(pod("g"), 0)
    for second in range(1, 41):
        fail(queue, micros(second + 0.2), {"NodeResourcesFit"})
        queue.move(DELETE, None, micros(second + 0.9))
        assert queue.has_next()
    events = [(label, place) for _, label, place in recorder.moves]
    # A pod that waited past its back-off goes to activeQ at once; all others pass backoffQ.
    assert events.count(("AssignedPodDelete", "backoff")) == 40
    assert events.count(("PopFromBackoffQ", "active")) == 39


def test_without_the_gate_the_pod_waits_for_a_tick_after_one_two_four_eight_ten_seconds() -> None:
    queue, _ = make_queue(pop_from_backoff=False, phase=micros(0.9))
    queue.add(pod("g"), 0)
    tries = [micros(3.2)]
    for _ in range(6):
        fail(queue, tries[-1], {"NodeResourcesFit"})
        queue.move(DELETE, None, tries[-1] + 1)
        assert not queue.has_next()
        due = queue.next_backoff_flush(tries[-1])
        assert due is not None
        queue.flush_backoff(due - SECOND)
        assert not queue.has_next()
        queue.flush_backoff(due)
        tries.append(due)
    assert tries == [micros(t) for t in (3.2, 4.9, 7.9, 12.9, 21.9, 32.9, 43.9)]


@pytest.mark.parametrize(
    ("failure", "failures", "retry"),
    [
        pytest.param(0.213, 1, 2, id="failed at 0.213 for the first time: tried again at 2"),
        pytest.param(2.002, 2, 5, id="failed at 2.002 for the second time: tried again at 5"),
        pytest.param(5.0, 3, 10, id="failed at 5.0 for the third time: tried again at 10"),
    ],
)
def test_an_error_waits_for_the_first_whole_second_after_its_expiry(
    failure: float, failures: int, retry: int
) -> None:
    queue, _ = make_queue()
    queue.add(pod("g"), 0)
    for _ in range(failures - 1):
        fail(queue, 0, set())
        queue.flush_backoff(micros(100))
    fail(queue, micros(failure), set())
    assert not queue.has_next(), "pods that failed with an error are never popped early"
    assert queue.next_backoff_flush(micros(failure)) == retry * SECOND
    queue.flush_backoff(micros(retry) - 1)
    assert not queue.has_next()
    queue.flush_backoff(micros(retry))
    assert queue.has_next()


def test_woken_pods_are_tried_by_priority_then_by_the_time_of_their_last_failure() -> None:
    queue, _ = make_queue()
    for at, name in enumerate("abc"):
        queue.add(pod(name), at)
    queue.add(pod("vip", priority=5), 9)
    order = [fail(queue, micros(1) + at, {"NodeResourcesFit"}).pod.name for at in range(4)]
    assert order == ["vip", "a", "b", "c"]
    queue.move(DELETE, None, micros(60))
    assert [fail(queue, micros(60) + n, {"X"}).pod.name for n in range(4)] == order


def test_an_event_that_no_rejecting_plugin_asked_for_wakes_nobody() -> None:
    queue, recorder = make_queue()
    queue.add(pod("b200"), 0)
    fail(queue, 1, {"NodeAffinity"})
    queue.move(DELETE, None, 2)
    assert not queue.has_next()
    assert [move[1] for move in recorder.moves] == ["UnschedulablePodAdd", "ScheduleAttemptFailure"]


def test_an_event_during_an_attempt_counts_when_the_attempt_fails() -> None:
    queue, recorder = make_queue()
    queue.add(pod("g"), 0)
    queued = queue.pop(0)
    assert queued is not None
    queue.move(DELETE, None, 1)
    queue.fail(queued, frozenset({"NodeResourcesFit"}), frozenset(), 2)
    assert recorder.moves[-1] == ("g", "ScheduleAttemptFailure", "backoff")


def test_a_gated_pod_keeps_its_place_by_arrival_once_the_gate_is_gone() -> None:
    gated = {"g"}
    queue, recorder = make_queue(gated=gated)
    queue.add(pod("g"), 0)
    queue.add(pod("later"), 5)
    assert queue.depths() == {"active": 1, "backoff": 0, "unschedulable": 0, "gated": 1}
    assert recorder.moves[0] == ("g", "UnschedulablePodAdd", "unschedulable")
    gated.clear()
    queue.activate("uid-g", 9)
    first = queue.pop(9)
    assert first is not None
    assert first.pod.name == "g"


def test_the_flush_wakes_pods_five_minutes_after_their_last_failure_but_never_gated_ones() -> None:
    queue, recorder = make_queue(gated={"gated"})
    queue.add(pod("gated"), 0)
    queue.add(pod("g"), 0)
    fail(queue, micros(20.26), {"NodeAffinity"})
    queue.flush_unschedulable(micros(320.25))
    assert not queue.has_next()
    queue.flush_unschedulable(micros(328.0))
    assert recorder.moves[-1] == ("g", "UnschedulableTimeout", "active")
    assert queue.depths()["gated"] == 1


def test_a_deleted_pod_leaves_every_queue() -> None:
    queue, _ = make_queue()
    queue.add(pod("g"), 0)
    queue.delete("uid-g")
    assert queue.pop(1) is None
    assert sum(queue.depths().values()) == 0
