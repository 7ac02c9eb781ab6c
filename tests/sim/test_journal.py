"""The journal: rows made when somebody looks, versions without a column, bindings that share."""

from collections.abc import Callable

import pytest

from gpusched.controllers.protocol import Emit
from gpusched.sim.calendar import Calendar
from gpusched.sim.events import CoreRecorder, SeriesRecorder
from gpusched.sim.journal import Journal, What
from gpusched.sim.loop import Loop
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.steps import NUMBER, bound, running
from gpusched.sim.store import Store
from tests.sim.builders import node, plane, pod


class Now:
    """A client without a budget."""

    def send(self, action: Callable[[], None]) -> None:
        action()


ZONE = "topology.kubernetes.io/zone"


def written() -> Journal:
    """Return a journal of three rows."""
    journal = Journal()
    journal.append_pod(0, 1, PodTemplate("default", {}, {}), "a")
    journal.append_step(5, NUMBER[running], 1, 7)
    journal.append(9, What.POD_DELETED, 1, None)
    return journal


def test_rows_are_a_sequence_and_numbered_by_their_versions() -> None:
    journal = written()
    rows = list(journal.rows())
    assert [row.version for row in rows] == [1, 2, 3]
    assert rows[1] == (5, What.POD_STEP, 1, 2, (NUMBER[running], 7))
    assert [journal[0], journal[1], journal[-1]] == rows
    assert journal[1:] == list(journal.rows(1)) == rows[1:]
    with pytest.raises(IndexError):
        journal[3]


def test_pods_of_several_templates_find_theirs() -> None:
    journal = Journal()
    first, second = (PodTemplate(name, {}, {}) for name in ("first", "second"))
    order = [first, first, second, first, second, second]
    for serial, template in enumerate(order):
        journal.append_pod(0, serial, template, f"p{serial}")
        journal.append_step(0, NUMBER[running], serial, 7)
    created = [row.detail for row in journal.rows() if row.what is What.POD_CREATED]
    assert created == [(template, f"p{serial}") for serial, template in enumerate(order)]


def test_a_rows_version_is_that_of_the_object_it_wrote() -> None:
    built = plane(node("a"))
    built.api.create(pod("p"))
    built.run(10_000_000)
    found = built.store.pod("default", "p")
    assert found is not None
    last = [
        row
        for row in built.store.journal.rows()
        if row.subject == found.serial and not row.what.name.startswith("EVENT")
    ]
    assert last[-1].version == found.version
    nodes = [row for row in built.store.journal.rows() if row.what is What.OBJECT_WRITTEN]
    assert all(row.detail["metadata"]["resourceVersion"] == str(row.version) for row in nodes)
    assert len(built.store.journal) == built.store.version


def test_an_assigned_pods_event_is_made_when_somebody_looks() -> None:
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    recorder = SeriesRecorder(store, 0)
    seen = Pod(PodTemplate("team", {}, {"schedulerName": "mine"}), "p", 31, 0)
    seen.version = 12
    store.loop.at(3_000_000, recorder.assigned, seen, "gpu-1")
    store.loop.run(4_000_000)
    (event,) = store.events
    assert event.name == "p.0000000000000001"
    assert (event.type, event.reason, event.action) == ("Normal", "Scheduled", "Binding")
    assert event.message == "Successfully assigned team/p to gpu-1"
    assert event.regarding == {
        "kind": "Pod",
        "namespace": "team",
        "name": "p",
        "uid": "0000001f-5bd1-4e19-8000-9e3779b97f4a",
        "apiVersion": "v1",
        "resourceVersion": "12",
    }
    assert (event.reporting, event.instance) == ("mine", "mine-<host>")
    assert (event.first, event.last, event.count, event.series) == (3_000_000, 3_000_000, 1, None)


def test_a_binding_takes_over_the_labels_that_its_node_has_now() -> None:
    built = plane(node("a"))
    zones = []
    for name, zone in (("p", "one"), ("q", "two")):
        built.api.patch("Node", ("", "a"), {"metadata": {"labels": {ZONE: zone}}})
        built.api.create(pod(name))
        built.run(built.loop.now + 5_000_000)
        found = built.store.pod("default", name)
        assert found is not None
        zones.append(found.labels[ZONE])
    assert zones == ["one", "two"]


def test_bindings_to_one_node_share_their_argument() -> None:
    built = plane(node("a"))
    for name in ("p", "q"):
        built.api.create(pod(name))
    built.run(5_000_000)
    targets = [
        row.detail[1]
        for row in built.store.journal.rows()
        if row.what is What.POD_STEP and row.detail[0] == NUMBER[bound]
    ]
    assert len(targets) > 1
    assert targets[0] is targets[1]


def test_sightings_of_several_sorts_and_other_events_find_their_own() -> None:
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    scheduler, controller = SeriesRecorder(store, 0), CoreRecorder(store, "job", Now())
    pods = [Pod(PodTemplate("team", {}, {}), name, serial, 0) for serial, name in enumerate("pqr")]
    for version, each in enumerate(pods, 70):
        each.version = version
        about = {"kind": "Job", "name": f"of-{each.name}"}
        controller.emit(Emit(about, "Normal", "SuccessfulCreate", f"Created pod: {each.name}"))
        scheduler.record(each, "Warning", "FailedScheduling", "Scheduling", f"none for {each.name}")
        scheduler.assigned(each, f"gpu-{each.name}")
    told = [event.message for event in store.events]
    assert told == [
        text
        for name in "pqr"
        for text in (
            f"Created pod: {name}",
            f"none for {name}",
            f"Successfully assigned team/{name} to gpu-{name}",
        )
    ]
    versions = [event.regarding.get("resourceVersion") for event in store.events]
    assert versions == [v for n in ("70", "71", "72") for v in (None, n, n)]
    assert store.journal.columns()[1].tolist() == [What.EVENT_WRITTEN] * 9
    assert store.journal[1].detail.regarding["uid"].startswith("00000000-")


def test_a_column_holds_the_last_serial_number_that_a_uid_can_name() -> None:
    journal = Journal()
    journal.append(0, What.POD_DELETED, 2**32 - 1, None)
    assert journal[0].subject == 2**32 - 1
