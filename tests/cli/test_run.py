"""``gpusched run`` as a user sees it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from gpusched.kube.engine import ENGINES
from tests.cli.running import LESSON, QUEUE_PRESSURE, ROOT, SENTENCE, invoke, spawn

FILES = [
    "events.jsonl",
    "journal.jsonl.gz",
    "journal.npz",
    "pending.png",
    "pods.csv",
    "result.json",
    "timeline.csv",
]


def test_the_summary_says_what_the_lesson_says() -> None:
    done = invoke("run", QUEUE_PRESSURE)
    assert done.exit_code == 0
    assert done.stdout == (
        "queue-pressure after 60s of virtual time (simulated, seed 1)\n"
        "\n"
        "Pods: 32 Running, 8 Pending\n"
        "\n"
        "NODE              GPUS   IN-USE   PODS\n"
        "kwok-gpu-a100-0   8      8        8\n"
        "kwok-gpu-a100-1   8      8        8\n"
        "kwok-gpu-h100-0   8      8        8\n"
        "kwok-gpu-l40s-0   4      4        4\n"
        "kwok-gpu-l40s-1   4      4        4\n"
        "GPUs in use: 32 of 32; 2 nodes without GPUs not shown\n"
        "\n"
        "Why pods wait:\n"
        f"  8 x {SENTENCE}\n"
    )
    assert not done.stderr


def test_the_json_is_the_published_result() -> None:
    result = json.loads(invoke("run", LESSON, "-o", "json").stdout)
    assert result["pods"] == {"Pending": 11, "Running": 32}
    assert list(result["messages"].values()) == [9, 1, 1]
    assert result["messages"][SENTENCE] == 9
    gpu = result["nodes"]["kwok-gpu-l40s-1"]["nvidia.com/gpu"]
    assert gpu == {"allocatable": 4, "requested": 4}
    assert (result["seed"], result["simulatedSeconds"]) == (1, 60.0)
    assert yaml.safe_load(invoke("run", LESSON, "-o", "yaml").stdout) == result


def test_wide_shows_every_node_and_the_scheduler() -> None:
    out = invoke("run", LESSON, "-o", "wide").stdout
    assert "ai-factory-lab-worker          0      0        0      0m/8000m" in out
    assert "scheduler_preemption_attempts_total" in out


def test_wide_names_each_reason_to_fall_back_to_the_scan() -> None:
    lines = invoke("run", LESSON, "-o", "wide").stdout.splitlines()
    at = lines.index("Attempts by path: 32 fast, 8 remembered, 3 scan")
    assert lines[at + 1] == "  3 x fell back to the scan: no node fits"
    scanned = invoke("run", LESSON, "-o", "wide", "--engine", "scan").stdout
    assert "Attempts by path: 43 scan\n" in scanned
    assert "fell back" not in scanned


def test_equal_seeds_give_equal_bytes_whatever_the_hash_seed() -> None:
    outputs = {
        spawn("run", LESSON, "-o", "json", env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["pods"]["Running"] == 32


def test_a_kept_run_has_its_files_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "lesson"
    done = invoke("run", LESSON, "--out", folder)
    assert (done.exit_code, done.stderr) == (0, f"Saved to {folder}\n")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert sorted(path.name for path in folder.parent.iterdir()) == ["lesson"]
    pods = list(csv.DictReader((folder / "pods.csv").read_text().splitlines()))
    assert len(pods) == 43
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {event["kind"] for event in events} == {"Event"}
    timeline = list(csv.DictReader((folder / "timeline.csv").read_text().splitlines()))
    assert (timeline[-1]["running"], timeline[-1]["gpus_in_use"]) == ("32", "32")
    assert (folder / "pending.png").read_bytes().startswith(b"\x89PNG")


def test_two_kept_runs_of_one_seed_are_equal_byte_for_byte(tmp_path: Path) -> None:
    for name, hash_seed in (("a", "1"), ("b", "2")):
        spawn("run", LESSON, "--out", tmp_path / name, env={"PYTHONHASHSEED": hash_seed})
    for file in FILES:
        first, second = ((tmp_path / name / file).read_bytes() for name in ("a", "b"))
        assert first == second, file


def test_quiet_prints_nothing_and_what_was_asked_for(tmp_path: Path) -> None:
    done = invoke("run", LESSON, "-q", "--out", tmp_path / "run")
    assert (done.stdout, done.stderr, done.exit_code) == ("", "", 0)
    done = invoke("run", LESSON, "-q", "-o", "json")
    assert json.loads(done.stdout)["scenario"] == "lesson-all"


def test_seed_and_end_can_be_chosen() -> None:
    result = json.loads(
        invoke("run", LESSON, "--seed", "7", "--until", "500ms", "-o", "json").stdout
    )
    assert (result["seed"], result["simulatedSeconds"], result["pods"]) == (7, 0.5, {})


@pytest.mark.parametrize("engine", list(ENGINES))
def test_every_engine_gives_the_same_pods(engine: str) -> None:
    result = json.loads(invoke("run", LESSON, "--engine", engine, "-o", "json").stdout)
    assert result["pods"] == {"Pending": 11, "Running": 32}


@pytest.mark.parametrize("tie_break", ["kube", "name", "random"])
def test_every_tie_break_fills_the_fleet(tie_break: str) -> None:
    result = json.loads(invoke("run", LESSON, "--tie-break", tie_break, "-o", "json").stdout)
    assert result["pods"]["Running"] == 32


def test_what_is_not_as_expected_is_said(tmp_path: Path) -> None:
    text = LESSON.read_text().replace("Running: 32", "Running: 33")
    scenario = tmp_path / "lesson.yaml"
    scenario.write_text(
        text.replace("../fleets", f"{ROOT}/fleets").replace(
            "manifests/", f"{LESSON.parent}/manifests/"
        )
    )
    done = invoke("run", scenario)
    assert done.exit_code == 0
    assert "Not as expected:\n  pods in phase Running: expected 33, observed 32\n" in done.stdout


def test_what_the_api_server_refuses_is_said(tmp_path: Path) -> None:
    scenario = tmp_path / "refused.yaml"
    scenario.write_text(
        "apiVersion: gpusched.dev/v1alpha1\n"
        "kind: Scenario\n"
        "metadata: {name: refused}\n"
        "spec:\n"
        "  steps:\n"
        "    - at: 0s\n"
        "      delete: {kind: Pod, name: nope}\n"
    )
    out = invoke("run", scenario).stdout
    assert 'Refused:\n  Error from server (NotFound): pods "nope" not found\n' in out
    assert "Pods: none\n" in out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["run", "nope.yaml"], 1, "error: nope.yaml: no such file; is its name right?\n"),
        (["run"], 2, "Error: Missing argument 'SCENARIO'.\n"),
        (["run", LESSON, "--until", "5"], 2,
         ("Error: Invalid value for '--until': time: missing unit in duration \"5\"; "
         "write it as 90s, 5m or 1h30m\n")),
        (["run", LESSON, "--until=-5s"], 2,
         ("Error: Invalid value for '--until': -5s lies before the start; "
         "write it as 90s, 5m or 1h30m\n")),
        (["run", LESSON, "--seed", "x"], 2,
         "Error: Invalid value for '--seed': 'x' is not a valid integer range.\n"),
        (["run", LESSON, "-o", "xml"], 2,
         ("Error: Invalid value for '-o' / '--output': 'xml' is not one of 'table', 'wide', "
         "'json', 'yaml'.\n")),
        (["run", ROOT / "fleets" / "ai_factory_lab.yaml"], 1, "is not a Scenario"),
        (["nope"], 2, "Error: No such command 'nope'.\n"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_without_a_traceback(
    words: list[str | Path], status: int, message: str
) -> None:
    done = invoke(*words)
    assert done.exit_code == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = invoke("run", LESSON, "--out", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == (
        f"error: {tmp_path}: exists and is not a saved run; choose another folder\n"
    )
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert invoke("run", LESSON, "--out", tmp_path / "mine.txt").exit_code == 1


def test_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert invoke("run", LESSON, "--seed", seed, "--out", tmp_path / "run").exit_code == 0
    assert json.loads((tmp_path / "run" / "result.json").read_text())["seed"] == 2


LONG = """
apiVersion: gpusched.dev/v1alpha1
kind: Scenario
metadata: {{name: long}}
spec:
  fleet: {root}/fleets/ai_factory_lab.yaml
  steps:
    - at: 0s
      apply: [{manifests}/namespace.yaml, {manifests}/queue_pressure.yaml]
  until: 80000h
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    scenario = tmp_path / "long.yaml"
    scenario.write_text(LONG.format(root=ROOT, manifests=ROOT / "scenarios" / "manifests"))
    started = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gpusched",
            "run",
            scenario,
            "--out",
            tmp_path / "run",
            "-o",
            "json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        time.sleep(5.0)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130
    assert "Traceback" not in err
    result = json.loads(out)
    assert result["interrupted"] is True
    assert result["pods"] == {"Pending": 8, "Running": 32}
    assert json.loads((tmp_path / "run" / "result.json").read_text()) == result


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_closed_pipe_ends_it_quietly() -> None:
    command = f"{sys.executable} -m gpusched run {LESSON} -o json | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_reading_from_standard_input(tmp_path: Path) -> None:
    del tmp_path
    text = "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: x}\nspec: {}\n"
    done = invoke("run", "-", "-o", "json", stdin=text)
    assert json.loads(done.stdout)["scenario"] == "x"
