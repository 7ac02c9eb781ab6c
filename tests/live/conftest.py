"""The cluster under test, and how a scenario is played on it and compared."""

import itertools
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable
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
    restart: Callable[[], None]
    numbers: Any = field(default_factory=itertools.count)
    session: str = field(default_factory=lambda: f"{now() // 1_000_000:x}")

    def differences(self, scenario: Scenario, pace: Pace = QUICK) -> tuple[Difference, ...]:
        """Play a scenario and return what differs whenever it is played."""
        found: tuple[Difference, ...] = ()
        for attempt in range(AGAIN):
            play = f"t{self.session}-{next(self.numbers)}"
            run = play_live(
                self.cluster,
                scenario,
                Preparation(play, f"{play}-"),
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
    command = pytestconfig.getoption("--live-restart")

    def restart() -> None:
        if command:
            subprocess.run(shlex.split(command), check=True)

    return Bench(
        connect(pytestconfig.getoption("--kubeconfig"), pytestconfig.getoption("--live-context")),
        pytestconfig.getoption("--live-exact"),
        pytestconfig.stash[COMPARED],
        Path(pytestconfig.getoption("--live-out")),
        restart,
    )


def read(document: dict[str, Any], folder: Path) -> Scenario:
    """Return the scenario of a document."""
    path = folder / "scenario.yaml"
    path.write_text(dump_all([document]), encoding="utf-8")
    return load_scenario(path)
