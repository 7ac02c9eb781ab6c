"""How plots look: one palette that colour-blind readers and grey printers can tell apart.

Colours are Okabe and Ito's (2008), ordered so that their lightness differs, too; where areas
touch, a hatch tells them apart as well.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHASE_COLOURS: Final = {
    "Running": "#0072b2",
    "Pending": "#e69f00",
    "Succeeded": "#56b4e9",
    "Failed": "#d55e00",
}
PHASE_LINES: Final = {"Running": "-", "Pending": "--", "Succeeded": "-.", "Failed": ":"}
CAPACITY: Final = "#444444"
IN_USE: Final = "#0072b2"
FREE: Final = "#f2f2f2"
UNUSABLE: Final = "#d55e00"
SIMULATED: Final = "simulated: control-plane decisions only, no CUDA"
MEASURED: Final = "recorded from a cluster: control-plane decisions only"
SETTINGS: Final[Any] = {
    "font.size": 14,
    "axes.titlesize": 16,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "hatch.linewidth": 0.6,
    "lines.linewidth": 2.5,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 150,
}


class Look(NamedTuple):
    """How one series is drawn.

    Attributes:
        colour: Its colour.
        hatch: Its pattern where it fills an area.
        line: Its line style: a name, or matplotlib's (offset, (dash, gap, ...)).
    """

    colour: str
    hatch: str
    line: str | tuple[int, tuple[int, ...]]


LOOKS: Final = (
    Look("#0072b2", "", "-"),
    Look("#e69f00", "///", "--"),
    Look("#d55e00", "\\\\\\", ":"),
    Look("#56b4e9", "...", "-."),
    Look("#009e73", "xxx", (0, (5, 1))),
    Look("#f0e442", "---", (0, (1, 2))),
    Look("#cc79a7", "|||", (0, (3, 1, 1, 1))),
)
OTHERS: Final = Look("#999999", "oo", "-")


def looks(names: Iterable[str]) -> Mapping[str, Look]:
    """Return a look for each name, in order; those that come late share the grey one."""
    return {
        name: LOOKS[index] if index < len(LOOKS) else OTHERS for index, name in enumerate(names)
    }


def new_figure(width: float = 8.5, height: float = 5.0) -> "Figure":
    """Return an empty figure of slide size that no window or backend knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
