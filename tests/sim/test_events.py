"""Both event recorders: what is counted, combined, dropped, and kept as a series."""

from collections.abc import Callable

import pytest

from gpusched.controllers.protocol import Emit
from gpusched.sim.calendar import SECOND, Calendar
from gpusched.sim.event_log import truncated
from gpusched.sim.events import CoreRecorder, SeriesRecorder
from gpusched.sim.loop import Loop
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.store import Store

MINUTE = 60 * SECOND


class AtOnce:
    """Sends without waiting."""

    def send(self, action: Callable[[], None]) -> None:
        action()


def new_store() -> Store:
    return Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))


def about(name: str = "rs") -> dict[str, str]:
    return {"kind": "ReplicaSet", "namespace": "default", "name": name, "uid": f"uid-{name}"}


def emit(recorder: CoreRecorder, message: str, name: str = "rs") -> None:
    recorder.emit(Emit(about(name), "Normal", "SuccessfulCreate", message))


def recorder_of(store: Store) -> CoreRecorder:
    return CoreRecorder(store, "replicaset-controller", AtOnce())


def stored(store: Store) -> list[tuple[str, int]]:
    return [(event.message, event.count) for event in store.events]


def test_failures_do_not_use_up_what_may_be_told_of_successes() -> None:
    store = new_store()
    recorder = recorder_of(store)
    for number in range(40):
        recorder.emit(Emit(about(), "Warning", "FailedCreate", f"Error creating: {number}"))
    for number in range(40):
        emit(recorder, f"Created pod: {number}")
    counts = {
        kind: sum(e.count for e in store.events if e.type == kind) for kind in ("Normal", "Warning")
    }
    assert counts == {"Normal": 25, "Warning": 25}


# --- controllers ------------------------------------------------------------------------------


def test_the_same_event_again_is_counted() -> None:
    store = new_store()
    recorder = recorder_of(store)
    for second in (0, 3, 5):
        store.loop.at(second * SECOND, emit, recorder, "Created pod: a")
    store.loop.run(MINUTE)
    assert stored(store) == [("Created pod: a", 3)]
    core = store.events[0].core(store.calendar)
    assert (core["firstTimestamp"], core["lastTimestamp"]) == (
        "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"
    )  # fmt: skip
    assert (core["eventTime"], core["source"]) == (None, {"component": "replicaset-controller"})


def test_forty_pods_leave_ten_events_of_which_the_last_counts_sixteen() -> None:
    store = new_store()
    recorder = recorder_of(store)
    for number in range(40):
        emit(recorder, f"Created pod: {number}")
    singles = [(f"Created pod: {number}", 1) for number in range(9)]
    combined = [("(combined from similar events): Created pod: 24", 16)]
    assert stored(store) == singles + combined
    assert [event.reporting for event in store.events[8:]] == ["replicaset-controller", ""]


def test_after_twenty_five_events_one_more_goes_through_every_five_minutes() -> None:
    store = new_store()
    recorder = recorder_of(store)
    for _ in range(40):
        emit(recorder, "same")
    assert stored(store) == [("same", 25)]
    for minute in range(1, 16):
        store.loop.at(minute * MINUTE, emit, recorder, "same")
    store.loop.run(20 * MINUTE)
    assert store.events[0].last == 15 * MINUTE
    assert store.events[0].count == 40 + 15, "what was dropped is counted all the same"
    assert len(store.journal) == 25 + 3


def test_another_object_has_a_bucket_of_its_own() -> None:
    store = new_store()
    recorder = recorder_of(store)
    for name in ("a", "b"):
        for _ in range(30):
            emit(recorder, "same", name)
    assert stored(store) == [("same", 25), ("same", 25)]


@pytest.mark.parametrize(
    ("pause", "last"),
    [(10 * MINUTE, "(combined from similar events): 9"), (10 * MINUTE + 1, "9")],
    ids=["ten minutes later an event is still similar", "after ten minutes it stands alone"],
)
def test_similar_events_are_combined_within_ten_minutes(pause: int, last: str) -> None:
    store = new_store()
    recorder = recorder_of(store)
    for number in range(9):
        emit(recorder, str(number))
    store.loop.at(pause, emit, recorder, "9")
    store.loop.run(pause + 1)
    assert store.events[-1].message == last


# --- the scheduler ----------------------------------------------------------------------------

FAILED = ("Warning", "FailedScheduling", "Scheduling")


def waiting(store: Store, version: int = 5) -> Pod:
    pod = Pod(PodTemplate("default", {}, {"containers": []}), "p", 1, store.now)
    pod.version = version
    return pod


def series(store: Store) -> list[int | None]:
    return [event.series[0] if event.series else None for event in store.events]


def record_at(store: Store, recorder: SeriesRecorder, at: int, version: int = 5) -> None:
    store.loop.at(at, recorder.record, waiting(store, version), *FAILED, "no room")


def test_a_second_failure_of_one_state_makes_a_series_that_stays_at_two() -> None:
    store = new_store()
    recorder = SeriesRecorder(store, 0)
    for second in range(1, 40):
        record_at(store, recorder, second * SECOND)
    store.loop.run(MINUTE)
    assert series(store) == [2]
    core = store.events[0].core(store.calendar)
    assert core["series"] == {"count": 2, "lastObservedTime": "2026-01-01T00:00:02.000000Z"}
    assert core["firstTimestamp"] is core["lastTimestamp"] is None
    assert (core["reportingComponent"], core["reportingInstance"]) == (
        "default-scheduler", "default-scheduler-<host>"
    )  # fmt: skip


def test_another_resource_version_makes_another_event() -> None:
    store = new_store()
    recorder = SeriesRecorder(store, 0)
    for second, version in ((1, 5), (2, 6), (3, 6), (4, 6)):
        record_at(store, recorder, second * SECOND, version)
    store.loop.run(MINUTE)
    assert series(store) == [None, 2]


def test_a_series_that_goes_on_is_written_every_thirty_minutes() -> None:
    store = new_store()
    recorder = SeriesRecorder(store, 0)
    for number in range(14):
        record_at(store, recorder, (1 + 5 * number) * MINUTE)
    store.loop.run(29 * MINUTE)
    assert series(store) == [2]
    store.loop.run(31 * MINUTE - 1)
    assert series(store) == [6]
    store.loop.run(61 * MINUTE - 1)
    assert series(store) == [12]


def test_an_idle_series_is_written_and_forgotten_after_six_minutes() -> None:
    store = new_store()
    recorder = SeriesRecorder(store, 0)
    for second in (1, 2, 3):
        record_at(store, recorder, second * SECOND)
    store.loop.run(6 * MINUTE)
    assert series(store) == [2]
    store.loop.run(12 * MINUTE + 1)
    assert series(store) == [3]
    record_at(store, recorder, 13 * MINUTE)
    store.loop.run(14 * MINUTE)
    assert series(store) == [3, None]


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, "x" * 1020 + " ..."),
        ("ü" * 513, "ü" * 510 + " ..."),
    ],
    ids=["1,024 bytes are kept", "more are cut", "bytes are counted, not letters"],
)
def test_a_note_is_cut_at_1024_bytes(note: str, kept: str) -> None:
    assert truncated(note) == kept
