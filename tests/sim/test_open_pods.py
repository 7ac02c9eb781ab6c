"""An owner's pods that are not over: what a Job looks at."""

from gpusched.sim.control_plane import ControlPlane
from tests.sim.builders import pod


def open_pods(built: ControlPlane) -> list[str]:
    return [item.name for item in built.store.open_pods_of("u")]


def owned(name: str, *finalizers: str) -> dict[str, object]:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": True}
    made = pod(name)
    made["metadata"] |= {"ownerReferences": [owner], "finalizers": list(finalizers)}
    return made


def test_a_pod_is_open_until_it_is_over_and_nothing_holds_it() -> None:
    built = ControlPlane(0)
    for name in ("a", "b", "c"):
        built.api.create(owned(name, "x.example.com/hold"))
    built.api.patch_pod(("default", "a"), phase="Succeeded")
    assert open_pods(built) == ["a", "b", "c"]
    built.api.patch_pod(("default", "a"), drop="x.example.com/hold")
    assert open_pods(built) == ["b", "c"]


def test_a_pod_that_is_held_anew_takes_its_old_place() -> None:
    built = ControlPlane(0)
    for name in ("a", "b"):
        built.api.create(owned(name))
    built.api.patch_pod(("default", "a"), phase="Failed")
    assert open_pods(built) == ["b"]
    held = {"metadata": {"finalizers": ["x.example.com/hold"]}}
    built.api.patch("Pod", ("default", "a"), held, "merge")
    assert open_pods(built) == ["a", "b"]


def test_a_pod_that_leaves_its_owner_is_its_no_more() -> None:
    built = ControlPlane(0)
    built.api.create(owned("a"))
    built.api.patch("Pod", ("default", "a"), {"metadata": {"ownerReferences": []}}, "merge")
    assert open_pods(built) == []
