"""Equal seeds give byte-identical journals: in one process, in two, and under either engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gpusched.api.scenario import Scenario, load_scenario
from gpusched.run.playing import PlayOptions, play
from gpusched.sim.calendar import SECOND
from tests.laws.crowds import crowd
from tests.laws.walks import digest

pytestmark = pytest.mark.property
ROOT = Path(__file__).parents[2]
STEPS = 150
HOUR = 3600 * SECOND


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
@pytest.mark.parametrize("seed", range(3))
def test_a_walk_repeated_gives_the_same_journal(seed: int, latency: str) -> None:
    assert digest(seed, STEPS, "auto", latency) == digest(seed, STEPS, "auto", latency)


@pytest.mark.parametrize("seed", range(6))
def test_both_engines_write_the_same_journal(seed: int) -> None:
    assert digest(seed, STEPS, "scan") == digest(seed, STEPS, "fast")


@pytest.mark.parametrize("tie_break", ["kube", "random"])
@pytest.mark.parametrize("seed", range(6))
def test_lots_fall_alike_under_every_engine(seed: int, tie_break: str, tmp_path: Path) -> None:
    """Remembered failures draw as new ones do, and whoever asks both engines draws once."""
    scenario = _crowd(seed, tmp_path)
    runs = [
        play(scenario, PlayOptions(seed=seed, engine=engine, tie_break=tie_break))
        for engine in ("auto", "scan", "verify")
    ]
    assert runs[0].scheduler.engine.statistics.attempts["remembered"]
    assert runs[0].scheduler.metrics.counters["scheduler_preemption_victims_sum"]
    assert len({run.plane.store.journal.digest() for run in runs}) == 1


def test_a_queue_of_thousands_goes_alike_under_both_engines() -> None:
    """All other committed scenarios are held against each other in `tests/live`."""
    scenario = load_scenario(ROOT / "scenarios" / "day_of_jobs.yaml")
    runs = [
        play(scenario, PlayOptions(until=11 * HOUR, engine=engine)) for engine in ("auto", "scan")
    ]
    assert runs[0].scheduler.engine.statistics.attempts["remembered"] > 1000
    assert len({run.plane.store.journal.digest() for run in runs}) == 1


def _crowd(seed: int, folder: Path) -> Scenario:
    path = folder / "crowd.yaml"
    path.write_text(yaml.safe_dump(crowd(seed)), encoding="utf-8")
    return load_scenario(path)


def test_another_seed_gives_another_journal() -> None:
    assert digest(0, STEPS, "auto") != digest(1, STEPS, "auto")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_hash_seed_does_not_reach_the_journal(seed: int) -> None:
    found = set()
    for hash_seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.laws.walks", str(seed), str(STEPS), "auto"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
