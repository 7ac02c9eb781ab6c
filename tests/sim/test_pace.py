"""How long things take beside Kubernetes' own timers: KWOK's workers, collections, refusals."""

from typing import Any

import pytest

from gpusched.api.config import load_configuration
from gpusched.controllers.protocol import Change
from gpusched.kwok.stage import general_stages
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.latency import Latency, Rate
from gpusched.sim.scheduler import SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from gpusched.timeline.kubectl import no_printer
from gpusched.timeline.script import Step
from gpusched.timeline.steps import Operator
from tests.sim import builders

Json = dict[str, Any]
MILLISECOND = 1000
_CONFIGURATION = """apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
"""
_HIGH = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "high"},
}


def watched(plane: ControlPlane) -> list[tuple[int, Change]]:
    """Return the list of what happens to pods from now on, with its times."""
    seen: list[tuple[int, Change]] = []
    plane.store.watch("Pod", lambda change: seen.append((plane.loop.now, change)))
    return seen


def test_kwok_works_on_four_pods_at_a_time() -> None:
    plane = builders.plane(builders.node("a"), latency=Latency("slow", kwok=10 * MILLISECOND))
    plane.run(SECOND)
    seen = watched(plane)
    for number in range(9):
        plane.api.create(builders.pod(f"p{number}"))
    plane.run(2 * SECOND)
    started = [at for at, change in seen if change.new.phase == "Running"]
    rounds = [SECOND + 10 * MILLISECOND] * 4 + [SECOND + 20 * MILLISECOND] * 4
    assert started[:8] == rounds
    assert len(started) == 8  # the node has eight GPUs


def test_a_namespace_is_emptied_by_one_request_in_the_order_of_names() -> None:
    slow = Latency("slow", request=MILLISECOND, apart=2 * MILLISECOND, rate=Rate(1, 1))
    plane = builders.plane(builders.node("a"), latency=slow)
    meta = {"name": "gone"}
    plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    for name in ("c", "a", "b"):
        pod = builders.pod(name, 9)
        plane.api.create({**pod, "metadata": {**pod["metadata"], "namespace": "gone"}})
    plane.run(20 * SECOND)
    seen = watched(plane)
    found = plane.api.read("Namespace", "", "gone")
    plane.store.put({**found, "metadata": {**found["metadata"], "deletionTimestamp": "now"}})
    plane.run(40 * SECOND)
    left = [(at, change.key[1]) for at, change in seen if change.verb == "DELETED"]
    assert [name for _, name in left] == ["a", "b", "c"]
    assert left[-1][0] - left[0][0] == 2 * 2 * MILLISECOND


def test_a_job_waits_a_second_after_a_refusal_and_twice_as_long_after_the_next() -> None:
    plane = builders.plane(builders.node("a"))
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": "default"},
        "spec": {"hard": {"pods": "0"}},
    }
    plane.api.create(quota)
    plane.run(SECOND)
    plane.api.create(builders.job("j", 1, 1))
    plane.run(9 * SECOND)
    refused = [record for record in plane.store.events if record.reason == "FailedCreate"]
    assert [record.first // SECOND for record in refused] == [1, 2, 4, 8]


@pytest.mark.parametrize("count", [1, 3])
def test_creations_side_by_side_delay_each_other(count: int) -> None:
    slow = Latency("slow", request=MILLISECOND, create=MILLISECOND, together=5 * MILLISECOND)
    plane = builders.plane(builders.node("a"), latency=slow)
    plane.run(SECOND)
    seen = watched(plane)
    plane.api.create(builders.workload("ReplicaSet", "r", count))
    plane.run(2 * SECOND)
    created = [at - SECOND for at, change in seen if change.verb == "ADDED"]
    assert created == [MILLISECOND, *[(1 + 1 + 5) * MILLISECOND] * (count - 1)]


@pytest.mark.parametrize(("later", "pods"), [(1, 0), (3, 1)])
def test_a_creation_is_judged_when_it_arrives_and_written_later(later: int, pods: int) -> None:
    slow = Latency("slow", request=MILLISECOND, create=9 * MILLISECOND, light=2 * MILLISECOND)
    plane = builders.plane(builders.node("a"), latency=slow)
    plane.run(SECOND)
    seen = watched(plane)
    plane.api.create(builders.workload("ReplicaSet", "r", 1))
    plane.run(SECOND + later * MILLISECOND)
    hard = {"pods": "0"}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": "default"},
        "spec": {"hard": hard},
        "status": {"hard": hard, "used": hard},
    }
    plane.store.put(quota)
    plane.run(SECOND + 10 * MILLISECOND)
    created = [at - SECOND for at, change in seen if change.verb == "ADDED"]
    assert created == [9 * MILLISECOND] * pods


def kwok_at_work(latency: Latency, pods: int) -> tuple[ControlPlane, list[int]]:
    """Run pods on a node for a second; return when they were started."""
    plane = builders.plane(builders.node("a"), latency=latency)
    plane.run(SECOND)
    seen = watched(plane)
    for number in range(pods):
        plane.api.create(builders.pod(f"p{number}"))
    plane.run(2 * SECOND)
    return plane, [at - SECOND for at, change in seen if change.new.phase == "Running"]


