"""Draw the pictures that ``tests/report/test_plots.py`` compares with: look at them, then commit.

Run as ``python -m tools.draw_baseline`` from the repository's folder.
"""

from gpusched.report.plots import all_plots
from tests.report.test_plots import BASELINE, CASES, drawn


def main() -> None:
    """Draw them all."""
    for name, world in CASES:
        path = BASELINE / f"{world.__name__}_{name}.png"
        drawn(all_plots()[name], world(), path)
        print(path)


if __name__ == "__main__":
    main()
