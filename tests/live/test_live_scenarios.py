"""The committed scenarios and drawn ones, on a real cluster and in the simulator."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gpusched.api.config.duration import format_duration
from gpusched.api.scenario import load_scenario
from gpusched.errors import InvalidInputError
from gpusched.live.playing import Pace
from gpusched.live.preparing import prepared
from gpusched.sim.calendar import SECOND
from tests.conftest import AGREEING
from tests.live.conftest import Bench, read
from tests.strategies.scenarios import scenarios

pytestmark = pytest.mark.live

LONGEST = 600 * SECOND
NODES = ("node-0", "node-1", "node-2")
COMMITTED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_scenario_ends_as_it_does_on_the_cluster(
    bench: Bench, path: Path, pytestconfig: pytest.Config
) -> None:
    scenario = load_scenario(path)
    if scenario.until > LONGEST:
        pytest.skip(f"{path.stem} takes {format_duration(scenario.until * 1000)} of real time")
    try:
        prepared(scenario, bench.preparation())
    except InvalidInputError as refusal:
        pytest.skip(f"{path.stem}: {'; '.join(fault.message for fault in refusal.faults)}")
    bench.configure(scenario)
    whole = bool(scenario.runtimes or scenario.kwok.controllers)
    found = bench.differences(scenario, Pace(settle=3_000_000, whole=whole))
    assert not found, "\n".join(map(str, found))
    pytestconfig.stash[AGREEING].append(path.stem)


def test_nodes_that_are_created_again_keep_their_places_as_on_the_cluster(
    bench: Bench, tmp_path: Path
) -> None:
    """All are deleted and created again in other zones; each pod then takes the first of them."""
    bench.configure()
    steps: list[dict[str, Any]] = [{"at": "0s", "create": pod("first")}]
    steps += [{"at": "1s", "delete": {"kind": "Pod", "name": "first"}}]
    for name in NODES:
        steps += [{"at": "2s", "delete": {"kind": "Node", "name": name}}]
    steps += [{"at": "3s", "create": node(name)} for name in NODES]
    steps += [{"at": "8s", "create": pod(f"later-{nth}")} for nth in range(3)]
    zones = dict(zip(NODES, "aab", strict=True))
    fleet = [node(name, **{"topology.kubernetes.io/zone": zones[name]}) for name in NODES]
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario"}
    spec = {"fleet": fleet, "steps": steps, "until": "1m"}
    document = {**head, "metadata": {"name": "created-again"}, "spec": spec}
    found = bench.differences(read(document, tmp_path))
    assert not found, "\n".join(map(str, found))


def node(name: str, **labels: str) -> dict[str, Any]:
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    status = {"capacity": room, "allocatable": room}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "status": status}


def pod(name: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "x"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_drawn_scenarios_end_as_they_do_on_the_cluster(
    bench: Bench, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    bench.configure()

    @settings(
        max_examples=pytestconfig.getoption("--live-cases"),
        deadline=None,
        derandomize=False,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(scenarios())
    def holds(document: dict[str, Any]) -> None:
        found = bench.differences(read(document, tmp_path))
        if found:
            path = bench.keep(document)
            raise AssertionError("\n".join([f"{path} shows it in both worlds:", *map(str, found)]))

    holds()
