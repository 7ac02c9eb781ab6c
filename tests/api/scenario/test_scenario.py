"""Scenarios: the lesson's files, everything a file can hold, and what is said of a bad one."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gpusched.api.decode import strict
from gpusched.api.load import load
from gpusched.api.load.kubectl_yaml import build
from gpusched.api.scenario import (
    Apply,
    Cordon,
    Create,
    Delete,
    Drain,
    Kubectl,
    KwokStop,
    Label,
    Patch,
    Scale,
    Taint,
    load_scenario,
)
from gpusched.api.scenario.schema import schema
from gpusched.errors import InvalidInputError

ROOT = Path(__file__).parent.parent.parent.parent
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
SCHEMA = ROOT / "docs/reference/scenario.schema.json"
TIMELINES = ROOT / "tests/golden/timelines"


def scenario(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gpusched.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": "s"},
        "spec": spec,
    }


def write(path: Path, obj: Any) -> str:
    path.write_text(json.dumps(obj, indent=1), encoding="utf-8")
    return str(path)


def said(path: Path, obj: Any) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        load_scenario(write(path, obj))
    return [fault.message for fault in caught.value.faults]


def test_the_published_schema_is_that_of_the_models() -> None:
    expected = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert SCHEMA.read_text(encoding="utf-8") == expected, "run tools/scenario_schema.py"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_of_the_repository_is_read_and_fits_the_schema(path: Path) -> None:
    found = load_scenario(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../docs/reference/scenario.schema.json")
    jsonschema.validate(next(build(text)).value, schema())
    assert found.expect is not None
    assert found.steps, "nothing happens in it"


def test_the_fleet_of_the_lesson_has_seven_nodes_and_32_gpus() -> None:
    nodes = [manifest.object for manifest in load(str(ROOT / "fleets/ai_factory_lab.yaml"))]
    recorded = yaml.safe_load((TIMELINES / "lesson_all.yaml").read_text(encoding="utf-8"))["fleet"]
    assert [node["metadata"]["name"] for node in nodes] == [
        node["metadata"]["name"] for node in recorded
    ]
    gpus = [int(node["status"]["allocatable"].get("nvidia.com/gpu", 0)) for node in nodes]
    assert gpus == [0, 0, 8, 8, 8, 4, 4]
    for node, real in zip(nodes, recorded, strict=True):
        assert node["metadata"]["labels"].items() >= real["metadata"]["labels"].items()
        assert node.get("spec", {}).get("taints", []) == real["spec"]["taints"]
        assert node["status"]["allocatable"] == real["status"]["allocatable"]
        assert node["status"]["capacity"] == real["status"]["capacity"]


def test_the_workloads_of_the_lesson_are_those_that_were_recorded() -> None:
    recorded = yaml.safe_load((TIMELINES / "lesson_all.yaml").read_text(encoding="utf-8"))
    real = [yaml.safe_load(step["stdin"]) for step in recorded["steps"] if "stdin" in step]
    ours = [
        manifest.object
        for step in load_scenario(ROOT / "scenarios/lesson_all.yaml").steps
        for action in step.actions
        if isinstance(action, Apply)
        for manifest in action.manifests
    ]
    for mine, theirs in zip(ours, real, strict=True):
        assert (mine["kind"], mine["metadata"]["name"]) == (
            theirs["kind"],
            theirs["metadata"]["name"],
        )
        spec, wanted = mine.get("spec", {}), theirs.get("spec", {})
        if "template" in spec:
            assert spec["replicas"] == wanted["replicas"]
            spec, wanted = spec["template"]["spec"], wanted["template"]["spec"]
        assert spec == wanted


@pytest.mark.parametrize("path", sorted(TIMELINES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recorded_timeline_can_be_held_by_a_scenario(path: Path, tmp_path: Path) -> None:
    recorded = next(build(path.read_text(encoding="utf-8"))).value
    spec = {
        "fleet": recorded["fleet"],
        "setup": recorded["setup"],
        "until": f"{recorded['duration']}s",
        "steps": [step for step in map(_step, recorded["steps"]) if step],
        "schedulerFlags": recorded.get("scheduler_flags", []),
    }
    if isinstance(recorded.get("scheduler_config"), dict):
        spec["schedulerConfiguration"] = recorded["scheduler_config"]
    bad = [obj for step in spec["steps"] for obj in step.get("create", ()) if strict(obj)]
    if bad or path.stem == "bad_inputs":
        return  # a recording of the API server's refusals: such objects are refused here, too
    found = load_scenario(write(tmp_path / "s.json", scenario(**spec)))
    assert len(found.steps) == len(spec["steps"])


def _step(recorded: dict[str, Any]) -> dict[str, Any] | None:
    """Return a recorded step in a scenario's words; None for what only looks."""
    step: dict[str, Any] = {"at": f"{recorded['t']:.3f}s"}
    names = {"kwok_stop": "kwokStop", "kwok_start": "kwokStart", "note": "note", "stdin": "stdin"}
    for name, value in recorded.items():
        if name in {"create", "kubectl", "scale"}:
            step[name] = value
        elif name in names:
            step[names[name]] = value
        elif name in {"delete", "patch"}:
            renamed = {"body": "patch", "sub": "subresource", "grace": "gracePeriodSeconds"}
            renamed["propagation"] = "propagationPolicy"
            several = value if isinstance(value, list) else [value]
            step[name] = [
                {renamed.get(key, key): entry for key, entry in one.items()} for one in several
            ]
    return step if len(step.keys() - {"at", "note", "stdin"}) else None


