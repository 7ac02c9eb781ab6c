"""``gpusched evidence``: the lesson's evidence folder and its report."""

from collections.abc import Iterable
from pathlib import Path

import click

from gpusched.cli.saved import newest_run
from gpusched.errors import Fault, InvalidInputError
from gpusched.kubectl.evidence import (
    REPORT_NAME,
    Environment,
    EvidenceFile,
    collect,
    console,
    write_report,
)
from gpusched.run.saving import open_run
from gpusched.version import __version__


@click.command()
@click.argument("run", required=False, metavar="[RUN]", type=click.Path(path_type=Path))
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A new or empty folder.  [default: evidence-NAME beside RUN, numbered if it exists]",
)
def evidence(run: Path | None, folder: Path | None) -> None:
    """Write what kubectl shows of RUN, and a report with verdicts by rule.

    RUN is the folder of a saved run, by default the newest one below the current folder. Nothing
    that exists is ever overwritten.
    """
    source = run or newest_run()
    record = open_run(source)
    target = folder or _free(source.parent / f"evidence-{record.name}")
    moment = record.moment()
    files = collect(moment)
    environment = Environment(evidence=str(target), simulator=f"gpusched {__version__}")
    _write(target, files, write_report(moment, environment))
    click.echo(console(str(target), files, str(target / REPORT_NAME)), nl=False)


def _free(wanted: Path) -> Path:
    """Return a folder that does not exist: ``wanted``, or with the first free number behind it."""
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _write(folder: Path, files: Iterable[EvidenceFile], report: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            words = "is not empty; evidence is never overwritten, choose another folder"
            raise InvalidInputError([Fault(words, str(folder))])
        for file in files:
            (folder / file.name).write_text(file.text, encoding="utf-8")
        (folder / REPORT_NAME).write_text(report, encoding="utf-8")
    except OSError as error:
        words = f"cannot be written: {error.strerror or error}"
        raise InvalidInputError([Fault(words, str(folder))]) from None
