"""Stories on a control plane without latency: what users do and what comes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from gpusched.controllers.protocol import ApiError
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete, evict
from tests.sim.builders import job, node, plane, pod, workload

ROOT = Path(__file__).parents[2]


def phases(built: ControlPlane) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in built.store.pods():
        counts[item.phase] = counts.get(item.phase, 0) + 1
    return counts


def messages(built: ControlPlane, reason: str) -> list[str]:
    return [record.message for record in built.store.events if record.reason == reason]


def test_a_deployment_fills_what_is_free_and_the_rest_waits() -> None:
    built = plane(node("a", 8), node("b", 4))
    built.api.create(workload("Deployment", "web", 15))
    built.run(2 * SECOND)
    assert phases(built) == {"Running": 12, "Pending": 3}
    (found,) = built.store.objects("Deployment")
    assert found["status"]["readyReplicas"] == 12
    assert found["status"]["unavailableReplicas"] == 3


def test_scaling_down_takes_the_waiting_pods_first() -> None:
    built = plane(node("a", 8))
    built.api.create(workload("Deployment", "web", 12))
    built.run(SECOND)
    built.api.scale("Deployment", ("default", "web"), 8)
    built.run(2 * SECOND)
    assert phases(built) == {"Running": 8}


def test_deleting_a_deployment_takes_its_pods_along() -> None:
    built = plane(node("a"))
    built.api.create(workload("Deployment", "web", 4))
    built.run(SECOND)
    delete(built.store, "Deployment", ("default", "web"))
    built.run(2 * SECOND)
    assert not list(built.store.pods())
    assert not built.store.objects("ReplicaSet")


def test_a_rolling_update_replaces_every_pod() -> None:
    built = plane(node("a", 8))
    built.api.create(workload("Deployment", "web", 6))
    built.run(SECOND)
    change = {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    built.api.patch("Deployment", ("default", "web"), change)
    built.run(3 * SECOND)
    sizes = [item["spec"]["replicas"] for item in built.store.objects("ReplicaSet")]
    assert sizes == [0, 6]
    assert all(item.annotations.get("v") == "2" for item in built.store.pods())


def test_a_stateful_set_goes_in_order() -> None:
    built = plane(node("a", 3))
    built.api.create(workload("StatefulSet", "db", 4, serviceName="db"))
    built.run(SECOND)
    assert [item.name for item in built.store.pods()] == ["db-0", "db-1", "db-2", "db-3"]
    assert phases(built) == {"Running": 3, "Pending": 1}


def test_a_job_runs_to_its_end_and_says_so() -> None:
    built = plane(node("a", 2))
    built.api.create(job("train", 3, 2))
    built.run(10 * SECOND)
    (found,) = built.store.objects("Job")
    assert found["status"]["succeeded"] == 3
    assert messages(built, "Completed") == ["Job completed"]
    assert all(not item.finalizers for item in built.store.pods())


def test_a_daemon_set_puts_a_pod_on_each_node_and_on_new_ones() -> None:
    built = plane(node("a"), node("b"))
    daemon = workload("DaemonSet", "agent", 0)
    del daemon["spec"]["replicas"]
    built.api.create(daemon)
    built.run(SECOND)
    built.api.create(node("c"))
    built.run(2 * SECOND)
    (found,) = built.store.objects("DaemonSet")
    assert found["status"]["desiredNumberScheduled"] == 3
    assert len(list(built.store.pods())) == 3


def test_a_budget_forbids_an_eviction_that_breaks_it() -> None:
    built = plane(node("a"))
    built.api.create(workload("Deployment", "web", 2))
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    meta = {"name": "web", "namespace": "default"}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": spec,
    }
    built.api.create(budget)
    built.run(SECOND)
    first = next(built.store.pods())
    with pytest.raises(ApiError, match="would violate the pod's disruption budget") as refusal:
        evict(built.store, first.key)
    assert refusal.value.code == 429


def test_a_quota_holds_and_says_what_it_counts() -> None:
    built = plane(node("a"))
    hard = {"hard": {"requests.nvidia.com/gpu": "3"}}
    meta = {"name": "gpus", "namespace": "default"}
    built.api.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": hard})
    built.run(SECOND)
    built.api.create(pod("two", 2))
    with pytest.raises(ApiError) as refusal:
        built.api.create(pod("more", 2))
    assert str(refusal.value) == (
        'pods "more" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=2,'
        " used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=3"
    )
    delete(built.store, "Pod", ("default", "two"))
    built.run(2 * SECOND)
    (found,) = built.store.objects("ResourceQuota")
    assert found["status"]["used"] == {"requests.nvidia.com/gpu": "0"}


def test_a_lost_node_is_tainted_and_its_pods_are_evicted_in_time() -> None:
    built = plane(node("a", kwok="one"), node("b", kwok="two"), kwoks=("one", "two"))
    built.api.create(pod("p"))
    built.run(SECOND)
    built.kubelets["one"].stop()
    built.run(70 * SECOND)
    lost = built.store.get("Node", "", "a")
    assert lost is not None
    keys = [(item["key"], item["effect"]) for item in lost["spec"]["taints"]]
    assert ("node.kubernetes.io/unreachable", "NoExecute") in keys
    assert messages(built, "NodeNotReady")[0] == "Node a status is now: NodeNotReady"
    built.run(400 * SECOND)
    assert messages(built, "TaintManagerEviction") == ["Marking for deletion Pod default/p"]


def test_pods_of_a_deleted_node_are_collected_after_the_quarantine() -> None:
    built = plane(node("a"))
    built.api.create(workload("Deployment", "web", 1))
    built.run(SECOND)
    (before,) = built.store.pods()
    delete(built.store, "Node", ("", "a"))
    built.run(40 * SECOND)
    assert [item.uid for item in built.store.pods()] == [before.uid]
    built.run(90 * SECOND)
    (after,) = built.store.pods()
    assert after.uid != before.uid
    assert after.phase == "Pending"


def test_a_dying_namespace_takes_nothing_new_and_goes_with_its_content() -> None:
    built = plane(node("a"))
    built.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    mine = pod("p")
    mine["metadata"]["namespace"] = "team"
    built.api.create(mine)
    built.run(SECOND)
    delete(built.store, "Namespace", ("", "team"))
    with pytest.raises(ApiError, match="because it is being terminated"):
        built.api.create({**mine, "metadata": {"name": "q", "namespace": "team"}})
    built.run(20 * SECOND)
    assert built.store.get("Namespace", "", "team") is None


def story() -> ControlPlane:
    built = plane(node("a", 8), node("b", 4), seed=7)
    built.api.create(workload("Deployment", "web", 15))
    built.api.create(job("train", 4, 2))
    built.run(30 * SECOND)
    delete(built.store, "Node", ("", "b"))
    built.run(200 * SECOND)
    return built


def test_a_kind_without_a_subresource_refuses_a_patch_of_it() -> None:
    built = plane(node("a"))
    built.api.create(pod("p"))
    for kind, sub in (("Pod", "scale"), ("PriorityClass", "status"), ("Node", "nonsense")):
        with pytest.raises(ApiError, match="could not find the requested resource") as refusal:
            built.api.patch(kind, ("", "a"), {"spec": {"replicas": 3}}, "merge", sub)
        assert refusal.value.code == 404


def test_equal_seeds_give_byte_identical_journals() -> None:
    assert story().store.journal.digest() == story().store.journal.digest()


def test_no_hash_seed_reaches_the_journal() -> None:
    script = "from tests.sim.test_control_plane import story; print(story().store.journal.digest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1
