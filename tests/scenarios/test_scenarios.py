"""The worked scenarios come out as they say, and show what their comments promise."""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gpusched import simulate
from gpusched.face import Run

FOLDER = Path(__file__).parents[2] / "scenarios"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
QUICK = [name for name in NAMES if name != "day_of_jobs"]


@cache
def run_of(name: str, until: str | None = None) -> Run:
    return simulate(FOLDER / f"{name}.yaml", until=until)


def events(run: Run, reason: str) -> list[Mapping[str, Any]]:
    return [row for row in run.events() if row["reason"] == reason]


def pods(run: Run, prefix: str = "") -> list[Mapping[str, Any]]:
    return [row for row in run.pods() if row["name"].startswith(prefix)]


def changed(folder: Path, name: str, changes: Mapping[str, str]) -> Run:
    """Return the run of a scenario in which a user has changed something."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace("../fleets", str(FOLDER.parent / "fleets"))
    path = folder / "changed.yaml"
    path.write_text(text.replace(" manifests/", f" {FOLDER}/manifests/"), encoding="utf-8")
    return simulate(path)


@pytest.mark.parametrize("name", QUICK)
def test_a_scenario_gets_what_it_expects(name: str) -> None:
    run = run_of(name)
    assert run.record.expect is not None
    assert run.result()["differences"] == []


def test_a_waiting_pod_starts_in_the_instant_in_which_another_ends() -> None:
    found = pods(run_of("finishing_jobs"))
    late = sorted(pod["bound"] for pod in found if pod["bound"] > 2)
    ends = sorted(pod["finished"] for pod in found)
    assert len(late) == 8
    assert late == pytest.approx(ends[:8])


def test_the_victims_are_two_and_their_replacements_wait() -> None:
    run = run_of("priority_preemption")
    assert len(events(run, "Preempted")) == 2
    (urgent,) = pods(run, "urgent")
    assert (urgent["phase"], urgent["bound"]) == ("Running", 10)


def test_the_budget_is_spared_first_and_broken_then() -> None:
    run = run_of("disruption_budget")
    assert [pod["node"] for pod in pods(run, "takes")] == ["kwok-gpu-l40s-1", "kwok-gpu-l40s-0"]
    at_first = run_of("disruption_budget", "15s")
    assert {pod["phase"] for pod in pods(at_first, "guarded")} == {"Running"}


def test_the_drain_takes_one_pod_at_a_time() -> None:
    moved = sorted(pod["bound"] for pod in pods(run_of("drain")))
    assert [round(later - sooner) for sooner, later in pairwise(moved)] == [5] * 7


def test_a_silent_node_keeps_its_pods_for_five_minutes() -> None:
    assert run_of("node_loss", "5m").phases() == {"Running": 8}
    (taint,) = {round(pod["created"]) for pod in pods(run_of("node_loss")) if pod["created"] > 2}
    assert 40 <= taint - 10 - 300 <= 55


def test_lost_gpus_evict_nobody_and_a_freed_one_helps_nobody() -> None:
    meanwhile = run_of("gpu_loss", "35s")
    assert meanwhile.phases() == {"Pending": 1, "Running": 7}
    use = meanwhile.result()["nodes"]["kwok-gpu-h100-0"]["nvidia.com/gpu"]
    assert use == {"allocatable": 6, "requested": 7}
    assert max(pod["bound"] for pod in pods(run_of("gpu_loss"))) == 40


def test_the_update_ends_in_a_deadlock_that_the_deployment_reports() -> None:
    (deployment,) = run_of("rolling_update_deadlock").record.moment().objects("Deployment")
    reasons = [item["reason"] for item in deployment["status"]["conditions"]]
    assert "ProgressDeadlineExceeded" in reasons


def test_a_gated_pod_is_not_even_tried() -> None:
    run = run_of("gates")
    assert events(run, "FailedScheduling") == []
    assert [(pod["name"], pod["bound"]) for pod in pods(run)] == [
        ("staged-soon", 30),
        ("staged-never", None),
    ]


def test_a_raised_quota_wakes_nobody() -> None:
    run = run_of("quota")
    assert events(run, "FailedCreate")
    late = [pod["created"] for pod in pods(run) if pod["created"] > 2]
    assert len(late) == 2
    assert min(late) > 40


def test_a_node_does_not_shorten_a_back_off() -> None:
    (pod,) = pods(run_of("backoff"))
    assert pod["bound"] == 31


def test_the_back_off_doubles_up_to_ten_seconds() -> None:
    counters = run_of("backoff").result()["scheduler"]["counters"]
    assert counters["scheduler_pod_scheduling_attempts_sum"] == len((1, 3, 6, 11, 20, 31))


def test_the_pods_of_a_node_that_is_back_go(tmp_path: Path) -> None:
    stop = "      kwokStop: h100\n"
    run = changed(tmp_path, "node_loss", {stop: f"{stop}    - {{at: 7m, kwokStart: h100}}\n"})
    assert run.phases() == {"Running": 8}
    assert "kwok-gpu-h100-0" not in {pod["node"] for pod in pods(run)}


def test_taking_one_away_first_cures_the_deadlock(tmp_path: Path) -> None:
    cured = {}
    for name in ("manifests/serve_v1.yaml", "manifests/serve_v2.yaml"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert "maxSurge: 25%" in text
        assert "maxUnavailable: 0" in text
        text = text.replace("maxSurge: 25%", "maxSurge: 0")
        path = tmp_path / Path(name).name
        path.write_text(text.replace("maxUnavailable: 0", "maxUnavailable: 1"), encoding="utf-8")
        cured[name] = str(path)
    run = changed(tmp_path, "rolling_update_deadlock", cured)
    assert run.phases() == {"Running": 8}
    assert all(pod["created"] > 5 for pod in pods(run)), "the new ones"


def test_the_third_claim_waits_for_the_first_pod_and_small_gpus_do_not_help() -> None:
    run = run_of("claims")
    (waiting,) = events(run, "FailedScheduling")
    assert "cannot allocate all claims" in waiting["message"]
    training = [(pod["node"], pod["bound"]) for pod in pods(run, "train")]
    assert sorted(at for _, at in training) == pytest.approx([1, 1, 31])
    assert {node for node, _ in training} == {"kwok-gpu-h100-0"}
    assert [pod["node"] for pod in pods(run, "notebook")] == ["kwok-gpu-l40s-0"]


def test_a_pod_is_bound_a_second_after_its_volume_and_a_new_disk_wakes_another() -> None:
    found = {pod["name"]: pod for pod in pods(run_of("volumes"))}
    assert {name: round(pod["bound"]) for name, pod in found.items()} == {
        "train": 2,
        "preprocess": 2,
        "archiver": 61,
    }
    before = {pod["name"]: pod["phase"] for pod in pods(run_of("volumes", "59s"))}
    assert before["archiver"] == "Pending"


@pytest.mark.slow
def test_a_day_of_ten_thousand_pods_drains_after_its_peaks() -> None:
    run = run_of("day_of_jobs")
    assert run.result()["differences"] == []
    waiting = {row["seconds"]: row["pending"] for row in run.timeline()}
    peak = max(waiting, key=waiting.__getitem__)
    assert 11 * 3600 <= peak <= 17 * 3600
    assert {count for at, count in waiting.items() if 60 < at < 7 * 3600} == {0}
    assert {count for at, count in waiting.items() if at > 20 * 3600} == {0}
    assert run.record.statistics["evaluations"] < 100_000, "siblings no longer share their answers"
