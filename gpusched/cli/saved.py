"""Which saved run a command is about: the one that is named, or the newest below this folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from gpusched.errors import Fault, InvalidInputError
from gpusched.run.record import RunRecord
from gpusched.run.saving import JOURNAL, open_run
from gpusched.sim.calendar import SECOND

_DEPTH: Final = 3
"""How many folders deep runs are looked for."""


run_option: Final = click.option(
    "--run",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder of a saved run.  [default: the newest one below the current folder]",
)
"""The option by which a command is told its run."""


def chosen_run(folder: Path | None) -> RunRecord:
    """Return the run in ``folder``, or the newest one.

    Raises:
        InvalidInputError: There is none, or it cannot be read.
    """
    return open_run(folder or newest_run())


def check_moment(record: RunRecord, at: int | None) -> None:
    """Refuse a moment that was never played.

    Raises:
        InvalidInputError: It lies after the end of the run.
    """
    if at is not None and at > record.ended:
        told = f"--at {at / SECOND:g}s: the run ends at {record.ended / SECOND:g}s"
        raise InvalidInputError([Fault(f"{told}; play it longer with --until")])


def newest_run(below: Path = Path()) -> Path:
    """Return the folder of the run that was written last.

    Raises:
        InvalidInputError: There is none.
    """
    found = [((folder / JOURNAL).stat().st_mtime_ns, str(folder)) for folder in _runs(below)]
    if not found:
        words = "no saved run below the current folder; make one: gpusched run SCENARIO --out DIR"
        raise InvalidInputError([Fault(words)])
    return Path(max(found)[1])


def _runs(below: Path) -> Iterator[Path]:
    """Yield the folders of runs; folders that may not be read are passed over."""
    for path, folders, files in os.walk(below):
        folder = Path(path)
        if JOURNAL in files:
            yield folder
        deep = len(folder.relative_to(below).parts) >= _DEPTH
        inside = [] if deep or JOURNAL in files else sorted(folders)
        folders[:] = [name for name in inside if not name.startswith(".")]
