"""What many manifests have in common is held once, and nobody can tell by what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.load import load, sharing
from gpusched.api.load.sharing import Sharing

SCALARS = st.none() | st.booleans() | st.integers(-3, 1 << 70) | st.floats(allow_nan=False)
TEXTS = st.sampled_from(["", "a", "b", "name", "x" * 99])
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
KINDS = st.sampled_from(["Pod", "Node", "Job"])
OBJECTS = st.fixed_dictionaries({"kind": KINDS}, optional={"metadata": VALUES, "spec": VALUES})


@given(st.lists(OBJECTS, max_size=6))
def test_nothing_that_is_said_changes(objects: list[Any]) -> None:
    before = json.dumps(objects)
    same = Sharing()
    assert json.dumps([same.share(obj) for obj in objects]) == before
    assert json.dumps(objects) == before


@given(OBJECTS, OBJECTS)
def test_nothing_that_is_said_changes_when_much_was_forgotten(first: Any, second: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "_MOST", 0)
        same = Sharing()
        assert json.dumps([same.share(first), same.share(second)]) == json.dumps([first, second])


def pod(index: int) -> dict[str, Any]:
    container = {"name": "c", "image": "x", "env": [{"name": "RANK", "value": str(index % 3)}]}
    meta = {"name": f"pod-{index}", "labels": {"app": "a"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container]},
    }


def maps_in(value: Any) -> list[int]:
    """Return the identity of every map and list in a value, itself included."""
    if isinstance(value, dict):
        return [id(value), *(each for entry in value.values() for each in maps_in(entry))]
    if isinstance(value, list):
        return [id(value), *(each for entry in value for each in maps_in(entry))]
    return []


def test_a_pod_more_costs_a_map_and_its_metadata(tmp_path: Path) -> None:
    file = tmp_path / "pods.jsonl"
    file.write_text("".join(json.dumps(pod(index)) + "\n" for index in range(200)))
    found = load(str(file))
    objects = [manifest.object for manifest in found]
    assert objects == [pod(index) for index in range(200)]
    shared = 1 + 3 * 5  # labels; and for each rank its entry, list, container, list and spec
    assert len({each for obj in objects for each in maps_in(obj)}) == 2 * 200 + shared
    assert len({id(obj["metadata"]) for obj in objects}) == 200
    assert len({id(name) for obj in objects for name in obj}) == 4


def test_a_line_is_forgotten_but_its_number(tmp_path: Path) -> None:
    file = tmp_path / "pods.jsonl"
    file.write_text("\n" + "".join(json.dumps(pod(index)) + "\n\n" for index in range(3)))
    found = load(str(file))
    assert [manifest.line for manifest in found] == [2, 4, 6]
    assert [manifest.line_of("spec.containers[0].image") for manifest in found] == [2, 4, 6]
    assert not any(manifest._chunk.text for manifest in found)


def test_other_kinds_are_left_alone() -> None:
    job = {**pod(1), "kind": "Job"}
    assert Sharing().share(job) is job