def test_kwoks_workers_do_not_write_in_step() -> None:
    slow = Latency("slow", kwok=10 * MILLISECOND, kwok_apart=2 * MILLISECOND)
    _, started = kwok_at_work(slow, 5)
    assert started == [at * MILLISECOND for at in (10, 12, 14, 16, 20)]


def test_kwoks_first_removal_takes_longer_and_those_beside_it_end_with_it() -> None:
    slow = Latency("slow", kwok=MILLISECOND, kwok_removal=4000, kwok_first_removal=3000)
    plane, _ = kwok_at_work(slow, 3)
    seen = watched(plane)
    for number, at in enumerate((0, 2, 20)):
        plane.run(2 * SECOND + at * MILLISECOND)
        delete(plane.store, "Pod", ("default", f"p{number}"))
    plane.run(3 * SECOND)
    gone = [at - 2 * SECOND for at, change in seen if change.verb == "DELETED"]
    assert gone == [at * MILLISECOND for at in (7, 7, 24)]


def test_a_stage_takes_its_time_once_its_delay_is_over() -> None:
    plane = ControlPlane(0, latency=Latency("slow", kwok=10 * MILLISECOND))
    plane.start_kwok(args=["--manage-all-nodes"], stages=general_stages())
    plane.start_controllers(0)
    builders.FirstFit(plane)
    plane.api.create(builders.node("a"))
    plane.run(SECOND)
    seen = watched(plane)
    told = {f"pod-create.stage.kwok.x-k8s.io/{field}": "3s" for field in ("delay", "jitter-delay")}
    pod = builders.pod("p")
    plane.api.create({**pod, "metadata": {**pod["metadata"], "annotations": told}})
    plane.run(SECOND + 4 * SECOND)
    written = [at for at, change in seen if change.new.started or len(change.new.conditions) > 1]
    assert written[0] == SECOND + 3 * SECOND + 10 * MILLISECOND


def test_the_collectors_workers_delete_one_behind_the_other() -> None:
    slow = Latency("slow", request=MILLISECOND, behind=2 * MILLISECOND)
    plane = builders.plane(builders.node("a"), latency=slow)
    plane.api.create(builders.workload("ReplicaSet", "r", 4))
    plane.run(SECOND)
    seen = watched(plane)
    delete(plane.store, "ReplicaSet", ("default", "r"))
    plane.run(2 * SECOND)
    marked = [
        at for at, change in seen if change.new.deletion is not None and not change.old.deletion
    ]
    assert [at - marked[0] for at in marked] == [0, 2000, 4000, 6000]


@pytest.mark.parametrize(("victims", "last"), [(1, 0), (2, 1)])
def test_a_victim_is_told_why_and_then_deleted_and_the_last_one_after_the_others(
    victims: int, last: int
) -> None:
    slow = Latency("slow", preemption=7 * MILLISECOND, eviction=5 * MILLISECOND)
    plane = ControlPlane(0, latency=slow)
    start_scheduler(plane, load_configuration(_CONFIGURATION), SchedulerOptions(latency=slow))
    plane.start_controllers(0)
    plane.start_kwok(args=["--manage-all-nodes"])
    plane.api.create(builders.node("a", victims))
    for number in range(victims):
        plane.api.create(builders.pod(f"p{number}"))
    plane.api.create({**_HIGH, "value": 1000})
    plane.run(SECOND)
    seen = watched(plane)
    plane.api.create(builders.pod("high", victims, priorityClassName="high"))
    plane.run(2 * SECOND)
    told = [at - SECOND for at, change in seen if "DisruptionTarget" in _news(change)]
    marked = [at - SECOND for at, change in seen if change.verb == "DELETED"]
    begun = [12 * MILLISECOND * index for index in range(last + 1)]
    assert told == [at + 7 * MILLISECOND for at in begun]
    assert marked == [at + 12 * MILLISECOND for at in begun]


def _news(change: Change) -> set[str]:
    """Return the types of the conditions that a change has added."""
    before = change.old.conditions if change.old is not None else ()
    return {c.type for c in change.new.conditions} - {c.type for c in before}


@pytest.mark.parametrize(("count", "each"), [(1, 1), (3, 4)])
def test_requests_that_follow_one_another_take_longer_each(count: int, each: int) -> None:
    slow = Latency("slow", user=MILLISECOND, users=4 * MILLISECOND)
    plane = builders.plane(builders.node("a"), latency=slow)
    plane.run(SECOND)
    seen = watched(plane)
    pods = [builders.pod(f"p{number}", 9) for number in range(count)]
    step = Step(SECOND, "create", pods, "")
    Operator(plane, no_printer).carry_out(step, {})
    plane.run(2 * SECOND)
    created = [at - SECOND for at, change in seen if change.verb == "ADDED"]
    assert created == [each * MILLISECOND * (index + 1) for index in range(count)]
