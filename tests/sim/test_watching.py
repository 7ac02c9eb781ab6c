"""Who is told of a pod: watchers of its owner's kind and watchers of all, in their order."""

import pytest

from gpusched.controllers.interest import of_owners
from gpusched.controllers.protocol import Change
from gpusched.sim.calendar import Calendar
from gpusched.sim.loop import Loop
from gpusched.sim.pod import PodTemplate
from gpusched.sim.store import Store


def told_of(owner: str) -> list[str]:
    """Return whom the store tells of a new pod that an object of a kind owns."""
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    told: list[str] = []

    def watch(name: str, *owners: str) -> None:
        def handler(change: Change) -> None:
            del change
            told.append(name)

        store.watch("Pod", handler, lambda: of_owners(*owners))

    watch("first of all")
    watch("jobs", "Job")
    watch("second of all")
    watch("sets", "ReplicaSet", "StatefulSet")
    reference = {"kind": owner, "name": "o", "uid": "u", "controller": True}
    meta = {"ownerReferences": [reference]} if owner else {}
    store.add_pod(PodTemplate("default", meta, {"containers": []}), "p")
    store.loop.run(1)
    return told


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("", ["first of all", "second of all"]),
        ("Job", ["first of all", "jobs", "second of all"]),
        ("StatefulSet", ["first of all", "second of all", "sets"]),
        ("DaemonSet", ["first of all", "second of all"]),
    ],
    ids=["a bare pod", "a Job's pod", "one of several kinds", "a kind that nobody watches"],
)
def test_a_pod_is_told_to_those_whom_its_owner_concerns(owner: str, told: list[str]) -> None:
    assert told_of(owner) == told


def test_a_watcher_that_comes_later_is_told_too() -> None:
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    told: list[str] = []
    template = PodTemplate("default", {}, {"containers": []})
    store.watch("Pod", lambda change: told.append(f"early {change.new.name}"))
    store.add_pod(template, "a")
    store.loop.run(1)
    store.watch("Pod", lambda change: told.append(f"late {change.new.name}"))
    store.add_pod(template, "b")
    store.loop.run(2)
    assert told == ["early a", "early b", "late b"]
