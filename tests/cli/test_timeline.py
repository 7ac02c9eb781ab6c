"""``gpusched timeline`` writes what the recordings' comparison reads, and says what is wrong."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gpusched.cli.commands import gpusched
from tests.timeline.comparison import compare

GOLDEN = Path(__file__).parents[1] / "golden" / "timelines"


def call(*words: str) -> Result:
    return CliRunner().invoke(gpusched, ["timeline", *words])


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "input.yaml"
    path.write_text(f"name: x\nduration: 5\n{text}")
    return str(path)


def expected(name: str) -> Any:
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["quota", "finish_job40", "limitrange"])
def test_what_is_written_agrees_with_the_recording(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    result = call(str(GOLDEN / f"{name}.yaml"), "-o", str(out))
    assert (result.exit_code, result.output) == (0, "")
    run = json.loads(out.read_text())
    assert [verdict for verdict in compare(expected(name), run) if not verdict.agrees] == []


def test_the_run_has_the_fields_of_a_recorded_run() -> None:
    result = call(str(GOLDEN / "lesson1_schedulable.yaml"))
    recorded = expected("lesson1_schedulable")["runs"][0]
    run = json.loads(result.stdout)
    compared = {"records", "scheduler_log", "scheduler_started_t", "steps", "final"}
    assert compared | {"metrics_delta", "metrics_gauges"} <= run.keys() & recorded.keys()
    assert run["final"].keys() == recorded["final"].keys()


def test_equal_runs_are_equal_files_packed_or_not(tmp_path: Path) -> None:
    script = str(GOLDEN / "gates_removed.yaml")
    names = [str(tmp_path / name) for name in ("a.json.gz", "b.json.gz", "c.json")]
    for name in names:
        assert call(script, "-o", name).exit_code == 0
    first, second, plain = (Path(name).read_bytes() for name in names)
    assert first == second
    assert gzip.decompress(first) == plain


def test_engines_write_equal_files(tmp_path: Path) -> None:
    script = str(GOLDEN / "preempt_basic.yaml")
    runs = []
    for engine in ("auto", "scan", "verify"):
        out = tmp_path / f"{engine}.json"
        assert call(script, "--engine", engine, "-o", str(out)).exit_code == 0
        runs.append(out.read_bytes())
    assert len(set(runs)) == 1


def test_without_latency_everything_happens_at_the_step(tmp_path: Path) -> None:
    spec = "{containers: [{name: c, image: i}]}"
    meta = "{name: p, namespace: default}"
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {meta}, spec: {spec}}}"
    script = written(tmp_path, f"steps: [{{t: 1, create: [{pod}]}}]")
    run = json.loads(call(script, "--latency", "zero").stdout)
    created = [record["t"] for record in run["records"] if record["what"] == "created"]
    assert created == [1.0]


def test_kubectl_that_only_prints_is_answered_in_its_words(tmp_path: Path) -> None:
    script = written(tmp_path, "steps: [{t: 1, kubectl: get pods -A}]")
    step = json.loads(call(script).stdout)["steps"][0]
    assert step["result"] == [{"rc": 0, "stdout": "", "stderr": "No resources found\n"}]


WRONG = {
    "an unknown kind in the fleet": (
        "fleet: [{kind: Nodx, metadata: {name: n}}]",
        "fleet: kind: 'Nodx' is not known",
    ),
    "a deletion without a name": (
        "steps: [{t: 1.5, delete: {kind: Pod}}]",
        "step at 1.5: name: is missing",
    ),
    "a step that is a word": (
        "steps: [{t: 1, create: pod}]",
        "step at 1: 'pod': must be an object",
    ),
    "an open quotation mark": (
        "steps: [{t: 1, kubectl: 'get \"x'}]",
        "step at 1: kubectl: 'get \"x' is not a line of arguments",
    ),
    "a KWOK process that is not there": (
        "steps: [{t: 1, kwok_stop: other}]",
        "step at 1: other: no such KWOK process; there are kwok",
    ),
    "an unknown operation": (
        "steps: [{t: 1, frobnicate: x}]",
        (
            "not a timeline: step at 1: no operation; known are create, delete, patch, scale,"
            " kubectl, post_raw, get, kwok_stop, kwok_start, dump"
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_input_is_told_in_one_line(case: str, tmp_path: Path) -> None:
    text, words = WRONG[case]
    path = written(tmp_path, text)
    result = call(path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {path}: {words}\n"


def test_a_missing_file_and_one_that_cannot_be_written(tmp_path: Path) -> None:
    missing = call(str(tmp_path / "no.yaml"))
    assert missing.exit_code == 1
    assert missing.stderr.endswith("no.yaml: no such file; is its name right?\n")
    nowhere = call(written(tmp_path, ""), "-o", str(tmp_path / "no" / "out.json"))
    assert nowhere.exit_code == 1
    assert nowhere.stderr.endswith("out.json: cannot be written: No such file or directory\n")


def test_a_wrong_option_is_a_usage_error(tmp_path: Path) -> None:
    assert call(written(tmp_path, ""), "--latency", "none").exit_code == 2
