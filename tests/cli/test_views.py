"""Views of a saved run: kubectl's words, which run, and when."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import LESSON, QUEUE_PRESSURE, invoke


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "lesson"
    assert invoke("run", LESSON, "-q", "--out", folder).exit_code == 0
    return folder


def test_the_checkpoint_of_the_lesson(saved: Path) -> None:
    columns = (
        "custom-columns=NAME:.metadata.name,POOL:.metadata.labels.gpu-pool,"
        "PRODUCT:.metadata.labels.nvidia\\.com/gpu\\.product,"
        "GPUS:.status.allocatable.nvidia\\.com/gpu"
    )
    out = invoke("get", "nodes", "-l", "type=kwok", "-o", columns, "--run", saved).stdout
    assert out == (
        "NAME              POOL   PRODUCT                 GPUS\n"
        "kwok-gpu-a100-0   a100   NVIDIA-A100-SXM4-80GB   8\n"
        "kwok-gpu-a100-1   a100   NVIDIA-A100-SXM4-80GB   8\n"
        "kwok-gpu-h100-0   h100   NVIDIA-H100-80GB-HBM3   8\n"
        "kwok-gpu-l40s-0   l40s   NVIDIA-L40S             4\n"
        "kwok-gpu-l40s-1   l40s   NVIDIA-L40S             4\n"
    )


def test_a_moment_in_the_middle(saved: Path) -> None:
    words = ("get", "pod", "-n", "gpu-demo", "cuda-batch-small", "--run", saved)
    assert invoke(*words, "--at", "11s").stdout.endswith("1/1     Running   0          10s\n")
    early = invoke(*words, "--at", "0s")
    assert early.exit_code == 1
    assert early.stderr == 'Error from server (NotFound): pods "cuda-batch-small" not found\n'


def test_a_moment_after_the_end_was_never_played(saved: Path) -> None:
    for words in (("get", "nodes"), ("explain", "cuda-batch-small")):
        done = invoke(*words, "--at", "90s", "--run", saved)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == (
            "error: --at 90s: the run ends at 60s; play it longer with --until\n"
        )


def test_kubectls_own_flags_and_exit_status_come_through(saved: Path) -> None:
    done = invoke("get", "pods", "-A", "--bogus", "--run", saved)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "unknown flag: --bogus" in done.stderr
    out = invoke("get", "po", "-n=gpu-demo", "-l", "app=queue-pressure", "-oname", "--run", saved)
    assert len(out.stdout.splitlines()) == 40


def test_describe_ends_with_the_events(saved: Path) -> None:
    out = invoke("describe", "pod", "-n", "gpu-demo", "cuda-needs-b200", "--run", saved).stdout
    assert out.splitlines()[-1].startswith("  Warning  FailedScheduling  59s   default-scheduler")


def test_events_of_one_pod(saved: Path) -> None:
    words = ("events", "-n", "gpu-demo", "--for", "pod/cuda-batch-small", "--run", saved)
    lines = invoke(*words).stdout.splitlines()
    assert lines[1].endswith("Successfully assigned gpu-demo/cuda-batch-small to kwok-gpu-a100-0")


def test_watching_plays_the_changes(saved: Path) -> None:
    words = ("get", "pod", "-n", "gpu-demo", "-w", "--field-selector",
             "metadata.name=cuda-batch-small", "--run", saved)  # fmt: skip
    phases = [line.split()[2] for line in invoke(*words).stdout.splitlines()]
    assert phases[0] == "STATUS"
    assert phases[1] == "Pending"
    assert phases[-1] == "Running"


def test_a_rollout_that_cannot_finish(saved: Path) -> None:
    words = ("rollout", "status", "-n", "gpu-demo", "deploy/queue-pressure", "--timeout=1s")
    done = invoke(*words, "--run", saved)
    assert done.exit_code == 1
    assert "31 of 40 updated replicas are available" in done.stdout


def test_the_newest_run_below_the_current_folder_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("get", "nodes").stderr == (
        "error: no saved run below the current folder; make one: gpusched run SCENARIO --out DIR\n"
    )
    for age, (name, scenario) in enumerate((("old", LESSON), ("a/new", QUEUE_PRESSURE))):
        invoke("run", scenario, "-q", "--out", tmp_path / name)
        journal = tmp_path / name / "journal.jsonl.gz"
        os.utime(journal, ns=(age * 10**9, age * 10**9))
    found = json.loads(invoke("get", "pods", "-A", "-o", "json").stdout)
    assert len(found["items"]) == 40, "the queue-pressure run is the newer one"


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    done = invoke("get", "nodes", "--run", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == (f"error: {tmp_path}: is not a saved run: it has no journal.jsonl.gz\n")
