"""``gpusched get``, ``describe``, ``events``, ``rollout``, ``top``: kubectl's words over a run."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from gpusched.cli.parameters import DURATION
from gpusched.cli.saved import check_moment, chosen_run, run_option
from gpusched.kubectl import Output, watch
from gpusched.kubectl import run as kubectl

_PLAIN: Final = {
    "ignore_unknown_options": True,  # every flag but our own is kubectl's, in kubectl's words
    "allow_interspersed_args": True,
    "help_option_names": ["--help"],
}
_WATCH: Final = ("-w", "--watch", "--watch=true", "--watch-only", "--watch-only=true")


def _view(name: str, help_text: str) -> click.Command:
    """Return the command that answers as ``kubectl NAME`` does."""

    @click.command(name, help=help_text, context_settings=_PLAIN)
    @run_option
    @click.option(
        "--at", type=DURATION, metavar="TIME", help="When to look, e.g. 90s, instead of the end."
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[KUBECTL ARGUMENTS]...")
    def command(folder: Path | None, at: int | None, words: tuple[str, ...]) -> None:
        record = chosen_run(folder)
        check_moment(record, at)
        argv = [name, *words]
        if any(word in _WATCH for word in words):
            outputs = watch(record.states(at or 0), argv)
        else:
            outputs = iter([kubectl(record.moment(at), argv)])
        sys.exit(_write(outputs))

    return command


def _write(outputs: Iterator[Output]) -> int:
    status = 0
    for output in outputs:
        click.echo(output.stdout, nl=False)
        click.echo(output.stderr, nl=False, err=True)
        status = max(status, output.exit_status)
    return status


def _help(verb: str, examples: Sequence[str]) -> str:
    lines = "\n\n".join(f"  gpusched {example}" for example in examples)
    return (
        f"{verb} of a saved run in kubectl's words: its arguments, columns, messages and exit "
        "status. TIME and everything shown is virtual.\n\nExamples:\n\n" + lines
    )


get = _view(
    "get",
    _help(
        "Show objects",
        ("get nodes", "get pods -n gpu-demo -o wide --at 90s", "get pods -A -w --run runs/lesson"),
    ),
)
describe = _view("describe", _help("Describe objects", ("describe pod -n gpu-demo NAME",)))
events = _view("events", _help("Show events", ("events -n gpu-demo --for pod/NAME",)))
rollout = _view("rollout", _help("Show a rollout", ("rollout status -n gpu-demo deploy/NAME",)))
top = _view("top", _help("Show what kubectl top says without a metrics server", ("top nodes",)))
