"""How two worlds are held against each other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.scenario import Scenario, load_scenario
from gpusched.live.comparing import TOLERANCE, compare, differences
from gpusched.live.facts import Facts, comparable_events
from gpusched.live.preparing import Preparation, prepared
from gpusched.live.session import LiveRun
from gpusched.live.simulating import Chances, simulated
from gpusched.sim.calendar import SECOND
from gpusched.sim.event_log import EventRecord
from tests.live.conftest import read

SCENARIOS = Path(__file__).parents[2] / "scenarios"
AMOUNTS = {"cpu": "4", "memory": "8Gi", "pods": "10"}
RETRY = "retry lab/a: seconds after its creation"
PREEMPTOR = "00000002-5bd1-4e19-8000-9e3779b97f4a"


def pair_of_nodes(tmp_path: Path) -> Scenario:
    """Two equal nodes and one pod: a tie."""
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"capacity": AMOUNTS, "allocatable": AMOUNTS},
        }
        for name in ("node-0", "node-1")
    ]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "x"}]},
    }
    spec = {"fleet": nodes, "steps": [{"at": "0s", "create": pod}], "until": "5s"}
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    return read({**head, "spec": spec}, tmp_path)


def on_cluster(scenario: Scenario, node: str) -> LiveRun:
    """Return a play in which the pod went to a node."""
    return LiveRun(simulated(scenario, Chances(nodes={"default/a": node})), scenario)


@pytest.mark.parametrize("node", ["node-0", "node-1"])
def test_any_of_the_tied_nodes_agrees_unless_ties_are_compared(tmp_path: Path, node: str) -> None:
    run = on_cluster(pair_of_nodes(tmp_path), node)
    assert compare(run).differences == ()
    taken = {life.pod.node for life in simulated(run.scenario, Chances()).lives}
    found = [str(each) for each in compare(run, exact=True).differences]
    if taken == {node}:
        assert found == []
    else:
        (other,) = taken
        assert found[0] == f"pod default/a: node\n  cluster:   {node}\n  simulator: {other}"


def test_a_node_that_is_not_tied_differs(tmp_path: Path) -> None:
    scenario = pair_of_nodes(tmp_path)
    run = on_cluster(scenario, "node-1")
    (first, second) = scenario.fleet
    worse = {**second.object, "spec": {"taints": [{"key": "k", "effect": "PreferNoSchedule"}]}}
    tainted = replace(scenario, fleet=(first, second.holding(worse)))
    found = compare(replace(run, scenario=tainted)).differences
    assert [str(each) for each in found[:2]] == [
        "node node-1: taints\n  cluster:   -\n  simulator: k=:PreferNoSchedule",
        "pod default/a: node\n  cluster:   node-1\n  simulator: node-0",
    ]


@pytest.mark.parametrize(
    ("cluster", "simulator", "expected"),
    [
        pytest.param([0.0, 3.0], [0.0, 4.4], [], id="a retry within the tolerance"),
        pytest.param(
            [0.0, 3.0],
            [0.0, 4.6],
            [f"{RETRY}\n  cluster:   0.0, 3.0\n  simulator: 0.0, 4.6"],
            id="a retry that comes too late",
        ),
        pytest.param(
            [0.0],
            [0.0, 0.1],
            [f"{RETRY}\n  cluster:   0.0\n  simulator: 0.0, 0.1"],
            id="a retry that is not there",
        ),
    ],
)
def test_times_of_retries_have_a_tolerance(
    cluster: list[float], simulator: list[float], expected: list[str]
) -> None:
    one, two = Facts(times={RETRY: cluster}), Facts(times={RETRY: simulator})
    assert list(map(str, differences(one, two, TOLERANCE))) == expected


def test_a_wrong_word_is_a_difference_of_its_own() -> None:
    one, two = Facts(), Facts()
    one.counts["event", "Warning FailedScheduling Pod a: 1 Insufficient cpu"] = 1
    two.counts["event", "Warning FailedScheduling Pod a: 1 Too little cpu"] = 1
    assert [str(each) for each in differences(one, two, TOLERANCE)] == [
        "event Warning FailedScheduling Pod a: 1 Insufficient cpu\n  cluster:   1\n  simulator: 0",
        "event Warning FailedScheduling Pod a: 1 Too little cpu\n  cluster:   0\n  simulator: 1",
    ]


def event(reason: str, uid: str, message: str, at: int) -> EventRecord:
    regarding: dict[str, Any] = {"kind": "Pod", "namespace": "lab", "name": "a", "uid": uid}
    return EventRecord("e", regarding, "Warning", reason, message, "s", "s", 1, at, at)


def reasons(events: Sequence[EventRecord]) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in comparable_events(events)]


def test_of_a_preemptor_only_the_first_failure_is_certain() -> None:
    events = [
        event("FailedScheduling", PREEMPTOR, "first", 1),
        event("Preempted", "victim", f"Preempted by pod {PREEMPTOR} on node n", 2),
        event("FailedScheduling", PREEMPTOR, "while the victims vanish", 3),
        event("FailedScheduling", "other", "first", 4),
        event("FailedScheduling", "other", "second", 5),
        event("RegisteredNode", "node", "Node n event: Registered Node n in Controller", 6),
    ]
    assert reasons(events) == [
        ("FailedScheduling", "first"),
        ("Preempted", f"Preempted by pod {PREEMPTOR} on node n"),
        ("FailedScheduling", "first"),
        ("FailedScheduling", "second"),
    ]


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
def test_what_milliseconds_decide_may_fall_either_way(latency: str, tmp_path: Path) -> None:
    """A quota comes ten milliseconds after a Deployment: how many pods are there already?"""
    text = (SCENARIOS / "quota.yaml").read_text("utf-8").replace("at: 0s", "at: 1010ms")
    text = text.replace("../fleets", f"{SCENARIOS.parent}/fleets").partition("  expect:")[0]
    file = tmp_path / "quota.yaml"
    file.write_text(text.replace("manifests/", f"{SCENARIOS}/manifests/"), "utf-8")
    scenario = load_scenario(file)
    run = LiveRun(simulated(scenario, Chances(latency=latency)), scenario)
    comparison = compare(run, exact=True)
    assert comparison.differences == ()
    assert comparison.compared["plays with latency"] == (latency != "zero")


def test_pods_run_as_long_as_those_of_the_cluster_and_what_follows_is_compared() -> None:
    how = Preparation("p1", "p1-", configured=True)
    scenario = prepared(load_scenario(SCENARIOS / "finishing_jobs.yaml"), how)
    times = [(20 + number % 7) * SECOND for number in range(40)]
    drawn = Chances(run_times={"p1-gpu-demo/forty-*": times})
    comparison = compare(LiveRun(simulated(scenario, drawn), scenario))
    assert comparison.differences == ()
    assert comparison.compared["times"] == 40
    assert comparison.simulation is not None
    ends = sorted(life.finished or 0 for life in comparison.simulation.lives)
    assert (ends[0], ends[-1]) == (21 * SECOND, (1 + 20 + 26) * SECOND)
