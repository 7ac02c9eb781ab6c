"""The cluster under test, and how a scenario is played on it and compared."""

import itertools
import os
import shlex
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.scenario import Scenario, load_scenario
from gpusched.live.capturing import dump_all
from gpusched.live.clock import now
from gpusched.live.cluster import Cluster, connect
from gpusched.live.comparing import Difference, EngineDifference, compare
from gpusched.live.playing import Pace
from gpusched.live.preparing import Preparation
from gpusched.live.session import play_live
from tests.conftest import COMPARED, RACY

QUICK = Pace(settle=1_000_000)
AGAIN = 2
"""A difference must show so often in a row; what chance brings once is counted as racy."""


@dataclass(frozen=True)
class Commands:
    """What the owner of a cluster lets us do to it; empty: nothing.

    Attributes:
        configure: Starts the scheduler and KWOK anew, as the environment says.
        kwok: Ends or starts one KWOK process.
        stages: A file of Stages that end pods in time.
    """

    configure: str = ""
    kwok: str = ""
    stages: str = ""


@dataclass
class Bench:
    """A cluster to hold the simulator against."""

    cluster: Cluster
    exact: bool
    counts: Counter[str]
    racy: list[str]
    out: Path
    commands: Commands
    numbers: Any = field(default_factory=itertools.count)
    session: str = field(default_factory=lambda: f"{now() // 1_000_000:x}")

    def preparation(self) -> Preparation:
        """Return how the next play is prepared."""
        play = f"t{self.session}-{next(self.numbers)}"
        return Preparation(play, f"{play}-", bool(self.commands.configure), self.commands.kwok)

    def configure(self, scenario: Scenario | None = None) -> None:
        """Start the scheduler and KWOK anew, as a scenario wants them, if there is a command."""
        if not self.commands.configure:
            return
        with tempfile.TemporaryDirectory() as folder:
            wanted = _settings(scenario, Path(folder), self.commands) if scenario else {}
            command = shlex.split(self.commands.configure)
            subprocess.run(command, check=True, env={**os.environ, **wanted})

    def differences(
        self, scenario: Scenario, pace: Pace = QUICK
    ) -> tuple[Difference | EngineDifference, ...]:
        """Play a scenario and return what differs whenever it is played.

        A difference between the engines is no matter of chance: once is enough.
        """
        found: tuple[Difference, ...] = ()
        for attempt in range(AGAIN):
            how = self.preparation()
            run = play_live(self.cluster, scenario, how, pace, wait_for_namespaces=False)
            if run.record.interrupted:
                raise KeyboardInterrupt
            before, comparison = found, compare(run, exact=self.exact)
            self.counts["plays"] += 1
            if comparison.engines is not None:
                return (comparison.engines, *comparison.differences)
            found = comparison.differences
            if not found:
                self.counts.update(comparison.compared)
                self.counts["racy plays"] += attempt
                self.racy += [f"{scenario.name}: {each}" for each in before]
                break
        return found

    def keep(self, document: dict[str, Any]) -> Path:
        """Write a scenario that shows a difference."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{document['metadata']['name']}.yaml"
        path.write_text(dump_all([document]), encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config) -> Bench:
    return Bench(
        connect(pytestconfig.getoption("--kubeconfig"), pytestconfig.getoption("--live-context")),
        pytestconfig.getoption("--live-exact"),
        pytestconfig.stash[COMPARED],
        pytestconfig.stash[RACY],
        Path(pytestconfig.getoption("--live-out")),
        Commands(
            *(
                pytestconfig.getoption(f"--live-{name}") or ""
                for name in ("configure", "kwok", "stages")
            )
        ),
    )


def read(document: dict[str, Any], folder: Path) -> Scenario:
    """Return the scenario of a document."""
    path = folder / "scenario.yaml"
    path.write_text(dump_all([document]), encoding="utf-8")
    return load_scenario(path)


def _settings(scenario: Scenario, folder: Path, commands: Commands) -> dict[str, str]:
    """Write down what a scenario wants of scheduler and KWOK; return the environment that says so.

    Whoever starts the scheduler says how it reaches its API server.
    """
    processes = [
        f"{each.name}={','.join(f'{key}={value}' for key, value in each.nodes.items())}"
        for each in scenario.kwok.controllers
    ]
    settings = {
        "SCHEDULER_FLAGS": " ".join(scenario.scheduler_flags),
        "KWOK_PROCESSES": " ".join(processes),
        "KWOK_STAGES": str(Path(commands.stages).resolve()) if scenario.runtimes else "",
    }
    if scenario.scheduler_configuration is None:
        return settings
    theirs = ("parallelism", "leaderElection", "clientConnection")
    kept = {k: v for k, v in scenario.scheduler_configuration.items() if k not in theirs}
    path = folder / "scheduler.yaml"
    path.write_text(dump_all([kept]), encoding="utf-8")
    return {**settings, "SCHEDULER_CONFIG": str(path)}
