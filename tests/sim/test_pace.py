"""How long things take beside Kubernetes' own timers: KWOK's workers, collections, refusals."""

from typing import Any

import pytest

from gpusched.controllers.protocol import Change
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import Latency, Rate
from tests.sim import builders

Json = dict[str, Any]
MILLISECOND = 1000


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
