"""What is held against a cluster is held under both engines: here without any cluster."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from gpusched.api.scenario import Scenario, load_scenario
from gpusched.kube.cycle import Attempt
from gpusched.kube.engine import FastEngine
from gpusched.live.comparing import compare
from gpusched.live.engines import parting
from gpusched.live.preparing import Preparation, prepared
from gpusched.live.session import LiveRun
from gpusched.live.simulating import Chances, simulated
from gpusched.sim.journal import Journal
from tests.live.conftest import read
from tests.strategies.scenarios import scenarios

FOLDER = Path(__file__).parents[2] / "scenarios"
COMMITTED = sorted({path.stem for path in FOLDER.glob("*.yaml")} - {"day_of_jobs"})
"""Those that can be played on a cluster."""


def committed(name: str) -> Scenario:
    scenario = load_scenario(FOLDER / f"{name}.yaml")
    return prepared(scenario, Preparation("p1", "p1-", configured=True, kwok="kwok"))


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_scenario_goes_alike_under_both_engines(name: str, latency: str) -> None:
    scenario = committed(name)
    fast, scan = (
        simulated(scenario, Chances(seed=1, latency=latency), engine=engine)
        for engine in ("auto", "scan")
    )
    assert parting(fast, scan) is None


@settings(max_examples=60)
@given(document=scenarios())
def test_drawn_scenarios_go_alike_under_both_engines(
    document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    scenario = read(document, tmp_path_factory.mktemp("drawn"))
    fast, scan = (simulated(scenario, Chances(seed=1), engine=each) for each in ("auto", "scan"))
    assert parting(fast, scan) is None


def test_a_comparison_counts_who_decided() -> None:
    scenario = committed("lesson_all")
    found = compare(LiveRun(simulated(scenario, Chances()), scenario), exact=True)
    assert found.agrees
    assert found.compared["plays alike under both engines"] == 1
    assert found.compared["attempts by the scan"] == 3
    assert found.compared["attempts without the scan"] > 30


def test_a_fault_of_one_engine_is_named_with_the_play(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast engine takes the last of the tied nodes; the cluster, here, agrees with it."""
    honest = FastEngine.attempt

    def wrong(self: FastEngine, *asked: Any) -> Attempt:
        attempt = honest(self, *asked)
        return replace(attempt, row=int(attempt.ties[-1])) if attempt.row >= 0 else attempt

    monkeypatch.setattr(FastEngine, "attempt", wrong)
    scenario = committed("lesson_all")
    found = compare(LiveRun(simulated(scenario, Chances()), scenario), exact=True)
    assert found.differences == ()
    assert not found.agrees
    assert found.compared["plays alike under both engines"] == 0
    what, auto, scan = str(found.engines).splitlines()
    assert what.startswith("the engines differ: row ")
    assert what.endswith(" of the journal of lesson-all")
    assert auto.startswith("  auto: 1s POD_STEP ")
    assert auto != scan.replace("scan", "auto")


def test_counters_and_reports_are_compared_and_a_journal_that_ends_early_differs() -> None:
    scenario = committed("gates")
    one = simulated(scenario, Chances())
    assert parting(one, simulated(scenario, Chances())) is None
    other = copy.deepcopy(one.statistics)
    other["counters"]["extra"] = 1
    assert (parting(one, replace(one, statistics=other)) or [""])[0] == "counters"
    reports = (*one.reports, (0, "x", True))
    assert (parting(one, replace(one, reports=reports)) or [""])[0] == "reports of actions"
    assert parting(one, replace(one, rows=one.rows[:-1])) is not None
    assert (parting(replace(one, rows=Journal()), one) or ["", ""])[1] == "the end"