def test_every_action_is_read(tmp_path: Path) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    write(tmp_path / "pod.json", pod)
    deployment = {"kind": "Deployment", "name": "d", "namespace": "n"}
    steps = [
        {"at": "9s", "apply": ["pod.json", pod]},
        {"at": "1s", "create": pod},
        {"at": "2s", "delete": deployment},
        {"at": "3s", "scale": {**deployment, "replicas": 3}},
        {"at": "4s", "patch": {**deployment, "patch": {"spec": {"paused": True}}}},
        {"at": "5s", "cordon": "node"},
        {"at": "5s", "uncordon": ["node"]},
        {"at": "5s", "drain": {"nodes": "node"}},
        {"at": "6s", "taint": {"nodes": "node", "taints": "a=b:NoSchedule"}},
        {"at": "7s", "label": {"kind": "Node", "names": "node", "labels": {"a": None}}},
        {"at": "8s", "kubectl": "get pods", "note": "look"},
        {"at": "8s", "kwokStop": "kwok"},
    ]
    found = load_scenario(write(tmp_path / "s.json", scenario(steps=steps)))
    assert [step.at for step in found.steps] == [
        n * 10**6 for n in (1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 8, 9)
    ]
    kinds = [type(action) for step in found.steps for action in step.actions]
    uncordon = type(found.steps[5].actions[0])
    assert kinds[:5] == [Create, Delete, Scale, Patch, Cordon]
    assert kinds[5:] == [uncordon, Drain, Taint, Label, Kubectl, KwokStop, Apply]
    last = found.steps[-1].actions[0]
    assert isinstance(last, Apply)
    assert [manifest.object for manifest in last.manifests] == [pod, pod]
    jsonschema.validate(scenario(steps=steps), schema())


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(
            scenario(flet="a"),
            ['strict decoding error: unknown field "spec.flet" (did you mean "fleet"?)'],
            id="an unknown field names the nearest one",
        ),
        pytest.param(
            scenario(steps=[{"at": 3, "kubectl": "x"}, {"at": "6 s", "kubectl": "x"}]),
            [
                ('spec.steps[0].at: Invalid value: 3: must be a duration such as "30s" or "1m30s"'),
                (
                    'spec.steps[1].at: Invalid value: "6 s": '
                    'time: unknown unit " s" in duration "6 s"'
                ),
            ],
            id="times are durations",
        ),
        pytest.param(
            scenario(steps=[{"at": "5s", "cordon": "a", "uncordon": "b"}]),
            [
                (
                    'spec.steps[0]: Invalid value: {"at": "5s", "cordon": "a", "uncordon": "b"}: '
                    "only one of cordon, uncordon may be set"
                )
            ],
            id="a step does one thing",
        ),
        pytest.param(
            scenario(steps=[{"at": "4s", "scale": {"kind": "Deployment", "name": "a"}}]),
            ["spec.steps[0].scale.replicas: Required value"],
            id="a needed field is asked for",
        ),
        pytest.param(
            scenario(runtimes=[{"duration": "5s", "uniform": {"min": "1s", "max": "2s"}}]),
            [
                (
                    'spec.runtimes[0]: Invalid value: {"duration": "5s", "uniform": {"min": "1s", '
                    '"max": "2s"}}: only one of duration, uniform may be set'
                )
            ],
            id="a run has one kind of time",
        ),
        pytest.param(
            scenario(runtimes=[{"duration": "5s"}], kwok={"stages": "general"}),
            ["spec.runtimes: Forbidden: only KWOK's fast stages end pods by their run times"],
            id="run times that nobody reads are refused",
        ),
        pytest.param(
            scenario(latency="fast"),
            [("spec.latency: Invalid value: \"fast\": input should be 'zero' or 'recorded-v1.36'")],
            id="latency models have names",
        ),
        pytest.param(
            scenario(fleet=["nope.yaml", {"apiVersion": "v1", "kind": "Nod"}]),
            [
                "nope.yaml: no such file",
                'no matches for kind "Nod" in version "v1" (did you mean "v1/Node"?)',
            ],
            id="files and inline manifests are judged together",
        ),
        pytest.param(
            scenario(schedulerConfiguration={"apiVersion": "v1"}),
            ['apiVersion: Invalid value: "v1": must be of kubescheduler.config.k8s.io/'],
            id="a scheduler's configuration is one",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "Pod"},
            ["is not a Scenario (it needs apiVersion: gpusched.dev/v1alpha1 and kind: Scenario)"],
            id="another kind is refused",
        ),
    ],
)
def test_a_bad_scenario_is_told_all_its_faults(
    obj: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    assert said(tmp_path / "s.json", obj) == expected


def test_a_fault_in_an_inline_manifest_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: s}\nspec:\n"
        "  steps:\n  - at: 1s\n    apply:\n      apiVersion: v1\n      kind: Pod\n"
        "      spec:\n        nodeNam: x\n"
    )
    with pytest.raises(InvalidInputError) as caught:
        load_scenario(path)
    assert str(caught.value).removeprefix(str(path)) == (
        ':11: strict decoding error: unknown field "spec.nodeNam" (did you mean "nodeName"?)'
    )
