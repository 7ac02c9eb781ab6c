"""Who is told of a pod: watchers of its owner's kind and watchers of all, in their order."""

import pytest

from gpusched.controllers.interest import BOUND, EVERY_NEW_STATE, PodInterest, of_owners
from gpusched.controllers.protocol import Change
from gpusched.sim.calendar import Calendar
from gpusched.sim.loop import Loop
from gpusched.sim.pod import PodTemplate
from gpusched.sim.steps import bound, phased
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


def states_before(*interests: PodInterest) -> list[str | None]:
    """Return the phases that a watcher sees before each of three changes."""
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    seen: list[str | None] = []

    def note(change: Change) -> None:
        seen.append(None if change.old is None else change.old.phase)

    store.watch("Pod", note, lambda: EVERY_NEW_STATE)
    store.watch("Pod", lambda _: None, lambda: interests)
    made = store.add_pod(PodTemplate("default", {}, {"containers": []}), "p")
    placed = store.step(made, bound, ("n", ()))
    store.step(placed, phased, "Running")
    store.loop.run(1)
    return seen


@pytest.mark.parametrize(
    ("interests", "seen"),
    [
        pytest.param((), [None, None, None], id="nobody reads it"),
        pytest.param(EVERY_NEW_STATE, [None, None, None], id="who looks at new states only"),
        pytest.param((PodInterest(),), [None, "Pending", "Pending"], id="who reads them all"),
        pytest.param((PodInterest(BOUND),), [None, "Pending", None], id="of bindings alone"),
        pytest.param(of_owners("Job"), [None, None, None], id="of pods of others"),
        pytest.param(
            (PodInterest(BOUND, beside="PodDisruptionBudget"),),
            [None, "Pending", None],
            id="beside an object that may still come",
        ),
    ],
)
def test_the_state_before_is_kept_for_those_who_read_it(
    interests: tuple[PodInterest, ...], seen: list[str | None]
) -> None:
    assert states_before(*interests) == seen


def test_new_watchers_read_states_from_then_on() -> None:
    store = Store(Loop(0), Calendar("2026-01-01T00:00:00Z"))
    store.watch("Pod", lambda _: None, lambda: EVERY_NEW_STATE)
    pod = store.add_pod(PodTemplate("default", {}, {"containers": []}), "p")
    pod = store.step(pod, phased, "Running")
    store.loop.run(1)
    seen: list[str] = []
    store.watch("Pod", lambda change: seen.append(change.old.phase))
    store.step(pod, phased, "Failed")
    store.loop.run(2)
    assert seen == ["Running"]
