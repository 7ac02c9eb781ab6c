"""``gpusched check``: scenarios and what they expect, for somebody's CI."""

import json
from dataclasses import asdict
from typing import Any

import click

from gpusched.api.scenario import Scenario, load_scenario
from gpusched.cli.commands import warn
from gpusched.cli.progress import loading
from gpusched.cli.summary import difference_line
from gpusched.errors import Fault, InvalidInputError
from gpusched.run.expectations import differences
from gpusched.run.playing import PlayOptions, play
from gpusched.run.recording import record_of
from gpusched.run.unplayed import notes_of


@click.command(epilog="Exit status: 0 as expected, 1 not as expected or a file is wrong, 2 usage.")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--seed", type=click.IntRange(min=0, max=2**63 - 1), help="Not the scenarios' seeds.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
@click.pass_context
def check(ctx: click.Context, scenarios: tuple[str, ...], seed: int | None, output: str) -> None:
    """Play each SCENARIO and compare what comes out with its expect block."""
    results = [_checked(name, seed) for name in scenarios]
    failed = [result for result in results if not result["passed"]]
    if output == "json":
        summary = {"tests": len(results), "failures": len(failed), "cases": results}
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        for result in results:
            _tell(result)
        click.echo(f"{len(results) - len(failed)} of {len(results)} scenarios as expected")
    ctx.exit(1 if failed else 0)


def _checked(name: str, seed: int | None) -> dict[str, Any]:
    """Return one scenario's case; a file that cannot be used is a failure like any other."""
    try:
        with loading() as tell:
            scenario = load_scenario(name, tell)
        _require_expectations(scenario)
        warn(notes_of(scenario))
        record = record_of(play(scenario, PlayOptions(seed=seed)))
    except InvalidInputError as error:
        faults = [str(fault) for fault in error.faults]
        return {"file": name, "scenario": "", "passed": False, "errors": faults, "differences": []}
    found = [asdict(difference) for difference in differences(record)]
    return {
        "file": name,
        "scenario": scenario.name,
        "passed": not found,
        "errors": [],
        "differences": found,
    }


def _require_expectations(scenario: Scenario) -> None:
    if scenario.expect is None:
        words = "spec.expect: Required value: there is nothing to check"
        raise InvalidInputError([Fault(words, scenario.file)])


def _tell(result: dict[str, Any]) -> None:
    passed = result["passed"]
    mark = click.style("ok  ", fg="green") if passed else click.style("FAIL", fg="red", bold=True)
    click.echo(f"{mark} {result['file']}")
    for error in result["errors"]:
        click.echo(f"     {error}")
    for difference in result["differences"]:
        click.echo(f"     {difference_line(difference)}")
