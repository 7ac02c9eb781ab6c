"""Large files: objects alike are judged once, lists share while they are read, and it shows."""

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.decode import strict
from gpusched.api.likeness import named_labels, nameless, renamed
from gpusched.api.load import Manifest, load, manifests, meter, sharing
from gpusched.api.load.documents import documents
from gpusched.api.load.sources import Chunk
from gpusched.errors import InvalidInputError
from tests.api.load.test_sharing import pod

WORDS = st.sampled_from(["a", "b", "name", ""])
LABELS = st.dictionaries(WORDS, WORDS, max_size=3)
NODES = st.fixed_dictionaries(
    {"kind": st.just("Node"), "metadata": st.fixed_dictionaries({"name": WORDS, "labels": LABELS})},
    optional={"spec": LABELS},
)


def lines(objects: list[Any]) -> str:
    return "".join(json.dumps(obj) + "\n" for obj in objects)


@given(NODES, NODES)
def test_objects_are_alike_if_one_renamed_is_the_other(first: Any, second: Any) -> None:
    alike = nameless(first) == nameless(second)
    again = renamed(first, second["metadata"]["name"], named_labels(first["metadata"]))
    assert alike == (json.dumps(again) == json.dumps(second) and _named(first) == _named(second))


def _named(node: Any) -> tuple[str, ...]:
    return named_labels(node["metadata"])


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param({"kind": "Pod"}, id="no metadata"),
        pytest.param({"metadata": []}, id="metadata of another sort"),
        pytest.param({"metadata": {"name": 7}}, id="a name that is none"),
        pytest.param({"metadata": {"name": "a", "labels": {"x": "\0"}}}, id="the mark itself"),
    ],
)
def test_what_has_no_name_is_like_nothing(obj: Any) -> None:
    assert nameless(obj) is None


@given(st.lists(NODES, max_size=8), st.sampled_from([1, 4096]))
def test_nodes_alike_keep_what_they_say(nodes: list[Any], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "_MOST_ALIKE", most)
        same = sharing.Sharing()
        assert json.dumps([same.share(node) for node in nodes]) == json.dumps(nodes)


def test_pods_alike_are_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def noting(obj: Any) -> Any:
        judged.append(obj["metadata"]["name"])
        return strict(obj)

    file = tmp_path / "pods.jsonl"
    file.write_text(lines([pod(index) for index in range(60)]))
    monkeypatch.setattr(manifests, "strict", noting)
    assert len(load(str(file), judge=noting)) == 60
    assert judged == ["pod-0", "pod-1", "pod-2"]


def test_what_is_wrong_in_the_midst_of_pods_alike_is_told_with_its_place(tmp_path: Path) -> None:
    pods = [pod(index) for index in range(30)]
    pods[12]["spec"]["nodeSelektor"] = []
    pods[21]["metadata"]["name"] = 21
    pods[27]["spec"]["nodeSelektor"] = []
    file = tmp_path / "pods.jsonl"
    file.write_text(lines(pods))
    with pytest.raises(InvalidInputError) as caught:
        load(str(file))
    assert [fault.line for fault in caught.value.faults] == [13, 22, 28]
    assert 'unknown field "spec.nodeSelektor"' in caught.value.faults[2].message
    assert "cannot unmarshal number" in caught.value.faults[1].message


def listed(items: list[Any], form: str) -> str:
    """Return a list as kubectl writes it: its kind comes after its items."""
    text = json.dumps({"items": items, "kind": "List", "apiVersion": "v1"}, indent=1)
    return text if form == "JSON" else f"# JSON is YAML, too\n{text}"


@pytest.mark.parametrize("form", ["YAML", "JSON"])
def test_a_list_shares_while_it_is_read(form: str) -> None:
    kept: list[Any] = []
    same = sharing.Sharing()

    def take(item: Any, part: float | None) -> Any:
        assert form == "JSON" or (part is not None and 0 < part < 1)
        kept.append(same.share(item))
        return kept[-1]

    items = [pod(index) for index in range(30)]
    (document,) = documents(Chunk(listed(items, form), 1, json=form == "JSON"), take)
    assert document.value["items"] == items == kept
    assert len({id(item["spec"]) for item in document.value["items"]}) == 3


def test_an_item_that_others_refer_to_is_still_what_was_written(tmp_path: Path) -> None:
    text = """\
items:
- &first
  apiVersion: v1
  kind: Pod
  metadata: {name: a, labels: &l {app: x}}
  spec: {containers: [{name: c, image: i}]}
- {<<: *first, metadata: {name: b, labels: *l}}
- *first
apiVersion: v1
kind: List
"""
    file = tmp_path / "list.yaml"
    file.write_text(text)
    found = [manifest.object for manifest in load(str(file))]
    assert [obj["metadata"] for obj in found] == [
        {"name": name, "labels": {"app": "x"}} for name in ("a", "b", "a")
    ]
    assert found[0] == found[2]


@pytest.mark.parametrize("levels", [102, 300])
def test_json_that_nests_too_deeply_is_refused(tmp_path: Path, levels: int) -> None:
    with pytest.raises(InvalidInputError, match="nested deeper than 100 levels"):
        nested(tmp_path, levels)


def test_json_may_nest_as_deep_as_yaml(tmp_path: Path) -> None:
    assert len(nested(tmp_path, 101)) == 1


def nested(folder: Path, levels: int) -> tuple[Manifest, ...]:
    """Return what is read of a map of lists in lists, so many levels in all."""
    (folder / "a.json").write_text(f'{{"a":\n{"[" * (levels - 1)}{"]" * (levels - 1)}}}')
    return load(str(folder / "a.json"), judge=lambda _: ())


def told_of(names: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, float | None]]:
    told: list[tuple[str, int, float | None]] = []
    monkeypatch.setattr(meter, "_EACH", 10)
    found = load(names, tell=lambda *word: told.append(word))
    assert all(isinstance(each, Manifest) for each in found)
    return told


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_one_is_told_how_far_the_reading_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    file = tmp_path / "pods.jsonl"
    text = lines([pod(index) for index in range(100)]).encode()
    file.write_bytes(gzip.compress(text) if packed else text)
    told = told_of(str(file), monkeypatch)
    assert [(name, objects) for name, objects, _ in told] == [
        (str(file), objects) for objects in range(10, 101, 10)
    ]
    parts = [part for _, _, part in told if part is not None]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_of_a_list_one_is_told_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(listed([pod(index) for index in range(40)], "YAML"))
    told = told_of(str(file), monkeypatch)
    assert [objects for _, objects, _ in told] == [10, 20, 30, 40]
    parts = [part or 0 for _, _, part in told]
    assert 0.2 < parts[0] < parts[1] < parts[2] < parts[3] < 1


def test_nobody_knows_how_much_standard_input_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines([pod(index) for index in range(20)]).encode()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert told_of("-", monkeypatch) == [("<stdin>", 10, None), ("<stdin>", 20, None)]


def test_of_pods_alike_only_the_names_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "pods.jsonl"
    file.write_text(lines([pod(3 * index) for index in range(50)]))
    first, *others = load(str(file))
    assert all(isinstance(found._object, sharing.Alike) for found in others)
    assert len({id(found._object.other) for found in others}) == 1  # type: ignore[union-attr]
    assert others[6].object == pod(21)
    assert others[6] == load(str(file))[7] != others[7]
    assert others[6].holding(first.object).object == pod(0)
