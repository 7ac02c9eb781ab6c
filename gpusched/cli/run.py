"""``gpusched run``: play a scenario, print what came out, keep it in a folder."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from gpusched.api.load import Tell
from gpusched.api.scenario import Scenario, load_scenario
from gpusched.cli.commands import INTERRUPTED, warn
from gpusched.cli.parameters import DURATION
from gpusched.cli.progress import Progress, loading, wanted
from gpusched.cli.summary import summary
from gpusched.kube.engine import ENGINES
from gpusched.run.kwok_scenario import is_recording, scenario_of_recording
from gpusched.run.playing import TIE_BREAKS, Played, PlayOptions, play
from gpusched.run.record import RunRecord
from gpusched.run.recording import record_of
from gpusched.run.result import result_of
from gpusched.run.saving import check_folder
from gpusched.run.unplayed import notes_of


def _as_json(result: Mapping[str, Any]) -> str:
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"


def _as_yaml(result: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(result, sort_keys=False, allow_unicode=True, width=2**20)
    return text


FORMATS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "table": summary,
    "wide": lambda result: summary(result, wide=True),
    "json": _as_json,
    "yaml": _as_yaml,
}


@click.command(epilog="Exit status: 0 done, 1 a file is wrong, 2 usage, 130 interrupted.")
@click.argument("scenario", metavar="SCENARIO")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Keep the run here.")
@click.option("--seed", type=click.IntRange(min=0, max=2**63 - 1), help="Not the scenario's seed.")
@click.option("--until", type=DURATION, help="Not the scenario's end, e.g. 90s or 2h.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(list(FORMATS)),
    help="How to print the result.  [default: table]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors and what -o asks for.")
@click.option("--engine", type=click.Choice(list(ENGINES)), default="auto", show_default=True)
@click.option("--tie-break", type=click.Choice(TIE_BREAKS), default="kube", show_default=True)
def run(  # noqa: PLR0913 - one parameter for each option
    scenario: str,
    *,
    out: Path | None,
    seed: int | None,
    until: int | None,
    output: str | None,
    quiet: bool,
    engine: str,
    tie_break: str,
) -> None:
    """Play SCENARIO in virtual time and print what came out (- for standard input).

    SCENARIO is a Scenario, or a recording that kwokctl snapshot record made.

    With --out the folder gets result.json, events.jsonl, pods.csv, timeline.csv, pending.png and
    the journal, from which get, describe, events, explain, evidence and export work. Ctrl-C ends
    the run early and keeps what was played until then.
    """
    if out is not None:
        check_folder(out)
    with loading(quiet=quiet) as tell:
        found = _scenario(scenario, tell)
    if not quiet:
        warn(notes_of(found))
    options = PlayOptions(seed=seed, until=until, engine=engine, tie_break=tie_break)
    record = record_of(_play(found, options, quiet=quiet))
    if out is not None:
        _keep(record, out)
    if output or not quiet:
        click.echo(FORMATS[output or "table"](result_of(record)), nl=False)
    if out is not None and not quiet:
        click.echo(f"Saved to {out}", err=True)
    if record.interrupted:
        click.get_current_context().exit(INTERRUPTED)


def _keep(record: RunRecord, folder: Path) -> None:
    from gpusched.face import Run  # plots are not for those who only look

    Run(record).save(folder)


def _scenario(name: str, tell: Tell | None) -> Scenario:
    """Return the scenario of a file, which may be a recording of kwokctl."""
    if is_recording(name):
        return scenario_of_recording(name, tell)
    return load_scenario(name, tell)


def _play(scenario: Scenario, options: PlayOptions, *, quiet: bool) -> Played:
    if not wanted(quiet=quiet):
        return play(scenario, options)
    progress = Progress(scenario.until if options.until is None else options.until)
    try:
        return play(scenario, options.reporting_to(progress))
    finally:
        progress.close()
