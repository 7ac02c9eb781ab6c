"""Watching: a sequence of states is told as rows, in columns that never get narrower."""

from typing import Any

from gpusched.kubectl import Snapshot, watch

SECOND = 1_000_000
BORN = "1970-01-01T00:00:00Z"


def pod(name: str, phase: str, version: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "creationTimestamp": BORN,
            "resourceVersion": str(version),
        },
        "spec": {"containers": [{"name": "c"}]},
        "status": {"phase": phase},
    }


def event(name: str, message: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "a"},
        "type": "Normal",
        "reason": "R",
        "message": message,
        "count": 1,
        "firstTimestamp": BORN,
        "lastTimestamp": BORN,
    }


STATES = [
    Snapshot([pod("a", "Pending", 1)], 1 * SECOND),
    Snapshot([pod("a", "Running", 3), pod("b-longer-name", "Pending", 2)], 2 * SECOND),
    Snapshot([pod("b-longer-name", "Pending", 2)], 3 * SECOND),
]


def test_each_change_is_a_row_with_the_age_it_then_had() -> None:
    told = [output.stdout for output in watch(STATES, ["get", "pods", "-w"])]
    assert told == [
        "NAME   READY   STATUS    RESTARTS   AGE\na      0/1     Pending   0          1s\n",
        "b-longer-name   0/1     Pending   0          2s\n",
        "a               0/1     Running   0          2s\n",
        "a               0/1     Running   0          3s\n",
    ]


def test_the_kind_of_change_is_told_when_asked_for() -> None:
    argv = ["kubectl", "get", "pods", "-w", "--output-watch-events", "--no-headers"]
    told = [output.stdout for output in watch(STATES, argv)]
    assert [line.split()[0] for line in told] == ["ADDED", "ADDED", "MODIFIED", "DELETED"]


def test_objects_are_printed_as_they_change() -> None:
    told = [output.stdout for output in watch(STATES, ["get", "pods", "-w", "-o", "name"])]
    assert told == ["pod/a\n", "pod/b-longer-name\n", "pod/a\n", "pod/a\n"]


def test_events_are_told_as_they_come_and_not_when_they_expire() -> None:
    states = [
        Snapshot([], 0),
        Snapshot([event("e1", "one")], SECOND),
        Snapshot([event("e2", "two")], 2 * SECOND),
    ]
    told = [output.stdout for output in watch(states, ["events", "-w"])]
    heading = "LAST SEEN   TYPE     REASON   OBJECT   MESSAGE\n"
    assert told == [
        f"{heading}1s          Normal   R        Pod/a    one\n",
        "2s          Normal   R        Pod/a    two\n",
    ]


def test_a_mistake_ends_the_watch() -> None:
    (told,) = watch(STATES, ["get", "pods,nodes", "-w"])
    assert told.stderr == "error: you may only specify a single resource type\n"
    assert told.exit_status == 1
