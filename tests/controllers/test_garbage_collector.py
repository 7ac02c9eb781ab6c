"""An object goes with the last of its owners; references to dead ones are taken off before."""

from typing import Any

import pytest

from gpusched.controllers.garbage_collector import KINDS as COLLECTED
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.kinds import KINDS
from tests.sim.builders import Json, node, plane, pod, workload

LONG = 60 * SECOND


def config(name: str, *owners: Json) -> Json:
    meta = {"name": name, "namespace": "default", "ownerReferences": list(owners)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def to(obj: Json, **fields: Any) -> Json:
    """Return a reference to an object."""
    meta = obj["metadata"]
    reference = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    return {**reference, "name": meta["name"], "uid": meta["uid"], **fields}


def owned_pod(*owners: Json) -> Json:
    made = pod("p", nodeName="a")
    made["metadata"]["ownerReferences"] = list(owners)
    return made


def owners_of(built: ControlPlane, kind: str, name: str) -> list[str] | None:
    """Return the names of an object's owners, or None if there is no such object."""
    found: Any = {obj["metadata"]["name"]: obj for obj in built.api.read_all(kind)}.get(name)
    if found is None:
        return None
    return [owner["name"] for owner in found["metadata"].get("ownerReferences") or ()]


def built_with(kind: str, controller: str = "") -> ControlPlane:
    """Return a plane with config maps ``one`` and ``two`` that own an object ``p``."""
    built = plane(node("a"))
    owners = [
        to(built.api.create(config(name)), **({"controller": True} if name == controller else {}))
        for name in ("one", "two")
    ]
    built.api.create(owned_pod(*owners) if kind == "Pod" else config("p", *owners))
    built.run(SECOND)
    return built


def test_everything_but_events_is_collected() -> None:
    assert {*COLLECTED, "Pod", "Event"} == set(KINDS)


@pytest.mark.parametrize("controller", ["", "one", "two"])
@pytest.mark.parametrize("kind", ["Pod", "ConfigMap"])
def test_it_outlives_one_owner_and_goes_with_the_last(kind: str, controller: str) -> None:
    built = built_with(kind, controller)
    assert owners_of(built, kind, "p") == ["one", "two"]
    delete(built.store, "ConfigMap", ("default", "one"))
    built.run(LONG)
    assert owners_of(built, kind, "p") == ["two"]
    delete(built.store, "ConfigMap", ("default", "two"))
    built.run(2 * LONG)
    assert owners_of(built, kind, "p") is None


@pytest.mark.parametrize("kind", ["Pod", "ConfigMap"])
def test_an_owner_in_foreground_does_not_wait_for_what_another_holds(kind: str) -> None:
    built = built_with(kind)
    delete(built.store, "ConfigMap", ("default", "one"), propagation="Foreground")
    built.run(LONG)
    assert owners_of(built, kind, "p") == ["two"]
    assert built.store.get("ConfigMap", "default", "one") is None


@pytest.mark.parametrize("kind", ["Pod", "ConfigMap"])
def test_an_owner_may_leave_it_an_orphan(kind: str) -> None:
    built = built_with(kind)
    delete(built.store, "ConfigMap", ("default", "one"), propagation="Orphan")
    delete(built.store, "ConfigMap", ("default", "two"), propagation="Orphan")
    built.run(LONG)
    assert owners_of(built, kind, "p") == []
    assert [obj["metadata"]["name"] for obj in built.store.objects("ConfigMap")] == (
        ["p"] if kind == "ConfigMap" else []
    )


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        pytest.param({}, True, id="its owner is there"),
        pytest.param({"uid": "0"}, False, id="another had its name"),
        pytest.param({"name": "other"}, False, id="it never had that name"),
        pytest.param({"kind": "Pod"}, False, id="it is of another kind"),
        pytest.param({"apiVersion": "example.com/v1"}, True, id="a kind that is not served"),
        pytest.param({"kind": "Nonesuch"}, True, id="a kind that nobody knows"),
    ],
)
@pytest.mark.parametrize("kind", ["Pod", "ConfigMap"])
def test_an_owner_that_never_was_is_absent(kind: str, changes: Json, stays: bool) -> None:
    built = plane(node("a"))
    owner = to(built.api.create(config("one")), **changes)
    built.api.create(owned_pod(owner) if kind == "Pod" else config("p", owner))
    built.run(LONG)
    assert (owners_of(built, kind, "p") is not None) is stays


def test_a_reference_to_an_owner_that_never_was_is_taken_off() -> None:
    built = plane(node("a"))
    owner = to(built.api.create(config("one")))
    built.api.create(owned_pod(owner, {**owner, "name": "none", "uid": "0"}))
    built.run(LONG)
    assert owners_of(built, "Pod", "p") == ["one"]


@pytest.mark.parametrize("owner_kind", ["Pod", "Node"])
def test_pods_and_nodes_may_own(owner_kind: str) -> None:
    built = plane(node("a"))
    built.api.create(pod("q", nodeName="a"))
    key = ("default", "q") if owner_kind == "Pod" else ("", "a")
    built.api.create(config("p", to(built.api.read(owner_kind, *key))))
    built.run(SECOND)
    assert owners_of(built, "ConfigMap", "p") == [key[1]]
    delete(built.store, owner_kind, key)
    built.run(LONG)
    assert owners_of(built, "ConfigMap", "p") is None


def test_an_owner_given_to_a_pod_later_counts() -> None:
    built = plane(node("a"))
    owner = to(built.api.create(config("one")))
    built.api.create(pod("p", nodeName="a"))
    built.run(SECOND)
    built.api.patch("Pod", ("default", "p"), {"metadata": {"ownerReferences": [owner]}}, "merge")
    delete(built.store, "ConfigMap", ("default", "one"))
    built.run(LONG)
    assert owners_of(built, "Pod", "p") is None


def test_a_pod_of_a_workload_stays_while_another_owner_holds_it() -> None:
    built = plane(node("a"))
    built.api.create(workload("ReplicaSet", "rs", 1))
    built.run(SECOND)
    (name,) = [item.name for item in built.store.pods()]
    owner = to(built.api.create(config("one")))
    present = built.api.read("Pod", "default", name)["metadata"]["ownerReferences"]
    body = {"metadata": {"ownerReferences": [*present, owner]}}
    built.api.patch("Pod", ("default", name), body, "merge")
    delete(built.store, "ReplicaSet", ("default", "rs"))
    built.run(LONG)
    assert owners_of(built, "Pod", name) == ["one"]
