"""Strict decoding against what a real API server answered, and the table that it rests on."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.decode import STRICT, Finding, path_text, strict
from gpusched.api.schema import fields_of, kinds, struct_of
from gpusched.api.scheme import KINDS, kind_named, kind_of, model_of

GOLDEN = Path(__file__).parent.parent / "golden/api/decoding.json.gz"
DUMPS = GOLDEN.parent.parent / "kubectl"
UNKNOWN_KIND = 'no kind "Bogus" is registered for version "v1"'


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def texts(obj: Any) -> list[str]:
    return [str(found) for found in strict(obj)]


@pytest.mark.golden
def test_every_recorded_object_is_decoded_or_refused_as_the_api_server_did() -> None:
    wrong = []
    for case in json.loads(gzip.decompress(GOLDEN.read_bytes())):
        # Upstream stops at the first fault, and without strictness unknown fields are none.
        found = [f.message for f in strict(case["object"]) if not f.message.startswith(STRICT)]
        error = case["error"]
        if error and error.startswith(UNKNOWN_KIND):
            error = 'no matches for kind "Bogus" in version "v1"'  # kubectl's words
        if (found[0] if found else None) != error:
            wrong.append((case["name"], error, found))
    assert wrong == []


@pytest.mark.golden
@pytest.mark.parametrize("path", sorted(DUMPS.glob("lesson-*.json.gz")), ids=lambda path: path.name)
def test_every_object_of_a_real_dump_is_known_and_read(path: Path) -> None:
    objects = json.loads(gzip.decompress(path.read_bytes()))["objects"]
    assert {text for obj in objects for text in texts(obj)} == set()
    for obj in objects:
        if kind_of(obj):
            assert model_of(obj).metadata.uid == obj["metadata"].get("uid", "")


CONTAINER = {"name": "c", "image": "i"}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(
            pod(nodeSelektor={}),
            ['unknown field "spec.nodeSelektor" (did you mean "nodeSelector"?)'],
            id="a misspelled field names the nearest one",
        ),
        pytest.param(
            pod(gpus=1), ['unknown field "spec.gpus"'], id="a field like none has no remedy"
        ),
        pytest.param(
            pod(containers=[CONTAINER, {**CONTAINER, "gpu": 1}]),
            ['unknown field "spec.containers[1].gpu"'],
            id="a field in a list has its index",
        ),
        pytest.param(
            {**pod(), "foo": 1}, ['unknown field "foo"'], id="a field of the object itself"
        ),
        pytest.param(
            pod(nodename="n"),
            ['unknown field "spec.nodename" (did you mean "nodeName"?)'],
            id="capitals matter",
        ),
        pytest.param(
            pod(a=1, b={"c": 2}),
            ['unknown field "spec.a"', 'unknown field "spec.b"'],
            id="all unknown fields are told",
        ),
        pytest.param(pod(nodeSelector=None, tolerations=None), [], id="null is absent"),
    ],
)
def test_unknown_fields_are_worded_as_under_strict_validation(
    obj: dict[str, Any], expected: list[str]
) -> None:
    assert texts(obj) == [STRICT + text for text in expected]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"containers": [{"ports": [{"containerPort": "80"}]}]},
            "json: cannot unmarshal string into Go struct field "
            "ContainerPort.spec.containers.ports.containerPort of type int32",
            id="a string for a number deep inside",
        ),
        pytest.param(
            {"restartPolicy": 5},
            "json: cannot unmarshal number into Go struct field "
            "PodSpec.spec.restartPolicy of type v1.RestartPolicy",
            id="a number for a named string type",
        ),
        pytest.param(
            {"containers": ["c"]},
            "json: cannot unmarshal string into Go struct field "
            "PodSpec.spec.containers of type v1.Container",
            id="a string for a struct in a list",
        ),
        pytest.param(
            {"priority": 1.5},
            "json: cannot unmarshal number 1.5 into Go struct field "
            "PodSpec.spec.priority of type int32",
            id="a fraction for a whole number",
        ),
        pytest.param(
            {"overhead": {"cpu": "1K"}},
            "unable to parse quantity's suffix",
            id="a wrong suffix",
        ),
        pytest.param(
            {"overhead": ["cpu"]},
            "json: cannot unmarshal array into Go struct field "
            "PodSpec.spec.overhead of type v1.ResourceList",
            id="a list for a resource list",
        ),
        pytest.param(
            {"containers": [{"livenessProbe": {"httpGet": {"port": True}}}]},
            "json: cannot unmarshal bool into Go value of type int32",
            id="a boolean for a port",
        ),
    ],
)
def test_wrong_json_types_are_worded_as_go_does(spec: dict[str, Any], expected: str) -> None:
    assert texts(pod(**spec)) == [expected]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-01-01T00:00:00Z", []),
        (
            "yesterday",
            [
                (
                    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": '
                    'cannot parse "yesterday" as "2006"'
                )
            ],
        ),
        (
            "2024-01-01",
            ['parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
        ),
        (7, ["json: cannot unmarshal number into Go value of type string"]),
    ],
)
def test_times_are_worded_as_go_does(stamp: Any, expected: list[str]) -> None:
    obj = {**pod(), "metadata": {"name": "p", "creationTimestamp": stamp}}
    assert texts(obj) == expected


def test_a_kind_that_does_not_exist_names_the_nearest_one() -> None:
    assert texts({"apiVersion": "v1", "kind": "Deployment"}) == [
        'no matches for kind "Deployment" in version "v1" (did you mean "apps/v1/Deployment"?)'
    ]


def test_a_path_is_written_as_the_api_server_writes_it() -> None:
    assert path_text(("spec", "containers", 0, "image")) == "spec.containers[0].image"
    assert Finding("x", ("a", 1)).field == "a[1]"


def test_the_table_knows_all_kinds_that_have_models() -> None:
    assert {f"{kind.api_version}/{kind.kind}" for kind in KINDS} <= set(kinds())


def _unknown_names(model: Any, struct: str, seen: set[tuple[Any, str]]) -> list[str]:
    known = fields_of(struct)
    if known is None or (model, struct) in seen:
        return []
    seen.add((model, struct))
    wrong = []
    for name, info in model.model_fields.items():
        wire = info.alias or name
        if wire not in known:
            wrong.append(f"{model.__name__}.{wire}")
            continue
        shape = known[wire].shape.removeprefix("[]").removeprefix("{}")
        for inner in _models(info.annotation):
            if shape.startswith("@"):
                wrong += _unknown_names(inner, shape[1:], seen)
    return wrong


def _models(annotation: Any) -> list[Any]:
    found = [annotation] if hasattr(annotation, "model_fields") else []
    for argument in getattr(annotation, "__args__", ()):
        found += _models(argument)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_of_every_model_exists_in_kubernetes(kind: Any) -> None:
    struct = struct_of(kind.api_version, kind.kind)
    assert struct is not None
    assert _unknown_names(kind.model(), struct, set()) == []


def test_kinds_are_found_by_what_kubectl_takes() -> None:
    names = {"po": "Pod", "Deployments": "Deployment", "pvc": "PersistentVolumeClaim"}
    for name, kind in {**names, "deployments.apps": "Deployment", "no": "Node"}.items():
        found = kind_named(name)
        assert found is not None
        assert found.kind == kind
    assert kind_named("gpus") is None


def test_an_object_is_read_by_the_model_of_its_kind() -> None:
    found = model_of(pod(containers=[CONTAINER]))
    kind = kind_of({"apiVersion": "v1", "kind": "Pod"})
    assert kind is not None
    assert isinstance(found, kind.model())
    assert found.key == "p"
