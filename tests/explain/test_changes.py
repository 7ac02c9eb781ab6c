"""What would have to change: by table, and by making the change."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.explain import explain_case
from gpusched.explain.changes import Change
from tests.explain.worlds import Json, case, node, pod, taint


def smallest(objects: list[Json], pending: Json) -> dict[str, list[str]]:
    found = explain_case(case(objects, pending), f"default/{pending['metadata']['name']}")
    return {name: [c.text for c in changes] for name, changes in found.smallest_change.items()}


@pytest.mark.parametrize(
    ("objects", "pending", "expected"),
    [
        pytest.param(
            [node("a", 2), pod("held", 2, on="a"), node("b", 4), pod("held-too", 4, on="b")],
            pod("p", 1),
            {"a": ["free 1 nvidia.com/gpu"], "b": ["free 1 nvidia.com/gpu"]},
            id="one GPU too few on each of two nodes",
        ),
        pytest.param(
            [node("a", 4), pod("held", 4, on="a"), node("b", 4), pod("held-too", 2, on="b")],
            pod("p", 3),
            {"b": ["free 1 nvidia.com/gpu"]},
            id="the node where fewer GPUs have to go",
        ),
        pytest.param(
            [node("a", 1, taints=["team=red:NoSchedule", "soft=x:PreferNoSchedule"])],
            pod("p", 1),
            {"a": ["tolerate the taint team=red:NoSchedule"]},
            id="only a hard taint has to be tolerated",
        ),
        pytest.param(
            [node("a", 1, labels={"pool": "a100"})],
            pod("p", 1, selector={"pool": "b200"}),
            {"a": ["label the node pool=b200"]},
            id="a label that the selector asks for",
        ),
        pytest.param(
            [node("a", 1, cordoned=True)],
            pod("p", 1),
            {"a": ["uncordon the node"]},
            id="a cordoned node",
        ),
        pytest.param(
            [node("a", 8)],
            pod("p", 16),
            {"a": ["the node has 8 nvidia.com/gpu, the pod asks for 16"]},
            id="no node is large enough",
        ),
        pytest.param(
            [node("a", 1, labels={"pool": "x"}, taints=["t=v:NoExecute"]), pod("h", 1, on="a")],
            pod("p", 1, selector={"pool": "y"}),
            {"a": ["tolerate the taint t=v:NoExecute", "label the node pool=y",
                   "free 1 nvidia.com/gpu"]},
            id="everything at once, plugins that were never asked included",
        ),
    ],
)  # fmt: skip
def test_the_smallest_change(
    objects: list[Json], pending: Json, expected: dict[str, list[str]]
) -> None:
    assert smallest(objects, pending) == expected


POOLS = st.sampled_from(["a", "b"])
TAINTS = st.lists(st.sampled_from(["t=1:NoSchedule", "u=2:NoExecute"]), unique=True)


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[Json], Json]:
    objects = []
    for index in range(draw(st.integers(1, 4))):
        name, gpus = f"n{index}", draw(st.integers(0, 4))
        objects.append(
            node(
                name,
                gpus,
                labels={"pool": draw(POOLS)},
                taints=draw(TAINTS),
                cordoned=draw(st.booleans()),
            )
        )
        if held := draw(st.integers(0, gpus)):
            objects.append(pod(f"held-{index}", held, on=name))
    wanted = draw(st.one_of(st.none(), POOLS))
    selector = {"pool": wanted} if wanted else {}
    return objects, pod("p", draw(st.integers(0, 5)), selector=selector)


@pytest.mark.property
@given(clusters())
def test_with_the_change_made_the_pod_fits(world: tuple[list[Json], Json]) -> None:
    objects, pending = world
    found = explain_case(case(objects, pending), "default/p")
    for name, changes in found.smallest_change.items():
        changed, tried = copy.deepcopy(objects), copy.deepcopy(pending)
        target = next(o for o in changed if o["kind"] == "Node" and o["metadata"]["name"] == name)
        for change in changes:
            make(change, target, tried)
        again = explain_case(case(changed, tried), "default/p")
        assert next(v for v in again.nodes if v.node == name).feasible


def make(change: Change, target: Json, tried: Json) -> None:
    """Make a change; a freed amount is as good as that much more."""
    amounts: dict[str, Any] = target["status"]["allocatable"]
    if change.kind in ("free", "grow"):
        amounts[change.subject] = str(int(amounts[change.subject]) + change.amount)
    elif change.kind == "tolerate":
        borne = {**taint(change.subject), "operator": "Equal"}
        tried["spec"].setdefault("tolerations", []).append(borne)
    elif change.kind == "label":
        value = change.text.rpartition("=")[2].split("|")[0]
        target["metadata"]["labels"][change.subject] = value
    elif change.kind == "uncordon":
        target["spec"]["unschedulable"] = False
    else:
        raise AssertionError(change)
