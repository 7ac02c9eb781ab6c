"""The other commands: check, validate, evidence, export, explain, version, completion, help."""

import json
from pathlib import Path

import pytest
import yaml

from gpusched.api.load import load
from gpusched.cli.commands import COMMANDS
from tests.cli.running import LESSON, ROOT, SCENARIOS, SENTENCE, invoke, spawn


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "lesson"
    assert invoke("run", LESSON, "-q", "--out", folder).exit_code == 0
    return folder


def changed(tmp_path: Path, before: str, after: str) -> Path:
    """Return a copy of the lesson with a change, its files named absolutely."""
    text = LESSON.read_text().replace("../fleets", f"{ROOT}/fleets")
    text = text.replace("manifests/", f"{SCENARIOS}/manifests/")
    assert before in text
    copy = tmp_path / "lesson.yaml"
    copy.write_text(text.replace(before, after))
    return copy


def test_every_scenario_here_is_as_it_expects() -> None:
    files = sorted(SCENARIOS.glob("*.yaml"))
    done = invoke("check", *files)
    assert done.exit_code == 0
    assert done.stdout.endswith(f"{len(files)} of {len(files)} scenarios as expected\n")


def test_a_scenario_that_is_not_as_it_expects_fails(tmp_path: Path) -> None:
    wrong = changed(tmp_path, "Pending: 11", "Pending: 10")
    done = invoke("check", wrong, LESSON)
    assert done.exit_code == 1
    assert done.stdout == (
        f"FAIL {wrong}\n"
        "     pods in phase Pending: expected 10, observed 11\n"
        f"ok   {LESSON}\n"
        "1 of 2 scenarios as expected\n"
    )
    report = json.loads(invoke("check", wrong, LESSON, "-o", "json").stdout)
    assert (report["tests"], report["failures"]) == (2, 1)
    assert report["cases"][0]["differences"] == [
        {"what": "pods in phase Pending", "expected": 10, "observed": 11}
    ]


def test_a_scenario_without_expectations_cannot_be_checked(tmp_path: Path) -> None:
    done = invoke("check", changed(tmp_path, "  expect:\n", "  expect: null\n#"))
    assert done.exit_code == 1


def test_everything_here_is_valid() -> None:
    files = [*SCENARIOS.rglob("*.yaml"), *(ROOT / "fleets").glob("*.yaml")]
    done = invoke("validate", *sorted(files))
    assert done.exit_code == 0, done.stderr
    assert f"{ROOT}/fleets/ai_factory_lab.yaml: valid (7 Node)\n" in done.stdout


def test_all_faults_of_all_files_are_told(tmp_path: Path) -> None:
    pod, deployment = tmp_path / "pod.yaml", tmp_path / "deployment.yaml"
    pod.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
        "spec:\n  nodeSelektor: {a: b}\n  containers: [{name: c, image: i}]\n"
    )
    deployment.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: Q_}\n"
        "spec:\n  containers: [{name: c, image: i, resources: {limits: {nvidia.com/gpu: 500m}}}]\n"
    )
    done = invoke("validate", pod, deployment, ROOT / "fleets" / "ai_factory_lab.yaml")
    assert done.exit_code == 1
    errors = done.stderr.splitlines()
    assert errors[0] == (
        f'error: {pod}:5: strict decoding error: unknown field "spec.nodeSelektor" '
        '(did you mean "nodeSelector"?)'
    )
    assert any("metadata.name: Invalid value" in line for line in errors)
    assert any('resources.limits[nvidia.com/gpu]: Invalid value: "500m"' in line for line in errors)


def test_a_scheduler_configuration_is_judged_as_the_scheduler_judges_it(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
        "percentageOfNodesToScore: 101\n"
    )
    done = invoke("validate", file)
    assert done.exit_code == 1
    assert "percentageOfNodesToScore: Invalid value: 101" in done.stderr


