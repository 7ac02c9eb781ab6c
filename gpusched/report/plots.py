"""Plots: one function each, returning the figure; matplotlib is imported when one is drawn."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gpusched.report.style import CAPACITY, PHASE_COLOURS, PHASE_LINES, SETTINGS, new_figure
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import SECOND

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNITS: Final = ((7200.0, 3600.0, "hours"), (600.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
SIMULATED: Final = "simulated: control-plane decisions only, no CUDA"


def pending(record: RunRecord) -> "Figure":
    """Return pods waiting and running, and GPUs in use, over time."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        figure = new_figure()
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        times, unit = _times(record)
        history = record.history
        for phase in ("Running", "Pending"):
            values = _held(record, history.phases[phase])
            _steps(above, times, values, phase)
        above.set(ylabel="pods")
        above.set_title(f"{record.name}: pods waiting and running", pad=30)
        _legend_above(above)
        _gpus(below, times, record)
        below.set(xlabel=f"{unit} of virtual time", ylabel="GPUs")
        figure.text(0.995, 0.005, SIMULATED, ha="right", va="bottom", fontsize=9, color=CAPACITY)
    return figure


def _times(record: RunRecord) -> tuple[np.ndarray, str]:
    """Return the instants from t = 0 to the end in a fitting unit, and the unit's name."""
    seconds = record.ended / SECOND
    _, length, unit = next(row for row in _UNITS if seconds >= row[0])
    inside = record.history.times[record.history.times > 0]
    inside = inside[inside < record.ended]
    ticks = np.concatenate([[0], inside, [record.ended]])
    return ticks / (length * SECOND), unit


def _held(record: RunRecord, values: np.ndarray) -> np.ndarray:
    """Return the value that holds at each of `_times`' instants."""
    times = record.history.times
    inside = times[(times > 0) & (times < record.ended)]
    at = np.concatenate([[0], inside, [record.ended]])
    positions = np.searchsorted(times, at, side="right") - 1
    return np.where(positions >= 0, values[np.maximum(positions, 0)], 0)


def _steps(axes: Any, times: np.ndarray, values: np.ndarray, phase: str) -> None:
    style = {"color": PHASE_COLOURS[phase], "linestyle": PHASE_LINES[phase]}
    axes.step(times, values, where="post", label=f"{phase} ({values[-1]} at the end)", **style)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)


def _gpus(axes: Any, times: np.ndarray, record: RunRecord) -> None:
    used = _held(record, record.history.gpus)
    capacity = _held(record, record.history.capacity)
    axes.fill_between(times, used, step="post", color=PHASE_COLOURS["Running"], alpha=0.35)
    axes.step(times, used, where="post", color=PHASE_COLOURS["Running"], label="in use")
    axes.step(times, capacity, where="post", color=CAPACITY, linestyle=":", label="allocatable")
    axes.set_ylim(0, max(1, int(capacity.max(initial=1))) * 1.12)
    _legend_above(axes)


def _legend_above(axes: Any) -> None:
    """Put the legend where no line can run through it."""
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.98), ncols=2, borderaxespad=0.2)
