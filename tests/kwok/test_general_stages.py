"""The life of a pod under KWOK's general stages: from one stage to the next, at which times."""

from typing import Any

import pytest

from gpusched.kwok.stage import general_stages
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete_pod
from gpusched.sim.journal import What
from tests.sim.builders import FirstFit, job, node, pod

Json = dict[str, Any]
CREATED = ("Normal", "Created", "Created container")
FAILED = "pod-container-running-failed.stage.kwok.x-k8s.io"
FAILED_INIT = "pod-init-container-running-failed.stage.kwok.x-k8s.io"


def general(*objects: Json, seed: int = 0) -> ControlPlane:
    """Return a control plane with one node whose pods go through the general stages."""
    plane = ControlPlane(0, seed)
    plane.start_kwok(args=["--manage-all-nodes"], stages=general_stages())
    plane.start_controllers(0)
    FirstFit(plane)
    plane.api.create(node("a"))
    plane.run(1)
    for obj in objects:
        plane.api.create(obj)
    return plane


def annotated(obj: Json, **told: str) -> Json:
    """Return an object with the annotations ``<stage>.stage.kwok.x-k8s.io/<field>``.

    A keyword ``pod_ready__delay`` names the stage ``pod-ready`` and the field ``delay``.
    """
    names = {name.replace("_", "-").partition("--")[::2]: value for name, value in told.items()}
    written = {
        f"{stage}.stage.kwok.x-k8s.io/{field}": value for (stage, field), value in names.items()
    }
    return {**obj, "metadata": {**obj["metadata"], "annotations": written}}


def fixed(obj: Json, **seconds: int) -> Json:
    """Return a pod whose stages take exactly so many seconds: delay and jitter are the same."""
    told = {
        f"{stage}__{field}": f"{span}s"
        for stage, span in seconds.items()
        for field in ("delay", "jitter_delay")
    }
    return annotated(obj, **told)


def status(plane: ControlPlane, name: str = "p") -> Json:
    found: Json = plane.api.read("Pod", "default", name)["status"]
    return found


def states(plane: ControlPlane, field: str = "containerStatuses", name: str = "p") -> list[str]:
    """Return each container's state with its reason."""
    found = []
    for item in status(plane, name).get(field, ()):
        ((state, detail),) = item["state"].items()
        found.append(" ".join(filter(None, (state, detail.get("reason")))))
    return found


def conditions(plane: ControlPlane, name: str = "p") -> dict[str, str]:
    return {item["type"]: item["status"] for item in status(plane, name)["conditions"]}


def test_a_pod_is_created_then_ready_and_stays() -> None:
    plane = general(fixed(pod("p"), pod_create=2, pod_ready=3))
    plane.run(2 * SECOND)
    assert status(plane)["phase"] == "Pending"
    assert "podIP" not in status(plane)
    plane.run(3 * SECOND)
    assert (status(plane)["phase"], states(plane)) == ("Pending", ["waiting ContainerCreating"])
    assert status(plane)["podIP"] == "10.0.0.1"
    plane.run(6 * SECOND)
    assert (status(plane)["phase"], states(plane)) == ("Running", ["running"])
    assert status(plane)["startTime"] == plane.store.stamp(5 * SECOND)
    plane.run(1000 * SECOND)
    assert status(plane)["phase"] == "Running"


