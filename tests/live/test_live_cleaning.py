"""Whatever ends a play, nothing of it stays; and nothing that was there before is touched."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.errors import GpuschedError
from gpusched.live.cleaning import clean, leftovers
from gpusched.live.preparing import Preparation
from gpusched.live.session import play_live
from tests.live.conftest import Bench

pytestmark = pytest.mark.live

SCENARIO = Path(__file__).parents[2] / "scenarios" / "lesson_all.yaml"


def started(bench: Bench) -> subprocess.Popen[bytes]:
    """Start a play, and wait until there is something of it on the cluster."""
    command = [sys.executable, "-m", "gpusched", "live", "play", str(SCENARIO)]
    command += ["--context", bench.cluster.context, "--kubeconfig", str(bench.cluster.kubeconfig)]
    play = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not leftovers(bench.cluster):
        assert play.poll() is None, "the play has ended before it has begun"
        time.sleep(0.05)
    return play


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.5, 4.0], ids="killed after {} s".format)
def test_clean_takes_away_what_a_killed_play_has_left(bench: Bench, seconds: float) -> None:
    with started(bench) as play:
        time.sleep(seconds)
        play.kill()
        play.wait()
    clean(bench.cluster)
    assert leftovers(bench.cluster) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_play_that_is_asked_to_end_cleans_up_itself(bench: Bench, number: int) -> None:
    with started(bench) as play:
        time.sleep(2)
        play.send_signal(number)
        output, _ = play.communicate(timeout=90)
    assert play.returncode == 130, output.decode()
    assert leftovers(bench.cluster) == []


def test_a_node_that_is_there_already_is_refused_and_stays(bench: Bench) -> None:
    name = "kwok-gpu-a100-0"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    uid = bench.cluster.create(node)["metadata"]["uid"]
    try:
        with pytest.raises(
            GpuschedError, match=f"node/{name} is there already and is never touched"
        ):
            play_live(bench.cluster, load_scenario(SCENARIO), Preparation("refused", "refused-"))
        assert leftovers(bench.cluster) == []
        assert bench.cluster.read("Node", "", name)["metadata"]["uid"] == uid
    finally:
        bench.cluster.delete("Node", ("", name))
