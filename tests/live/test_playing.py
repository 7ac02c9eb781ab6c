"""For which nodes a play waits before it begins."""

from dataclasses import replace
from pathlib import Path

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.live.playing import played_nodes

SCENARIO = Path(__file__).parents[2] / "scenarios" / "node_loss.yaml"
OTHERS = ["ai-factory-lab-control-plane", "ai-factory-lab-worker"]
GPU_NODES = [
    "kwok-gpu-h100-0",
    "kwok-gpu-a100-0",
    "kwok-gpu-a100-1",
    "kwok-gpu-l40s-0",
    "kwok-gpu-l40s-1",
]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param(True, GPU_NODES, id="only those that some KWOK process makes ready"),
        pytest.param(False, [*OTHERS, *GPU_NODES], id="all, if one process plays all nodes"),
    ],
)
def test_a_play_waits_for_the_nodes_that_become_ready(own: bool, expected: list[str]) -> None:
    scenario = load_scenario(SCENARIO)
    if not own:
        kwok = scenario.kwok.model_copy(update={"controllers": ()})
        scenario = replace(scenario, kwok=kwok)
    assert sorted(played_nodes(scenario)) == sorted(expected)
