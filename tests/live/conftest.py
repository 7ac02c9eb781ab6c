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
from gpusched.live.comparing import Difference, compare
from gpusched.live.playing import Pace
from gpusched.live.preparing import Preparation
from gpusched.live.session import play_live
from tests.conftest import COMPARED

QUICK = Pace(settle=1_000_000)
AGAIN = 2
"""A difference must show so often in a row; what chance brings once is counted as racy."""


@dataclass
class Bench:
    """A cluster to hold the simulator against."""

    cluster: Cluster
    exact: bool
    counts: Counter[str]
    out: Path
    command: str | None
    numbers: Any = field(default_factory=itertools.count)
    session: str = field(default_factory=lambda: f"{now() // 1_000_000:x}")

    def restart(self, scenario: Scenario | None = None) -> None:
        """Start the scheduler anew, configured as a scenario says, if there is a command for it."""
        configured = scenario is not None and _is_configured(scenario)
        if self.command is None and configured:
            pytest.skip("the cluster's scheduler has a configuration of its own")
        if self.command is not None:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                environment = dict(os.environ)
                if scenario is not None and configured:
                    environment |= _settings(scenario, file.name)
                subprocess.run(shlex.split(self.command), check=True, env=environment)

    def differences(self, scenario: Scenario, pace: Pace = QUICK) -> tuple[Difference, ...]:
        """Play a scenario and return what differs whenever it is played."""
        found: tuple[Difference, ...] = ()
        for attempt in range(AGAIN):
            play = f"t{self.session}-{next(self.numbers)}"
            run = play_live(
                self.cluster,
                scenario,
                Preparation(play, f"{play}-", configured=self.command is not None),
                pace,
                wait_for_namespaces=False,
            )
            if run.record.interrupted:
                raise KeyboardInterrupt
            comparison = compare(run, exact=self.exact)
            self.counts["plays"] += 1
            found = comparison.differences
            if not found:
                self.counts.update(comparison.compared)
                self.counts["racy plays"] += attempt
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
        Path(pytestconfig.getoption("--live-out")),
        pytestconfig.getoption("--live-restart"),
    )


def read(document: dict[str, Any], folder: Path) -> Scenario:
    """Return the scenario of a document."""
    path = folder / "scenario.yaml"
    path.write_text(dump_all([document]), encoding="utf-8")
    return load_scenario(path)


def _is_configured(scenario: Scenario) -> bool:
    return bool(scenario.scheduler_configuration or scenario.scheduler_flags)


def _settings(scenario: Scenario, path: str) -> dict[str, str]:
    """Write a scenario's configuration; return the environment that names it and the flags.

    Whoever starts the scheduler says how it reaches its API server.
    """
    flags = {"SCHEDULER_FLAGS": " ".join(scenario.scheduler_flags)}
    if scenario.scheduler_configuration is None:
        return flags
    theirs = ("parallelism", "leaderElection", "clientConnection")
    kept = {k: v for k, v in scenario.scheduler_configuration.items() if k not in theirs}
    Path(path).write_text(dump_all([kept]), encoding="utf-8")
    return {**flags, "SCHEDULER_CONFIG": path}
