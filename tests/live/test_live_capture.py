"""A captured cluster, simulated, is in the same state."""

from dataclasses import replace
from pathlib import Path

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.face import simulate
from gpusched.live.capturing import capture, write
from gpusched.live.cleaning import clean
from gpusched.live.playing import LivePlayer, Pace
from gpusched.live.preparing import Preparation, prepared
from gpusched.live.watching import Watcher
from gpusched.live.world import ClusterWorld
from gpusched.run.expectations import differences
from tests.live.conftest import Bench

pytestmark = pytest.mark.live

SCENARIO = Path(__file__).parents[2] / "scenarios" / "lesson_all.yaml"


def test_a_captured_cluster_is_reproduced_by_the_simulator(bench: Bench, tmp_path: Path) -> None:
    if bench.cluster.read_all("Node"):
        pytest.skip("the cluster is not empty: its own pods would be captured, too")
    scenario = prepared(load_scenario(SCENARIO), Preparation("captured", "captured-"))
    watcher = Watcher(bench.cluster, lambda _: True)
    try:
        world, pace = ClusterWorld(bench.cluster, ""), Pace(settle=2_000_000)
        LivePlayer(bench.cluster, world, watcher, pace).play(replace(scenario, until=10_000_000))
        taken = capture(bench.cluster, with_pods=True)
    finally:
        watcher.stop()
        clean(bench.cluster, "captured")
    assert taken.phases == {"Running": 32, "Pending": 11}
    assert sum((taken.messages or {}).values()) == 11
    run = simulate(write(taken, tmp_path / "fleet.yaml"))
    assert differences(run.record) == []
    on_cluster = {
        (pod["metadata"]["name"], pod["spec"].get("nodeName"))
        for pod in (*taken.bound, *taken.pending)
    }
    simulated = {(pod["name"], pod["node"] or None) for pod in run.pods()}
    assert simulated == on_cluster
