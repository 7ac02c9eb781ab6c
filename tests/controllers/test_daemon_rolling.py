"""DaemonSets in motion: over to a new revision with and without a surge, and pods that end."""

from typing import Any

import pytest

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from tests.sim.builders import Json, node, plane, workload

KEY = ("default", "agent")
VERSION = {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}


def daemons(**rolling: Any) -> Json:
    built = workload("DaemonSet", "agent", 1)
    del built["spec"]["replicas"]
    built["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return built


def running(*nodes: str, **rolling: Any) -> ControlPlane:
    built = plane(*(node(name) for name in nodes))
    built.api.create(daemons(**rolling))
    built.run(SECOND)
    return built


def steps(built: ControlPlane) -> list[str]:
    """Return what becomes of pods from now on, by node."""
    seen: list[str] = []

    def see(change: Any) -> None:
        pod = change.new
        if change.verb == "ADDED":
            seen.append("created")
        elif change.verb == "DELETED":
            seen.append(f"gone from {pod.node}")
        elif pod.ready and not change.old.ready:
            seen.append(f"ready on {pod.node}")

    built.store.watch("Pod", see)
    return seen


def count(built: ControlPlane, reason: str) -> int:
    return sum(record.count for record in built.store.events if record.reason == reason)


def test_without_a_surge_the_old_pod_goes_first_one_node_after_the_other() -> None:
    built = running("a", "b")
    seen = steps(built)
    built.api.patch("DaemonSet", KEY, VERSION)
    built.run(3 * SECOND)
    a, b = (["gone from " + name, "created", "ready on " + name] for name in "ab")
    assert seen in (a + b, b + a)


def test_with_a_surge_the_new_pod_comes_first() -> None:
    built = running("a", "b", maxSurge=1, maxUnavailable=0)
    seen = steps(built)
    built.api.patch("DaemonSet", KEY, VERSION)
    built.run(3 * SECOND)
    assert [step for step in seen if step != "created"] == [
        "ready on a", "gone from a", "ready on b", "gone from b"
    ]  # fmt: skip
    status = built.store.get("DaemonSet", *KEY)["status"]  # type: ignore[index]  # it is there
    assert (status["updatedNumberScheduled"], status["numberAvailable"]) == (2, 2)


def test_a_surge_keeps_what_serves_until_its_successor_elsewhere_does() -> None:
    built = running("a", "b", maxSurge=1, maxUnavailable=0)
    built.api.patch("Node", ("", "a"), {"metadata": {"labels": {"pool": "x"}}})
    built.run(2 * SECOND)
    seen = steps(built)
    placed = {"spec": {"template": {"spec": {"nodeSelector": {"pool": "x"}}}}}
    built.api.patch("DaemonSet", KEY, placed)
    built.run(4 * SECOND)
    assert seen.index("ready on a") < seen.index("gone from a")
    assert [pod.node for pod in built.store.pods()] == ["a"]


@pytest.mark.parametrize(
    ("phase", "kind", "reason", "verb"),
    [
        ("Failed", "Warning", "FailedDaemonPod", "kill"),
        ("Succeeded", "Normal", "SucceededDaemonPod", "delete"),
    ],
)
def test_a_pod_that_has_ended_is_replaced_with_an_event(
    phase: str, kind: str, reason: str, verb: str
) -> None:
    built = running("a")
    (pod,) = built.store.pods()
    built.api.patch_pod(pod.key, phase=phase)
    built.run(2 * SECOND)
    (after,) = built.store.pods()
    assert (after.phase, after.serial != pod.serial) == ("Running", True)
    (event,) = [record for record in built.store.events if record.reason == reason]
    words = f"Found {phase.lower()} daemon pod default/{pod.name} on node a, will try to {verb} it"
    assert (event.type, event.message) == (kind, words)


def test_pods_that_fail_again_and_again_are_replaced_less_and_less_often() -> None:
    built = running("a")

    def fail(change: Any) -> None:
        if change.new.ready and change.verb == "MODIFIED" and not change.old.ready:
            built.loop.soon(built.api.patch_pod, change.new.key, None, "Failed")

    built.store.watch("Pod", fail)
    (pod,) = built.store.pods()
    built.api.patch_pod(pod.key, phase="Failed")
    built.run(17 * SECOND)
    # At once, and then 1, 2, 4, 8 s after the one before.
    assert count(built, "FailedDaemonPod") == 5
