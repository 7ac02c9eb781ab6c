"""Pictures against pictures that were looked at; `tools/draw_baseline.py` draws them anew."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image
from matplotlib.colors import to_rgb

from gpusched.report.plots import all_plots
from gpusched.report.style import LOOKS
from gpusched.run.record import RunRecord
from tests.report.worlds import busy_hour, nothing, queue_pressure

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 0.06
"""Root of the mean squared difference of pixels in [0, 1]; fonts may differ by a hair."""
CASES = [(name, world) for world in (busy_hour, queue_pressure) for name in all_plots()]


def drawn(plot: Callable[[RunRecord], Any], record: RunRecord, path: Path) -> None:
    plot(record).savefig(path, dpi=50, metadata={"Software": None})


@pytest.mark.parametrize(
    ("name", "world"), CASES, ids=[f"{name} of {world.__name__}" for name, world in CASES]
)
def test_plots_look_as_they_did(name: str, world: Callable[[], RunRecord], tmp_path: Path) -> None:
    drawn(all_plots()[name], world(), tmp_path / "now.png")
    now = image.imread(tmp_path / "now.png")[..., :3]
    before = image.imread(BASELINE / f"{world.__name__}_{name}.png")[..., :3]
    assert now.shape == before.shape
    assert float(np.sqrt(np.mean((now - before) ** 2))) < TOLERANCE


def test_a_different_run_looks_different(tmp_path: Path) -> None:
    drawn(all_plots()["gantt"], busy_hour(), tmp_path / "now.png")
    now = image.imread(tmp_path / "now.png")[..., :3]
    other = image.imread(BASELINE / "queue_pressure_gantt.png")[..., :3]
    both = tuple(min(a, b) for a, b in zip(now.shape, other.shape, strict=True))
    cut = tuple(slice(0, size) for size in both)
    assert float(np.sqrt(np.mean((now[cut] - other[cut]) ** 2))) > TOLERANCE


def test_neighbouring_colours_differ_in_lightness_or_pattern() -> None:
    def lightness(colour: str) -> float:
        return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))

    for one, other in pairwise(LOOKS):
        assert one.hatch != other.hatch
        assert abs(lightness(one.colour) - lightness(other.colour)) > 0.05


@pytest.mark.parametrize("name", list(all_plots()))
def test_a_run_without_anything_can_be_drawn(name: str, tmp_path: Path) -> None:
    drawn(all_plots()[name], nothing(), tmp_path / "nothing.png")


@pytest.mark.parametrize("name", list(all_plots()))
def test_plots_say_what_they_are_and_that_they_are_simulated(name: str) -> None:
    figure = all_plots()[name](queue_pressure())
    assert figure.axes[0].get_title(loc="left").startswith("queue-pressure: ")
    assert "simulated" in figure.get_supxlabel()
