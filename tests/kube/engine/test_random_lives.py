"""The machine of `test_machine`, driven by plain dice: no shrinking, no small beginnings.

Hypothesis prefers short and simple lives; a failure that is remembered too long shows in one
uniformly random life in twenty, and hardly ever in a simple one. More lives:
``python -m tests.kube.engine.test_random_lives 1000``.
"""

import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from tests.kube.engine.templates import NODES, OBJECTS, PROFILES, THEMES
from tests.kube.engine.test_machine import TIE_BREAKS, EngineMachine, SampledMachine

STEPS = 50


class Life:
    """One cluster from its beginning through fifty steps."""

    def __init__(self, seed: int, kind: type[EngineMachine] = EngineMachine) -> None:
        self.dice = np.random.default_rng(seed)
        self.machine = kind()

    def throw(self, sides: int) -> int:
        return int(self.dice.integers(sides))

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.throw(len(choices))]

    def live(self) -> Counter[str]:
        """Return how attempts were answered."""
        kinds = [self.pick(sorted(NODES)) for _ in range(3 + self.throw(4))]
        themes = list(dict.fromkeys(self.pick(sorted(THEMES)) for _ in range(1 + self.throw(2))))
        there = {name for name in OBJECTS if self.throw(2)}
        profile = self.pick(["default"] * len(PROFILES) + sorted(PROFILES))
        self.machine.begin(kinds, themes, there, profile)
        self.machine.search_otherwise(self.machine.percentage, self.pick(TIE_BREAKS))
        for _ in range(STEPS):
            self.step(self.throw(8))
        return self.machine.cluster.engine.statistics.attempts

    def step(self, what: int) -> None:
        machine = self.machine
        if what == 0:
            machine.put_node(f"n{self.throw(6)}", self.pick(sorted(NODES)))
        elif what == 1 and not self.throw(3):
            machine.drop_node(f"n{self.throw(6)}")
        elif what in (2, 3):
            machine.change_object(self.throw(14), bool(self.throw(2)))
        elif what in (4, 5):
            labelled = {place for place in range(4) if not self.throw(3)}
            machine.schedule(self.throw(14), 1 + self.throw(4), bool(self.throw(2)), labelled)
        else:
            self.step_of_pods()

    def step_of_pods(self) -> None:
        machine = self.machine
        if machine.waiting and self.throw(2):
            waiting = machine.waiting.pop(self.throw(len(machine.waiting)))
            machine.attempt(waiting, preempts=bool(self.throw(2)))
        elif machine.cluster.pods:
            uid = self.pick(sorted(machine.cluster.pods))
            machine.change(machine.cluster.pods[uid], self.pick(["remove", "terminate", "refresh"]))


@pytest.mark.parametrize("small", [0, 2048], ids=["boards", "glances"])
@pytest.mark.parametrize("seed", range(40))
def test_engines_agree_through_a_random_life(
    seed: int, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpusched.kube.engine.fast._SMALL", small)
    attempts = Life(seed).live()
    assert sum(attempts.values()) > 0


@pytest.mark.parametrize("seed", range(12))
def test_engines_agree_on_samples_of_a_large_cluster(seed: int) -> None:
    life = Life(seed, SampledMachine)
    life.live()
    assert life.machine.sampled


if __name__ == "__main__":
    total: Counter[str] = Counter()
    for number in range(int(sys.argv[1])):
        total += Life(number, (EngineMachine, SampledMachine)[number % 5 == 0]).live()
    sys.stdout.write(f"{dict(total)}\n")
