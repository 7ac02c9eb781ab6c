"""Equal seeds give byte-identical journals: in one process, in two, and under either engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.walks import digest

pytestmark = pytest.mark.property
ROOT = Path(__file__).parents[2]
STEPS = 150


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
@pytest.mark.parametrize("seed", range(3))
def test_a_walk_repeated_gives_the_same_journal(seed: int, latency: str) -> None:
    assert digest(seed, STEPS, "auto", latency) == digest(seed, STEPS, "auto", latency)


@pytest.mark.parametrize("seed", range(6))
def test_both_engines_write_the_same_journal(seed: int) -> None:
    assert digest(seed, STEPS, "scan") == digest(seed, STEPS, "fast")


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
