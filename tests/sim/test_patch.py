"""The three patch formats: tables of object, patch and outcome."""

from copy import deepcopy
from typing import Any

import pytest

from gpusched.controllers.protocol import ApiError
from gpusched.sim.patch import apply_patch

A, B = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}
REFUSED = "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    ("kind", "obj", "patch", "after"),
    [
        pytest.param("merge", {"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2,
                     "d": 3}},
                     id="merge: objects merge"),
        pytest.param("merge", {"a": 1, "b": 2}, {"a": None}, {"b": 2}, id="merge: null deletes"),
        pytest.param("merge", {"a": [1, 2]}, {"a": [3]}, {"a": [3]},
                     id="merge: lists are replaced"),
        pytest.param("merge", {"a": 1}, {"a": {"b": None}}, {"a": {}},
                     id="merge: an object replaces a number, without its nulls"),
        pytest.param("strategic", {"containers": [A, B]}, {"containers": [{"name": "b",
                     "image": "2"}]},
                     {"containers": [A, {"name": "b", "image": "2"}]},
                     id="strategic: containers merge by name"),
        pytest.param("strategic", {"containers": [A]}, {"containers": [B]}, {"containers": [A, B]},
                     id="strategic: a new container comes last"),
        pytest.param("strategic", {"containers": [A, B]}, {"containers": [{"name": "a",
                     "$patch": "delete"}]},
                     {"containers": [B]}, id="strategic: delete by key"),
        pytest.param("strategic", {"containers": [A]}, {"containers": [{"$patch": "replace"}, B]},
                     {"containers": [B]}, id="strategic: replace a list"),
        pytest.param("strategic", {"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}},
                     {"a": {"c": 2}},
                     id="strategic: replace an object"),
        pytest.param("strategic", {"a": {"b": 1, "c": 2}}, {"a": {"$retainKeys": ["c"], "c": 3}},
                     {"a": {"c": 3}}, id="strategic: retain keys"),
        pytest.param("strategic", {"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]},
                     {"tolerations": [{"key": "b"}]},
                     id="strategic: a list without a key is replaced"),
        pytest.param("strategic", {"finalizers": ["a"]}, {"finalizers": ["a", "b"]},
                     {"finalizers": ["a", "b"]}, id="strategic: finalizers are a union"),
        pytest.param("strategic", {"finalizers": ["a", "b"]},
                     {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]},
                     id="strategic: delete from a union"),
        pytest.param("strategic", {"labels": {"a": "1"}}, {"labels": {"a": None}}, {"labels": {}},
                     id="strategic: null deletes"),
        pytest.param("json", {"a": {"b": 1}}, [{"op": "add", "path": "/a/c", "value": 2}],
                     {"a": {"b": 1, "c": 2}}, id="json: add a field"),
        pytest.param("json", {"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}],
                     {"a": [1, 2, 3]}, id="json: insert into a list"),
        pytest.param("json", {"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}],
                     {"a": [1, 2]}, id="json: append"),
        pytest.param("json", {"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]},
                     id="json: remove an item"),
        pytest.param("json", {"a": {"b/c": 1, "d~": 2}}, [{"op": "remove", "path": "/a/b~1c"},
                     {"op": "replace", "path": "/a/d~0", "value": 3}], {"a": {"d~": 3}},
                     id="json: slashes and tildes are escaped"),
        pytest.param("json", {"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1},
                     id="json: move"),
        pytest.param("json", {"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": 1,
                     "b": 1},
                     id="json: copy"),
        pytest.param("json", {"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1},
                     id="json: a test that holds"),
    ],
)  # fmt: skip
def test_a_patch(kind: str, obj: Any, patch: Any, after: Any) -> None:
    before = deepcopy(obj)
    assert apply_patch(obj, patch, kind) == after
    assert obj == before, "arguments are left alone"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "test", "path": "/a", "value": 2}, f"{REFUSED}: testing /a"),
        ({"op": "replace", "path": "/x/y", "value": 2}, REFUSED),
        ({"op": "copy", "from": "/b/7", "path": "/c"}, REFUSED),
    ],
    ids=["a test that fails", "a path that is not there", "a source that is not there"],
)
def test_a_json_patch_is_refused(operation: Any, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        apply_patch({"a": 1, "b": [1]}, [operation], "json")
    assert (caught.value.code, caught.value.message) == (422, message)


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param([{"op": "foo", "path": "/a"}], id="an operation that nobody knows"),
        pytest.param([{"op": "add"}], id="an operation without a path"),
        pytest.param([{"path": "/a", "value": 1}], id="a path without an operation"),
        pytest.param([{"op": "replace", "path": "/b", "value": 1}], id="nothing to replace"),
        pytest.param([{"op": "remove", "path": "/b"}], id="nothing to remove"),
        pytest.param([{"op": "remove", "path": "/l/7"}], id="an item that is not there"),
        pytest.param([{"op": "add", "path": "/l/x", "value": 1}], id="an item without a number"),
        pytest.param([{"op": "add", "path": "/a/b/c", "value": 1}], id="a way through a number"),
        pytest.param([5], id="no operation at all"),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(patch: list[Any]) -> None:
    with pytest.raises(ApiError, match=REFUSED) as refusal:
        apply_patch({"a": 1, "l": [1, 2]}, patch, "json")
    assert refusal.value.code == 422