def test_a_created_pod_says_what_it_waits_for() -> None:
    plane = general(fixed(pod("p"), pod_create=1, pod_ready=9))
    plane.run(2 * SECOND)
    ready = next(item for item in status(plane)["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [ c ]"
    assert conditions(plane) == {
        "Initialized": "True", "Ready": "False", "ContainersReady": "False", "PodScheduled": "True"
    }  # fmt: skip
    events = [event for event in plane.store.events if event.regarding["kind"] == "Pod"]
    assert [(event.type, event.reason, event.message) for event in events] == [CREATED]
    assert events[0].component == events[0].reporting == "kwok_controller"


def test_init_containers_run_and_complete_before_the_others_start() -> None:
    two = pod("p", initContainers=[{"name": "i", "image": "x"}])
    told = {"pod_create": 1, "pod_init_container_running": 1, "pod_init_container_completed": 1}
    plane = general(fixed(two, **told, pod_ready=1))
    seen = []
    for second in (2, 3, 4, 5):
        plane.run(second * SECOND)
        seen.append(
            (
                states(plane, "initContainerStatuses"),
                states(plane),
                conditions(plane)["Initialized"],
            )
        )
    assert seen == [
        (["waiting PodInitializing"], ["waiting PodInitializing"], "False"),
        (["running"], ["waiting PodInitializing"], "False"),
        (["terminated Completed"], ["waiting ContainerCreating"], "True"),
        (["terminated Completed"], ["running"], "True"),
    ]


def test_a_jobs_pods_complete_and_other_pods_never() -> None:
    plane = general(pod("p"), job("j", completions=2, parallelism=2))
    plane.run(60 * SECOND)
    assert status(plane)["phase"] == "Running"
    phases = [found.phase for found in plane.store.pods() if found.owner]
    assert phases == ["Succeeded", "Succeeded"]
    assert plane.api.read("Job", "default", "j")["status"]["succeeded"] == 2


@pytest.mark.parametrize("seed", range(5))
def test_each_stage_takes_one_to_five_seconds(seed: int) -> None:
    plane = general(pod("p"), seed=seed)
    plane.run(60 * SECOND)
    times = [entry.at for entry in plane.store.journal.rows() if entry.what is What.POD_REPLACED]
    assert len(times) == 2
    assert all(
        SECOND <= later - before < 5 * SECOND
        for before, later in zip([1, *times], times, strict=False)
    )


def test_equal_seeds_give_equal_journals() -> None:
    digests = []
    for seed in (1, 1, 2):
        plane = general(pod("p"), pod("q"), seed=seed)
        plane.run(60 * SECOND)
        digests.append(plane.store.journal.digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_long_delay_without_a_jitter_of_its_own_is_cut_to_the_default_jitter() -> None:
    plane = general(annotated(pod("p"), pod_create__delay="10m"))
    plane.run(5 * SECOND)
    assert "podIP" not in status(plane)
    plane.run(5 * SECOND + 2)
    assert "podIP" in status(plane)


def test_a_deleted_pod_goes_before_its_grace_period_ends() -> None:
    plane = general(pod("p"))
    plane.run(30 * SECOND)
    plane.api.patch("Pod", ("default", "p"), {"metadata": {"finalizers": ["a/b"]}}, "merge")
    delete(plane, "p", grace=10)
    plane.run(100 * SECOND)
    assert plane.store.pod("default", "p") is not None, "pod-delete waits for finalizers"
    plane.api.patch("Pod", ("default", "p"), {"metadata": {"finalizers": None}}, "merge")
    plane.run(102 * SECOND)
    assert plane.store.pod("default", "p") is None


def test_a_pod_is_deleted_between_one_second_and_its_deadline() -> None:
    plane = general(pod("p"))
    plane.run(30 * SECOND)
    delete(plane, "p", grace=10)
    plane.run(31 * SECOND)
    assert plane.store.pod("default", "p") is not None
    plane.run(40 * SECOND)
    assert plane.store.pod("default", "p") is None


def labelled(obj: Json, label: str) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "labels": {label: "true"}}}


def test_a_label_makes_a_running_pod_fail() -> None:
    wish = annotated(fixed(pod("p"), pod_create=1, pod_ready=1))
    wish["metadata"]["annotations"] = {
        f"{FAILED}/exit-code": "137",
        f"{FAILED}/reason": "OOMKilled",
    }
    plane = general(labelled(wish, FAILED))
    plane.run(60 * SECOND)
    assert status(plane)["phase"] == "Failed"
    ended = status(plane)["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (
        137,
        "OOMKilled",
        "container failed",
    )


def test_a_label_makes_an_init_container_fail() -> None:
    wish = labelled(pod("p", initContainers=[{"name": "i", "image": "x"}]), FAILED_INIT)
    plane = general(wish)
    plane.run(60 * SECOND)
    assert status(plane)["phase"] == "Failed"
    assert states(plane, "initContainerStatuses") == ["terminated initContainerError"]
    assert states(plane) == ["waiting PodInitializing"]


def delete(plane: ControlPlane, name: str, grace: int) -> None:
    found = plane.store.pod("default", name)
    assert found is not None
    delete_pod(plane.store, found, grace)
