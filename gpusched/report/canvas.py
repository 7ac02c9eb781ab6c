"""What all plots of a run share: the figure, the axis of time, the note, the legend."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from gpusched.report.steps import Ints, Steps
from gpusched.report.style import CAPACITY, MEASURED, SETTINGS, SIMULATED, Look, new_figure
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import SECOND

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
_UNITS: Final = ((7200, 3600, "hours"), (600, 60, "minutes"), (0, 1, "seconds"))
MAX_LABEL: Final = 44


@dataclass(frozen=True, slots=True)
class Clock:
    """Microseconds in the unit that fits a run's length.

    Attributes:
        length: Microseconds of one unit.
        unit: The unit's name.
    """

    length: int
    unit: str

    @classmethod
    def fitting(cls, micros: int) -> Self:
        """Return the clock for a length of time.

        >>> Clock.fitting(90 * 60 * SECOND).unit
        'minutes'
        """
        _, length, unit = next(row for row in _UNITS if micros >= row[0] * SECOND)
        return cls(length * SECOND, unit)

    def __call__(self, micros: Any) -> Any:
        """Return a time, or an array of times, in this unit."""
        return np.asarray(micros) / self.length


@contextmanager
def drawing(record: RunRecord, height: float = 5.6) -> Iterator[tuple["Figure", Clock]]:
    """Give a figure in our style and the run's clock; note at the end what the run is."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        figure = new_figure(height=height)
        yield figure, Clock.fitting(record.ended)
        note = SIMULATED if record.simulated else MEASURED
        figure.supxlabel(note, x=0.995, ha="right", fontsize=9, color=CAPACITY)


def time_axis(axes: Any, clock: Clock, record: RunRecord) -> None:
    """Label the axis of time from t = 0 to the end."""
    axes.set_xlabel(f"{clock.unit} of virtual time")
    axes.set_xlim(0, max(clock(record.ended), 1e-9))


def whole_numbers(axes: Any, top: float) -> None:
    """Let the upright axis count from 0 in whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 4, 5, 8, 10]))
    axes.set_ylim(0, max(1.0, top) * 1.06)


def stacked(
    axes: Any, clock: Clock, columns: Mapping[str, Steps], looks: Mapping[str, Look]
) -> None:
    """Draw steps on top of each other, the first at the bottom."""
    if not columns:
        return
    times = np.unique(np.concatenate([column.times for column in columns.values()]))
    below: Ints = np.zeros(len(times), np.int64)
    for name, column in columns.items():
        above = below + column.at(times)
        look = looks[name]
        style = {"facecolor": look.colour, "hatch": look.hatch, "edgecolor": "white"}
        axes.fill_between(
            clock(times), below, above, step="post", label=shortened(name), linewidth=0, **style
        )
        axes.step(clock(times), above, where="post", color="#333333", linewidth=0.8)
        below = above
    whole_numbers(axes, float(below.max(initial=1)))


def stepped(axes: Any, clock: Clock, column: Steps, look: Look, label: str) -> None:
    """Draw one line of steps."""
    style = {"color": look.colour, "linestyle": look.line}
    axes.step(clock(column.times), column.values, where="post", label=label, **style)


def legend_above(axes: Any, columns: int = 3) -> None:
    """Put the legend over the axes, where no line can run through it."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns,
            borderaxespad=0.2,
            fontsize=11,
            handlelength=1.8,
        )


def shortened(text: str) -> str:
    """Return a label that fits a slide.

    >>> len(shortened("x" * 100)) == MAX_LABEL
    True
    """
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