def test_the_evidence_of_the_lesson(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    done = invoke("evidence", saved, "--dir", folder)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"Collecting Kubernetes evidence into {folder}"
    assert len([line for line in lines if line.startswith("  wrote ")]) == 18
    assert lines[-1] == (
        f"Done. Reference this directory in {folder / 'local-simulation-report.md'}"
    )
    assert len(list(folder.iterdir())) == 19
    again = invoke("evidence", saved, "--dir", folder)
    assert again.exit_code == 1
    assert again.stderr == (
        f"error: {folder}: is not empty; evidence is never overwritten, choose another folder\n"
    )


def test_evidence_without_a_folder_gets_one_beside_the_run(saved: Path) -> None:
    for name in ("evidence-lesson-all", "evidence-lesson-all-2"):
        assert invoke("evidence", saved).exit_code == 0
        assert (saved.parent / name / "nodes.txt").is_file()


def test_an_export_is_what_kubectl_apply_takes(saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(invoke("export", saved).stdout)
    objects = [manifest.object for manifest in load(str(file))]
    kinds = [obj["kind"] for obj in objects]
    assert kinds == ["Namespace", *["Node"] * 7, "Deployment", *["Pod"] * 3]
    for obj in objects:
        assert not set(obj["metadata"]) & {"uid", "resourceVersion", "creationTimestamp"}
        assert "status" not in obj or obj["kind"] == "Node"
        assert "nodeName" not in obj["spec"] if "spec" in obj else True
    assert invoke("validate", file).exit_code == 0
    assert json.loads(invoke("export", saved, "-o", "json").stdout)["items"] == objects


def test_an_export_makes_the_same_cluster_again(saved: Path, tmp_path: Path) -> None:
    exported = json.loads(invoke("export", saved, "-o", "json").stdout)["items"]
    fleet = [obj for obj in exported if obj["kind"] in ("Namespace", "Node")]
    work = [obj for obj in exported if obj not in fleet]
    work.sort(key=lambda obj: (obj["kind"] == "Deployment", obj["metadata"]["name"]))
    scenario = tmp_path / "again.json"
    spec = {"fleet": fleet, "steps": [{"at": "1s", "apply": work}], "until": "1m"}
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario"}
    scenario.write_text(json.dumps({**head, "metadata": {"name": "again"}, "spec": spec}))
    result = json.loads(invoke("run", scenario, "-o", "json").stdout)
    assert result["pods"] == {"Pending": 11, "Running": 32}


def test_a_recording_for_kwok_is_read_as_a_scenario(saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "recording.yaml"
    file.write_text(invoke("export", saved, "--format", "kwok").stdout)
    documents = list(yaml.safe_load_all(file.read_text()))
    patches = [obj for obj in documents if obj["kind"] == "ResourcePatch"]
    assert {obj["apiVersion"] for obj in patches} == {"action.kwok.x-k8s.io/v1alpha1"}
    assert {obj["method"] for obj in patches} == {"create", "patch"}
    created = next(obj for obj in patches if obj["target"]["name"] == "queue-pressure")
    assert created["resource"] == {"group": "apps", "version": "v1", "resource": "deployments"}
    assert created["durationNanosecond"] == 1_000_000_000
    stamp = created["template"]["metadata"]["creationTimestamp"]
    assert stamp == "$(time-offset-nanosecond 1000000000)"
    result = json.loads(invoke("run", file, "-o", "json").stdout)
    assert result["pods"] == {"Pending": 11, "Running": 32}
    assert result["messages"][SENTENCE] == 9


def test_a_recording_with_faults_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "recording.yaml"
    file.write_text(
        "apiVersion: action.kwok.x-k8s.io/v1alpha1\nkind: ResourcePatch\nmethod: burn\n"
        "resource: {version: v1, resource: toasters}\ntarget: {}\n"
    )
    done = invoke("run", file)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"error: {file}:1: method: burn: not one of create, patch, delete",
        f"error: {file}:1: resource.resource: toasters: not simulated",
        f"error: {file}:1: target.name: Required value",
    ]


def test_explain_finds_the_pods_namespace(saved: Path) -> None:
    done = invoke("explain", "cuda-needs-b200", "--run", saved)
    assert done.exit_code == 0
    assert "  label the node gpu-pool=b200; free 1 nvidia.com/gpu\n" in done.stdout
    value = json.loads(
        invoke("explain", "gpu-demo/cuda-needs-b200", "-o", "json", "--run", saved).stdout
    )
    assert value["result"] == "unschedulable"


def test_explain_writes_the_annotations_of_kube_scheduler_simulator(saved: Path) -> None:
    out = invoke(
        "explain", "cuda-batch-small", "-o", "yaml", "--annotations", "--run", saved
    ).stdout
    pod = yaml.safe_load(out)
    notes = pod["metadata"]["annotations"]
    assert notes["kube-scheduler-simulator.sigs.k8s.io/selected-node"] == "kwok-gpu-a100-0"


def test_explain_of_manifests_without_a_run() -> None:
    words = ("--objects", ROOT / "fleets" / "ai_factory_lab.yaml",
             "--objects", SCENARIOS / "manifests" / "cuda_train_16gpu.yaml")  # fmt: skip
    out = invoke("explain", "cuda-train-16gpu", *words).stdout
    assert "the node has 8 nvidia.com/gpu, the pod asks for 16 (no eviction helps)" in out


def test_a_configuration_that_is_not_there_is_told() -> None:
    words = ("--objects", ROOT / "fleets" / "ai_factory_lab.yaml", "--config", "nope.yaml")
    done = invoke("explain", "x", *words)
    assert (done.exit_code, done.stderr) == (1, "error: nope.yaml: No such file or directory\n")


def test_the_version_says_what_a_result_may_hang_on() -> None:
    assert invoke("--version").stdout == "gpusched 0.1.0\n"
    found = json.loads(invoke("version", "-o", "json").stdout)
    assert found["kubernetes"] == "v1.36.1 (simulated)"
    assert {"seeds", "simpy", "numpy", "python"} <= set(found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(shell: str) -> None:
    assert "_GPUSCHED_COMPLETE" in invoke("completion", shell).stdout


def test_the_shell_completes_commands() -> None:
    env = {"_GPUSCHED_COMPLETE": "bash_complete", "COMP_WORDS": "gpusched ex", "COMP_CWORD": "1"}
    assert spawn(env=env).stdout.split() == ["plain,explain", "plain,export"]


def test_help_lists_what_there_is() -> None:
    out = invoke("--help").stdout
    for name in ("run", "check", "get", "explain", "evidence", "validate"):
        assert f"  {name} " in out
        assert invoke(name, "--help").exit_code == 0
    assert set(COMMANDS) >= {"run", "decide"}


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    wrong = changed(tmp_path, "Pending: 11", "Pending: 10")
    assert "\x1b[" not in spawn("check", wrong, env={"NO_COLOR": "1"}).stdout
    assert "\x1b[" not in spawn("check", wrong).stdout
