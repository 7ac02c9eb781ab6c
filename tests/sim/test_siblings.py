"""Nodes of one pool: worked out once, and yet each as if it had been alone."""

from copy import deepcopy
from typing import Any

import pytest

from gpusched.api.config import default_configuration
from gpusched.cluster.node import NodeInfo
from gpusched.controllers import taints
from gpusched.controllers.protocol import ApiError
from gpusched.kwok import fast
from gpusched.sim import api as verbs
from gpusched.sim import kubelet
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Json
from gpusched.sim.scheduler import SchedulerOptions, compiling
from gpusched.sim.scheduler.starting import start_scheduler

HOST = "kubernetes.io/hostname"
POOL = "pool"
REFUSED = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    " for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def member(name: str, **more: Any) -> Json:
    amounts = {"cpu": "64", "memory": "1024Gi", "pods": "110", "nvidia.com/gpu": "8"}
    meta = {"labels": {HOST: name, POOL: "a100"}, "name": name}
    status = {"allocatable": amounts, "capacity": amounts}
    taint = {"key": "fake", "effect": "NoSchedule"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"taints": [taint]}}
    return {**node, "status": status, **more}


def counted(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[Any]:
    """Return a list that grows with each call of a function."""
    calls: list[Any] = []
    function = getattr(where, name)

    def call(*args: Any) -> Any:
        calls.append(args)
        return function(*args)

    monkeypatch.setattr(where, name, call)
    return calls


def test_each_pool_is_decoded_and_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = ControlPlane()
    decoded = counted(monkeypatch, verbs, "decode")
    validated = counted(monkeypatch, verbs, "validate_object")
    for index in range(50):
        plane.api.create(member(f"a-{index}"))
        plane.api.create(member(f"b-{index}", spec={}))
    assert len(decoded) == len(validated) == 2


def test_each_pool_is_made_ready_and_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    readied = counted(monkeypatch, fast, "initialized")
    monkeypatch.setattr(kubelet, "initialized", fast.initialized)
    compiled = counted(monkeypatch, compiling, "compile_node")
    reconciled = counted(monkeypatch, taints, "reconciled")
    plane = ControlPlane()
    scheduler = start_scheduler(plane, default_configuration(), SchedulerOptions())
    plane.start_controllers(0)
    plane.start_kwok("kwok", ["--manage-all-nodes"])
    for index in range(50):
        plane.api.create(member(f"a-{index}"))
    plane.run(1)
    assert len(readied) == 1
    states = 5  # with and without taint and conditions, in either order
    assert len(compiled) <= states
    assert len(reconciled) <= states
    infos = [scheduler.cache.nodes.info(row) for row in range(50)]
    assert len({id(info.allocatable) for info in infos}) <= 2
    assert [info.labels[HOST] for info in infos] == [info.name for info in infos]


VARIANTS = {
    "plain": member("first"),
    "without labels": member("first", metadata={"name": "first"}),
    "labels of other order": member(
        "first", metadata={"name": "first", "labels": {POOL: "a100", HOST: "first"}}
    ),
    "two labels hold the name": member(
        "first", metadata={"name": "first", "labels": {HOST: "first", "who": "first"}}
    ),
    "the name as an annotation": member(
        "first", metadata={"name": "first", "annotations": {"who": "first"}}
    ),
    "null labels": member("first", metadata={"name": "first", "labels": None}),
    "a null label": member("first", metadata={"name": "first", "labels": {POOL: None}}),
    "cordoned": member("first", spec={"unschedulable": True}),
    "without a status": {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "first"},
        "spec": None,
    },
    "with what only a server gives": member(
        "first", metadata={"name": "first", "uid": "u", "creationTimestamp": None}
    ),
}


def renamed(node: Any, name: str) -> Any:
    """Return a JSON value with a name instead of ``first``."""
    if isinstance(node, dict):
        return {key: renamed(value, name) for key, value in node.items()}
    if isinstance(node, list):
        return [renamed(value, name) for value in node]
    return name if node == "first" else node


@pytest.mark.parametrize("node", VARIANTS.values(), ids=VARIANTS)
def test_a_sibling_is_stored_as_if_it_were_the_first(node: Json) -> None:
    together, alone = ControlPlane(), ControlPlane()
    for other in VARIANTS.values():
        together.api.create(renamed(other, f"of-{id(other)}"))
    found = together.api.create(renamed(node, "second"))
    expected = alone.api.create(renamed(node, "second"))
    given = {"uid": "", "resourceVersion": ""}
    for obj in (found, expected):
        obj["metadata"] |= given
    assert found == expected
    assert list(found["metadata"]) == list(expected["metadata"])
    assert list(found["metadata"].get("labels") or ()) == list(
        expected["metadata"].get("labels") or ()
    )


def refusal(plane: ControlPlane, node: Json) -> str:
    with pytest.raises(ApiError) as refused:
        plane.api.create(node)
    return refused.value.message


def test_a_wrong_name_among_siblings_is_refused_in_its_own_words() -> None:
    plane = ControlPlane()
    plane.api.create(member("good"))
    assert refusal(plane, member("Not_good")) == (
        f'Node "Not_good" is invalid: metadata.name: Invalid value: "Not_good": {REFUSED}'
    )


def test_a_name_that_no_label_can_hold_is_refused() -> None:
    plane, name = ControlPlane(), "a" * 64
    plane.api.create(member("good"))
    assert "metadata.labels: Invalid value" in refusal(plane, member(name))
    bare = {"name": name, "labels": {POOL: "a100"}}
    plane.api.create(member("good-too", metadata={"name": "good-too", "labels": {POOL: "a100"}}))
    assert plane.api.create(member(name, metadata=bare))["metadata"]["name"] == name


def test_nobody_passes_for_a_sibling_with_the_sign_for_a_name() -> None:
    plane = ControlPlane()
    plane.api.create(member("good"))
    labels = {HOST: "\0", POOL: "a100"}
    assert "metadata.labels" in refusal(
        plane, member("b", metadata={"labels": labels, "name": "b"})
    )


def test_a_name_that_is_taken_is_refused() -> None:
    plane = ControlPlane()
    plane.api.create(member("good"))
    assert refusal(plane, member("good")) == 'nodes "good" already exists'


def test_siblings_go_their_own_ways() -> None:
    plane = ControlPlane()
    nodes = [plane.api.create(member(name)) for name in "abc"]
    before = deepcopy(nodes)
    plane.api.patch("Node", ("", "b"), {"spec": {"unschedulable": True}})
    plane.api.patch("Node", ("", "b"), {"metadata": {"labels": {POOL: None}}})
    plane.api.patch("Node", ("", "b"), {"status": {"allocatable": {"cpu": "1"}}}, sub="status")
    assert [plane.api.read("Node", "", name) for name in "ac"] == [before[0], before[2]]
    assert nodes == before
    assert plane.api.create(member("d"))["spec"] == before[0]["spec"]


def test_a_named_node_differs_by_its_metadata_alone() -> None:
    first = NodeInfo(
        "", {}, (), False, ((0, 1),), 2, {"i": 3}, frozenset("f"), "", {}, (("R", "T"),)
    )
    zone = {"topology.kubernetes.io/zone": "z"}
    other = first.named("n", zone, {"k": "v"})
    changed = {"name": "n", "labels": zone, "annotations": {"k": "v"}, "zone": ":\0:z"}
    for name in NodeInfo.__slots__:
        assert getattr(other, name) == changed.get(name, getattr(first, name))
