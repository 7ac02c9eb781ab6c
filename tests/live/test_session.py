"""What of a cluster belongs to a play, and what was there before it."""

from pathlib import Path
from typing import Any

import pytest

from gpusched.live.cluster import ClusterError
from gpusched.live.preparing import LABEL
from gpusched.live.session import Concerns, driven_classes, standing
from tests.live.conftest import read


def thing(kind: str, name: str, namespace: str = "", *, play: str = "") -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if play:
        meta["labels"] = {LABEL: play}
    return {"kind": kind, "metadata": meta}


def test_what_the_last_play_has_left_in_its_ending_namespace_is_not_standing() -> None:
    """Its budget would tell the simulator that it has no pods any more."""
    theirs = [
        thing("Node", "real"),
        thing("Namespace", "lab"),
        thing("PodDisruptionBudget", "b", "lab"),
    ]
    left = [
        thing("Node", "kwok", play="p1"),
        thing("Namespace", "p1-lab", play="p1"),
        thing("PodDisruptionBudget", "b", "p1-lab", play="p1"),
        thing("ResourceClaim", "made-of-a-template", "p1-lab"),
    ]
    assert standing([*left, *theirs]) == tuple(theirs)


def about(kind: str, name: str, namespace: str) -> dict[str, Any]:
    event = thing("Event", "e", namespace)
    return {**event, "involvedObject": {"kind": kind, "name": name}}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(thing("Node", "n", play="p1"), True, id="our label"),
        pytest.param(thing("Node", "n", play="p2"), False, id="the label of another play"),
        pytest.param(thing("Pod", "made-up", "p1-lab"), True, id="our namespace"),
        pytest.param(thing("Pod", "made-up", "default"), False, id="another namespace"),
        pytest.param(about("Node", "n", "default"), True, id="what happens to our node"),
        pytest.param(about("Node", "other", "default"), False, id="what happens to another node"),
        pytest.param(about("Pod", "n", "default"), False, id="a pod that is called as our node"),
    ],
)
def test_a_watcher_minds_what_belongs_to_the_play(obj: dict[str, Any], expected: bool) -> None:
    assert Concerns("p1", frozenset({"p1-lab"}), frozenset({"n"}))(obj) is expected


def storage_class(name: str, driver: str) -> dict[str, Any]:
    head = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    return {**head, "metadata": {"name": name}, "provisioner": driver}


def test_a_driver_that_the_cluster_has_is_not_played_beside_it(tmp_path: Path) -> None:
    setup = [
        storage_class("fast", "disk.example.com"),
        storage_class("local", "kubernetes.io/no-provisioner"),
    ]
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    scenario = read({**head, "spec": {"setup": setup}}, tmp_path)
    assert driven_classes(scenario, [storage_class("theirs", "other.example.com")]) == ["fast"]
    with pytest.raises(
        ClusterError, match=r"the cluster has a driver disk\.example\.com of its own"
    ):
        driven_classes(scenario, [storage_class("theirs", "disk.example.com")])
