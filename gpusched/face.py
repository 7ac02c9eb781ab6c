"""The notebook's face: `simulate` a scenario and look at the `Run`."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpusched.api.config.duration import parse_duration
from gpusched.api.scenario import Scenario, load_scenario
from gpusched.errors import Fault, InvalidInputError
from gpusched.report import plots
from gpusched.run.playing import PlayOptions, play
from gpusched.run.record import RunRecord
from gpusched.run.recording import record_of
from gpusched.run.result import result_of
from gpusched.run.saving import Extra, open_run, save, timeline_table
from gpusched.run.table import Table
from gpusched.run.unplayed import notes_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Run:
    """A finished run. Tables show themselves in Jupyter; plots are returned, never shown.

    Attributes:
        record: What is kept of the run; everything here is read from it.
    """

    record: RunRecord

    def pods(self) -> Table:
        """Return the pods at the end, with node, phase, times in seconds and message."""
        return self.record.pods()

    def pending(self) -> Table:
        """Return the pods that still wait at the end, and why."""
        return self.record.pending()

    def events(self) -> Table:
        """Return the events, in the order in which they were written."""
        return self.record.events()

    def nodes(self) -> Table:
        """Return each node's GPUs at the end."""
        rows = []
        for name, uses in self.result()["nodes"].items():
            gpus = [use for resource, use in uses.items() if "gpu" in resource]
            free = sum(use["allocatable"] - use["requested"] for use in gpus)
            total = sum(use["allocatable"] for use in gpus)
            rows.append((name, total, total - free, free, uses["pods"]["requested"]))
        return Table(("name", "gpus", "in_use", "free", "pods"), rows, "Nodes")

    def messages(self) -> Table:
        """Return the distinct messages of waiting pods and how many pods each keeps."""
        return Table(("pods", "message"), ((n, m) for m, n in self.record.messages().items()))

    def phases(self) -> dict[str, int]:
        """Return the number of pods by phase at the end."""
        return self.record.phases()

    def timeline(self) -> Table:
        """Return counts over time; one row per instant at which one changed."""
        return timeline_table(self.record)

    def result(self) -> dict[str, Any]:
        """Return what ``gpusched run -o json`` prints."""
        return result_of(self.record)

    def plot_pending(self) -> "Figure":
        """Return pods waiting and running, and GPUs in use, over time."""
        return plots.pending(self.record)

    def save(self, folder: str | Path, *, pictures: bool = True) -> Path:
        """Write the run into a folder and return it.

        Args:
            folder: A new folder, or that of an earlier run, which is replaced.
            pictures: Whether to draw ``pending.png``, too.
        """
        extras: list[Extra] = [self._draw] if pictures else []
        save(self.record, Path(folder), extras)
        return Path(folder)

    def _draw(self, folder: Path) -> None:
        self.plot_pending().savefig(folder / "pending.png", metadata={"Software": None})

    def __repr__(self) -> str:
        """Return one line: name, seed and pods by phase."""
        phases = ", ".join(f"{count} {phase}" for phase, count in self.phases().items())
        return f"<Run {self.record.name} (seed {self.record.seed}): {phases or 'no pods'}>"

    def _repr_html_(self) -> str:
        head = Table(("phase", "pods"), self.phases().items(), self.record.name)
        return head._repr_html_() + self.messages()._repr_html_()


def simulate(
    scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    until: str | None = None,
    engine: str = "auto",
    tie_break: str = "kube",
) -> Run:
    """Play a scenario in virtual time and return the run.

    Args:
        scenario: A file, or a scenario already read.
        seed: Instead of the scenario's.
        until: Instead of the scenario's end, e.g. ``"10m"``.
        engine: ``auto``, ``scan``, ``fast`` or ``verify`` (both, stopping at a difference).
        tie_break: ``kube``, ``name`` or ``random``.

    Warns:
        UserWarning: A manifest asks for something on which nobody acts here.

    Raises:
        InvalidInputError: The scenario, a file that it names, or an argument cannot be used.

    >>> simulate("scenarios/queue_pressure.yaml").phases()
    {'Pending': 8, 'Running': 32}
    """
    found = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    for note in notes_of(found):
        warnings.warn(str(note), stacklevel=2)
    end = None if until is None else _end(until)
    options = PlayOptions(seed=seed, until=end, engine=engine, tie_break=tie_break)
    return Run(record_of(play(found, options)))


def _end(until: str) -> int:
    try:
        micros = parse_duration(until) // 1000
    except ValueError as error:
        raise InvalidInputError([Fault(f"until: {error}; write it as 90s or 1h30m")]) from None
    if micros < 0:
        raise InvalidInputError([Fault(f"until: {until} lies before the start")])
    return micros


def open_saved(folder: str | Path) -> Run:
    """Return a run that was saved with `Run.save` or ``gpusched run --out``.

    Raises:
        InvalidInputError: The folder is not a run, is damaged, or is newer than this gpusched.
    """
    return Run(open_run(Path(folder)))
