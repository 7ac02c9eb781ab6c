"""What a scenario asks for and does not get is told, by whichever door one comes in."""

from pathlib import Path

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.errors import InvalidInputError
from gpusched.face import simulate
from gpusched.run.playing import play
from gpusched.run.unplayed import notes_of
from tests.cli.running import invoke

JOB = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: j, namespace: default}
        spec:
          %s
          completions: 2
          completionMode: Indexed
          template:
            spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
"""
SET = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: s, namespace: default}
        spec:
          selector: {matchLabels: {a: b}}
          persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}
          template:
            metadata: {labels: {a: b}}
            spec: {containers: [{name: c, image: i}]}
          volumeClaimTemplates:
            - metadata: {name: data}
              spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
CRON = """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: c, namespace: default}
        spec:
          schedule: "* * * * *"
          jobTemplate:
            spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
"""
CONTROLLER = """
        apiVersion: v1
        kind: ReplicationController
        metadata: {name: r, namespace: default}
        spec:
          selector: {a: b}
          template:
            metadata: {labels: {a: b}}
            spec: {containers: [{name: c, image: i}]}
"""


def scenario(folder: Path, step: str) -> Path:
    path = folder / "s.yaml"
    head = "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: s}\nspec:\n"
    path.write_text(f"{head}  until: 5s\n  steps:\n    - at: 1s\n      {step}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("manifest", "line", "note"),
    [
        pytest.param(
            JOB % "backoffLimitPerIndex: 1",
            13,
            "Job j: spec.backoffLimitPerIndex: is not simulated: a failed pod counts towards "
            "backoffLimit, whatever its index",
            id="a Job whose indexes fail on their own",
        ),
        pytest.param(
            SET,
            14,
            "StatefulSet s: spec.persistentVolumeClaimRetentionPolicy: is not simulated: claims "
            "are retained",
            id="a StatefulSet that deletes claims",
        ),
        pytest.param(
            CRON,
            8,
            "CronJob c: its Jobs are not started; create them in steps",
            id="a CronJob",
        ),
        pytest.param(
            CONTROLLER,
            8,
            "ReplicationController r: its pods are not made; use a Deployment",
            id="a ReplicationController",
        ),
    ],
)
def test_what_nobody_acts_on_is_noted_with_its_place(
    tmp_path: Path, manifest: str, line: int, note: str
) -> None:
    path = scenario(tmp_path, f"apply:{manifest}")
    assert [str(each) for each in notes_of(load_scenario(path))] == [f"{path}:{line}: {note}"]
    with pytest.warns(UserWarning, match=note.partition(":")[0]):
        simulate(path)
    assert f"warning: {path}:{line}: {note}\n" in invoke("run", path).stderr
    assert invoke("run", path, "-q").stderr == ""


def test_a_command_that_cannot_be_played_keeps_the_scenario_from_being_played(
    tmp_path: Path,
) -> None:
    path = scenario(tmp_path, "kubectl: annotate node a b=c")
    with pytest.raises(InvalidInputError) as caught:
        play(load_scenario(path))
    line = 'step at 1s: kubectl: "annotate node a b=c"'
    why = "kubectl annotate is not simulated; use a patch step"
    assert str(caught.value) == f"{path}: {line}: {why}"


def test_a_job_of_another_controller_is_left_alone(tmp_path: Path) -> None:
    path = scenario(tmp_path, f"apply:{JOB % 'managedBy: kueue.x-k8s.io/multikueue'}")
    assert simulate(path).phases() == {}


def test_an_exit_code_of_a_scenario_is_the_pods(tmp_path: Path) -> None:
    policy = "{rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}"
    path = scenario(tmp_path, f"apply:{JOB % f'podFailurePolicy: {policy}'}")
    node = (
        "{apiVersion: v1, kind: Node, metadata: {name: gpu-0}, "
        "status: {allocatable: {cpu: 8, memory: 8Gi, pods: 9}}}"
    )
    more = f"  fleet: {node}\n  runtimes: [{{duration: 1s, exitCode: 42}}]\n"
    text = path.read_text(encoding="utf-8").replace("until: 5s\n", f"until: 20s\n{more}")
    path.write_text(text, encoding="utf-8")
    run = simulate(path)
    (reported,) = [row for row in run.events() if row["reason"] == "PodFailurePolicy"]
    assert "failed with exit code 42 matching FailJob rule at index 0" in reported["message"]


@pytest.mark.parametrize("told", ["soon", "-5s", "''"])
def test_a_run_time_that_cannot_be_read_is_none_as_for_kwok(tmp_path: Path, told: str) -> None:
    node = (
        "{apiVersion: v1, kind: Node, metadata: {name: gpu-0}, "
        "status: {allocatable: {cpu: 8, memory: 8Gi, pods: 9}}}"
    )
    pod = (
        "{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: "
        f"{{pod-complete.stage.kwok.x-k8s.io/delay: {told}}}}}, "
        "spec: {containers: [{name: c, image: i}]}}"
    )
    path = scenario(tmp_path, f"apply: {pod}")
    text = path.read_text(encoding="utf-8").replace("  until", f"  fleet: {node}\n  until")
    path.write_text(text, encoding="utf-8")
    assert simulate(path).phases() == {"Succeeded": 1}
