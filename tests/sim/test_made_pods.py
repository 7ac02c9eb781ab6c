"""Pods that controllers make: what their metadata have of the owner and of its template."""

import pytest

from gpusched.sim.calendar import SECOND
from tests.sim.builders import Json, job, node, plane, workload


def daemons() -> Json:
    made = workload("DaemonSet", "w", 1)
    del made["spec"]["replicas"]
    return made


def indexed() -> Json:
    made = job("w", 1, 1)
    made["spec"]["completionMode"] = "Indexed"
    return made


@pytest.mark.parametrize(
    ("owner", "prefix"),
    [
        pytest.param(workload("ReplicaSet", "w", 1), "w-", id="replica set"),
        pytest.param(workload("StatefulSet", "w", 1), "w-", id="stateful set"),
        pytest.param(daemons(), "w-", id="daemon set"),
        pytest.param(job("w", 1, 1), "w-", id="job"),
        pytest.param(indexed(), "w-0-", id="indexed job"),
    ],
)
def test_a_pod_says_from_what_its_name_was_made(owner: Json, prefix: str) -> None:
    built = plane(node("a"))
    built.api.create(owner)
    built.run(SECOND)
    (made,) = [obj["metadata"] for obj in built.api.read_all("Pod")]
    assert made["generateName"] == prefix
    assert made["name"].startswith(prefix)
    patched = built.api.patch(
        "Pod", ("default", made["name"]), {"metadata": {"labels": {"more": "yes"}}}
    )
    assert patched["metadata"]["generateName"] == prefix


def test_of_a_templates_metadata_only_some_is_taken() -> None:
    owner = workload("ReplicaSet", "w", 2)
    given = {"name": "mine", "generateName": "made-", "annotations": {"a": "b"}}
    owner["spec"]["template"]["metadata"] |= {**given, "finalizers": ["example.com/held"]}
    built = plane(node("a"))
    built.api.create(owner)
    built.run(SECOND)
    made = [obj["metadata"] for obj in built.api.read_all("Pod")]
    assert [meta["generateName"] for meta in made] == ["w-", "w-"]
    assert all(meta["name"].startswith("w-") for meta in made)
    assert all(meta["annotations"] == {"a": "b"} for meta in made)
    assert all(meta["finalizers"] == ["example.com/held"] for meta in made)


def test_a_pod_without_an_owner_keeps_what_it_was_given() -> None:
    built = plane(node("a"))
    meta = {"generateName": "made-", "namespace": "default"}
    spec = {"containers": [{"name": "c", "image": "x"}]}
    built.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    (made,) = built.api.read_all("Pod")
    assert made["metadata"]["generateName"] == "made-"
