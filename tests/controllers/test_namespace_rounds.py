"""A namespace goes in rounds: its pods, then the rest, five seconds later where pods take long."""

import pytest

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from tests.sim.builders import Json, node, plane, pod

WHY = (
    "failed to delete pods for namespace: team, err: unexpected items still remain in namespace:"
    " team for gvr: /v1, Resource=pods"
)
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}


def closing(*finalizers: str) -> ControlPlane:
    """Return a plane whose namespace, with a pod that may be held, was deleted at 1 s."""
    built = plane(node("a"))
    built.api.create(NAMESPACE)
    held: Json = pod("p", nodeName="a")
    held["metadata"] |= {"namespace": "team", "finalizers": list(finalizers)}
    built.api.create(held)
    built.run(SECOND)
    for kubelet in built.kubelets.values():
        if finalizers:
            kubelet.stop()
    delete(built.store, "Namespace", ("", "team"))
    return built


def is_there(built: ControlPlane) -> bool:
    return built.store.get("Namespace", "", "team") is not None


def test_pods_that_go_at_once_take_the_rest_along() -> None:
    built = closing()
    built.run(6 * SECOND)
    assert is_there(built)
    built.run(7 * SECOND)
    assert not is_there(built)


@pytest.mark.parametrize("freed", [8, 10])
def test_pods_that_take_their_time_are_looked_for_in_the_next_round(freed: int) -> None:
    built = closing("example.com/held")
    built.run(freed * SECOND)
    (condition,) = [
        item
        for item in built.store.get("Namespace", "", "team")["status"]["conditions"]  # type: ignore[index]  # it is there
        if item["type"] == "NamespaceContentRemaining"
    ]
    assert condition["status"] == "False"  # the server counts what remains only after the pods
    built.api.patch_pod(("team", "p"), drop="example.com/held")
    built.store.remove_pod(built.store.pod("team", "p"))  # type: ignore[arg-type]  # it is there
    built.run(11 * SECOND)
    assert is_there(built)
    built.run(12 * SECOND)
    assert not is_there(built)


def test_pods_that_stay_beyond_their_grace_are_an_error() -> None:
    built = closing("example.com/held")
    built.run(60 * SECOND)
    conditions = built.store.get("Namespace", "", "team")["status"]["conditions"]  # type: ignore[index]  # it is there
    (failure,) = [item for item in conditions if item["status"] == "True"]
    assert (failure["type"], failure["reason"], failure["message"]) == (
        "NamespaceDeletionContentFailure",
        "ContentDeletionFailed",
        f"Failed to delete all resource types, 1 remaining: {WHY}",
    )
