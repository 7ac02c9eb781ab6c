"""The notebook's face."""

import subprocess
import sys
from pathlib import Path

import pytest

import gpusched as g

ROOT = Path(__file__).parents[2]
QUEUE_PRESSURE = ROOT / "scenarios" / "queue_pressure.yaml"


@pytest.fixture(scope="module")
def run() -> g.Run:
    return g.simulate(QUEUE_PRESSURE)


def test_the_functions_stay_functions_when_used_twice() -> None:
    script = (
        "import gpusched as g\n"
        f"a = g.simulate({str(QUEUE_PRESSURE)!r}, until='2s')\n"
        f"b = g.simulate({str(QUEUE_PRESSURE)!r}, until='2s')\n"
        "from gpusched import simulate, open_saved, load_scenario, Run, Scenario\n"
        "assert callable(simulate) and a.result() == b.result()\n"
        "assert set(g.__all__) <= set(dir(g))\n"
        "assert 'matplotlib' not in __import__('sys').modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_a_run_says_what_it_is(run: g.Run) -> None:
    assert repr(run) == "<Run queue-pressure (seed 1): 8 Pending, 32 Running>"
    assert "<table>" in run._repr_html_()


def test_tables_show_themselves_and_give_columns(run: g.Run) -> None:
    pods = run.pods()
    assert len(pods) == 40
    assert len(run.pending()) == 8
    assert set(pods.column("gpus")) == {1}
    assert (
        repr(run.nodes()).splitlines()[0]
        == "NAME                           GPUS   IN-USE   FREE   PODS"
    )
    assert pods[0]["phase"] in ("Running", "Pending")
    assert len(pods[:3]) == 3
    assert pods.to_csv().startswith("namespace,name,phase,node,gpus")
    assert "<caption>Pods</caption>" in pods._repr_html_()


def test_messages_events_and_the_timeline(run: g.Run) -> None:
    assert [row["pods"] for row in run.messages()] == [8]
    assert {row["reason"] for row in run.events()} >= {"Scheduled", "FailedScheduling"}
    assert run.timeline()[-1] == {
        "seconds": 1.0,
        "pending": 8,
        "running": 32,
        "succeeded": 0,
        "failed": 0,
        "gpus_in_use": 32,
        "gpus": 32,
    }


def test_the_plot_is_returned_and_never_shown(run: g.Run) -> None:
    figure = run.plot_pending()
    above, below = figure.axes
    assert above.get_ylabel() == "pods"
    assert below.get_xlabel() == "seconds of virtual time"


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("soon", 'until: time: invalid duration "soon"; write it as 90s or 1h30m'),
        ("-1s", "until: -1s lies before the start"),
    ],
)
def test_a_wrong_end_is_told(until: str, message: str) -> None:
    with pytest.raises(g.InvalidInputError) as caught:
        g.simulate(QUEUE_PRESSURE, until=until)
    assert str(caught.value) == message
