"""``gpusched decide``: what kube-scheduler decides in given cases."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import click

from gpusched.api.load import load
from gpusched.decide import (
    Answer,
    MalformedCaseError,
    Settings,
    TieBreak,
    answer,
    answers,
    as_table,
    case_of_manifests,
    numbered_lines,
)
from gpusched.decide.settings import ENGINES
from gpusched.errors import GpuschedError

_FORMATS: Final = ("json", "table", "wide")


@click.command()
@click.argument("cases", required=False)
@click.option(
    "-o",
    "--output",
    default="json",
    metavar="FILE|json|table|wide",
    help="A file for JSON lines, or how to print to standard output.",
)
@click.option(
    "--tie-break",
    type=click.Choice([choice.value for choice in TieBreak]),
    default=TieBreak.KUBE.value,
    show_default=True,
    help="Who is chosen among the best nodes.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of --tie-break random.")
@click.option("--engine", type=click.Choice(ENGINES), default="scan", show_default=True)
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=1, help="Number of processes.")
@click.option("--objects", multiple=True, metavar="FILE", help="Manifests of what is there.")
@click.option("--pending", multiple=True, metavar="FILE", help="Manifests of the pods to decide.")
@click.option("--config", metavar="FILE", help="A KubeSchedulerConfiguration for the manifests.")
def decide(  # noqa: PLR0913 - one parameter for each option
    cases: str | None,
    *,
    output: str,
    tie_break: str,
    seed: int,
    engine: str,
    jobs: int,
    objects: tuple[str, ...],
    pending: tuple[str, ...],
    config: str | None,
) -> None:
    """Decide CASES (JSON lines, plain or gzipped, - for standard input) as kube-scheduler does.

    Instead of CASES, --objects and --pending name manifests of a cluster and of the pods to decide.
    Without --pending the unbound pods among the objects are decided. The exit status is 1 if a case
    is malformed.
    """
    if bool(cases) == bool(objects):
        raise click.UsageError("give either CASES or --objects")
    settings = Settings(TieBreak(tie_break), engine, seed)
    try:
        if cases:
            found = answers(numbered_lines(cases), settings, jobs)
        else:
            found = iter([_from_manifests(objects, pending, config, settings)])
        malformed = _write(found, output)
    except (GpuschedError, OSError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(1 if malformed else 0)


def _from_manifests(
    objects: tuple[str, ...],
    pending: tuple[str, ...],
    config: str | None,
    settings: Settings,
) -> Answer:
    there = [manifest.object for manifest in load(objects)]
    queue = [manifest.object for manifest in load(pending)] if pending else None
    text = Path(config).read_text(encoding="utf-8", errors="replace") if config else ""
    try:
        return answer(case_of_manifests(there, queue, text), settings)
    except MalformedCaseError as error:
        raise click.ClickException(str(error)) from None


def _write(found: Iterator[Answer], output: str) -> bool:
    """Print answers as they come; return whether a case was malformed."""
    malformed = False
    with _target(output) as target:
        for one in found:
            malformed = malformed or one.malformed
            text = json.dumps(one.expect, ensure_ascii=False)
            if output in _FORMATS and output != "json":
                text = as_table(one.expect, wide=output == "wide")
            target.write(text + "\n")
    return malformed


@contextmanager
def _target(output: str) -> Iterator[IO[str]]:
    if output in (*_FORMATS, "-"):
        yield sys.stdout
        return
    with Path(output).open("w", encoding="utf-8") as file:
        yield file
