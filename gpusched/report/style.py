"""How plots look: one palette that colour-blind readers and grey printers can tell apart.

Colours are Okabe and Ito's (2008), ordered so that their lightness differs, too.
"""

from typing import TYPE_CHECKING, Any, Final

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
SETTINGS: Final[Any] = {
    "font.size": 13,
    "axes.titlesize": 16,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "lines.linewidth": 2.5,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 150,
}


def new_figure(width: float = 10.0, height: float = 5.6) -> "Figure":
    """Return an empty figure of slide size that no window or backend knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
