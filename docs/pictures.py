"""Draw the documentation's pictures (`make pictures`): plots, and the report page in Chromium."""

from pathlib import Path
from tempfile import TemporaryDirectory

from gpusched.report.page import write_page
from gpusched.report.plots import all_plots
from tests.report.browser import MISSING, browser, installed
from tests.report.worlds import busy_hour, queue_pressure, scenario_run

FOLDER = Path(__file__).parent / "pictures"


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    lesson = scenario_run("scenarios/lesson_all.yaml")
    worlds = {"queue_pressure": queue_pressure(), "busy_hour": busy_hour(), "lesson_all": lesson}
    wanted = {"queue_pressure": ("pending", "gantt"), "lesson_all": ("reasons",)}
    for world, record in worlds.items():
        for name in wanted.get(world, tuple(all_plots())):
            figure = all_plots()[name](record)
            figure.savefig(FOLDER / f"{world}_{name}.png", dpi=100, metadata={"Software": None})
    if installed():
        photograph()
    else:
        print(f"page_busy_hour.png is left as it is. {MISSING}")


def photograph() -> None:
    """Take the picture of the report page with a pod under the mouse."""
    with TemporaryDirectory() as folder, browser() as session:
        page = Path(folder) / "page.html"
        write_page(busy_hour(), page)
        session.resize(1180, 1060)
        session.open(page)
        lives = busy_hour().lives
        largest = max(range(len(lives)), key=lambda index: lives[index].gpus)
        script = """
            const {timeline} = window.report, at = timeline.place(arguments[0]);
            const box = timeline.canvas.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        """
        session.mouse("mouseMoved", *session.run(script, largest))
        session.screenshot(FOLDER / "page_busy_hour.png", whole=False)


if __name__ == "__main__":
    main()
