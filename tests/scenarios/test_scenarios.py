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
