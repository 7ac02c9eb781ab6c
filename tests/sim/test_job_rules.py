"""What a Job says of failures and successes; the stories were asked of a real 1.36.1 cluster."""

from typing import Any

import pytest

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.pod import Pod
from tests.sim.builders import FirstFit, job, node

Json = dict[str, Any]
MOMENT = "2026-01-01T00:00:06Z"
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": MOMENT}
MISCONFIGURED = {"type": "ConfigIssue", "status": "True", "lastTransitionTime": MOMENT}


def running(completions: int, **spec: Any) -> ControlPlane:
    """Return a control plane where the pods of a Job have run for some seconds."""
    plane = ControlPlane()
    plane.start_kwok(args=["--manage-all-nodes"], run_time=lambda _: (9000 * SECOND, 0))
    plane.start_controllers(0)
    FirstFit(plane)
    made = job("j", completions, completions)
    plane.api.create(node("a"))
    plane.api.create({**made, "spec": {**made["spec"], **spec}})
    plane.run(6 * SECOND)
    return plane


def end(plane: ControlPlane, pod: Pod, code: int, *conditions: Json) -> None:
    """End a pod as a kubelet would."""
    ended = {"exitCode": code, "reason": "x", "startedAt": MOMENT, "finishedAt": MOMENT}
    container = {"name": "c", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    status: Json = {
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": [{**container, "state": {"terminated": ended}}],
        **({"conditions": list(conditions)} if conditions else {}),
    }
    plane.api.patch("Pod", pod.key, {"status": status}, "merge", "status")


def outcome(plane: ControlPlane) -> Json:
    plane.run(plane.loop.now + 15 * SECOND)
    found = plane.store.get("Job", "default", "j")
    assert found is not None
    return dict(found["status"])


def reasons(status: Json) -> list[tuple[str, str, str]]:
    held = status.get("conditions") or ()
    return [(item["type"], item["reason"], item["message"]) for item in held]


def members(plane: ControlPlane) -> list[Pod]:
    return sorted(plane.store.pods(), key=lambda pod: pod.name)


def test_a_job_ends_when_enough_of_the_right_indexes_have_succeeded() -> None:
    rules = [
        {"succeededIndexes": "1-2", "succeededCount": 2},
        {"succeededIndexes": "0,3", "succeededCount": 1},
    ]
    plane = running(4, completionMode="Indexed", successPolicy={"rules": rules})
    end(plane, members(plane)[3], 0)
    status = outcome(plane)
    assert reasons(status) == [
        ("SuccessCriteriaMet", "SuccessPolicy", "Matched rules at index 1"),
        ("Complete", "SuccessPolicy", "Matched rules at index 1"),
    ]
    assert (status["succeeded"], status["completedIndexes"]) == (1, "3")
    assert ("active" in status, "failed" in status) == (False, False)
    assert [pod.phase for pod in members(plane)] == ["Succeeded"]


def test_an_exit_code_ends_a_job_at_once() -> None:
    rules = [
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}},
        {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [1, 2]}},
    ]
    plane = running(3, podFailurePolicy={"rules": rules})
    ignored, failed, other = members(plane)
    end(plane, ignored, 3)
    end(plane, failed, 42)
    status = outcome(plane)
    place = f"default/{failed.name}"
    why = f"Container c for pod {place} failed with exit code 42 matching FailJob rule at index 1"
    assert reasons(status) == [
        ("FailureTarget", "PodFailurePolicy", why),
        ("Failed", "PodFailurePolicy", why),
    ]
    assert status["failed"] == 2, "the pod that is deleted counts, the ignored one does not"
    assert other.name not in {pod.name for pod in members(plane)}
    (said,) = [event for event in plane.store.events if event.reason == "PodFailurePolicy"]
    assert said.message == why


def test_a_condition_ends_a_job_at_once() -> None:
    pattern = {"type": "ConfigIssue", "status": "True"}
    rules = [{"action": "FailJob", "onPodConditions": [pattern]}]
    plane = running(2, podFailurePolicy={"rules": rules})
    failed = members(plane)[0]
    end(plane, failed, 1, MISCONFIGURED)
    status = outcome(plane)
    why = f"Pod default/{failed.name} has condition ConfigIssue matching FailJob rule at index 0"
    assert reasons(status)[-1] == ("Failed", "PodFailurePolicy", why)
    assert status["failed"] == 2


def test_a_disruption_that_is_ignored_costs_nothing_and_the_pod_is_made_anew() -> None:
    rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    plane = running(2, backoffLimit=0, podFailurePolicy={"rules": rules})
    end(plane, members(plane)[0], 1, DISRUPTED)
    status = outcome(plane)
    assert reasons(status) == []
    assert (status["active"], status.get("failed")) == (2, None)
    assert [pod.phase for pod in members(plane)].count("Running") == 2


@pytest.mark.parametrize(
    ("policy", "failed"),
    [
        pytest.param("TerminatingOrFailed", 1, id="a pod that terminates has failed"),
        pytest.param("Failed", None, id="unless the Job waits until it has"),
    ],
)
def test_when_a_terminating_pod_counts(policy: str, failed: int | None) -> None:
    plane = running(1, podReplacementPolicy=policy)
    (pod,) = members(plane)
    held = {"metadata": {"finalizers": [*pod.finalizers, "example.com/held"]}}
    plane.api.patch("Pod", pod.key, held, "merge")
    plane.kubelets["kwok"].stop()
    delete(plane.store, "Pod", pod.key, 30)
    status = outcome(plane)
    assert (status.get("failed"), status["terminating"]) == (failed, 1)
