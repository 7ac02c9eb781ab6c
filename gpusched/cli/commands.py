"""The table of commands; each is imported only when it is called."""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import click
from typing_extensions import override

from gpusched.errors import Fault, GpuschedError, InvalidInputError, InvariantError
from gpusched.version import __version__

INTERRUPTED: Final = 130


class Entry(NamedTuple):
    """One command.

    Attributes:
        module: Where it lives, under ``gpusched.cli``.
        attribute: Its name there.
        help: One line for the list of commands.
    """

    module: str
    attribute: str
    help: str


COMMANDS: Final[Mapping[str, Entry]] = {
    "run": Entry("run", "run", "Play a scenario in virtual time."),
    "check": Entry("check", "check", "Play scenarios and compare with what they expect."),
    "get": Entry("views", "get", "Show objects of a run, as kubectl get."),
    "describe": Entry("views", "describe", "Show objects of a run in detail, as kubectl describe."),
    "events": Entry("views", "events", "Show events of a run, as kubectl events."),
    "rollout": Entry("views", "rollout", "Show how a rollout stands, as kubectl rollout status."),
    "top": Entry("views", "top", "Answer as kubectl top does without a metrics server."),
    "explain": Entry("explain", "explain", "Say why a pod is where it is, or waits."),
    "evidence": Entry("evidence", "evidence", "Write the evidence folder and report of a run."),
    "report": Entry("report", "report", "Show a run in numbers, pictures or one page."),
    "export": Entry("export", "export", "Write a run's objects for kubectl or KWOK."),
    "decide": Entry("decide", "decide", "Decide single pods, without time."),
    "timeline": Entry("timeline", "timeline", "Play recorded timelines."),
    "live": Entry("live", "live", "Play a scenario on a real cluster."),
    "validate": Entry(
        "validate", "validate", "Check manifests, fleets, scenarios, configurations."
    ),
    "version": Entry("version", "version", "Print versions of gpusched and what it stands on."),
    "completion": Entry("completion", "completion", "Print shell completion."),
}


class _Commands(click.Group):
    """A group that imports a command when it is needed, and words what users get wrong."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, entry in COMMANDS.items() if find_spec(_module(entry))]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None or find_spec(_module(entry)) is None:
            return None
        command: click.Command = getattr(import_module(_module(entry)), entry.attribute)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InvariantError:
            raise
        except GpuschedError as error:
            _complain(error)
            ctx.exit(1)
        except OSError as error:
            click.echo(f"error: {error.filename or 'file'}: {error.strerror or error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def _module(entry: Entry) -> str:
    return f"gpusched.cli.{entry.module}"


def _complain(error: GpuschedError) -> None:
    faults = error.faults if isinstance(error, InvalidInputError) else (error,)
    for fault in faults:
        click.echo(f"error: {fault}", err=True)


def warn(notes: Iterable[Fault]) -> None:
    """Tell what does not stop a command, but should be known."""
    for note in notes:
        click.echo(f"warning: {note}", err=True)


def _colours() -> bool | None:
    """Return False where nobody wants colour; None leaves it to whether there is a terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gpusched", message="%(prog)s %(version)s")
@click.pass_context
def gpusched(ctx: click.Context) -> None:
    """Simulate Kubernetes GPU scheduling: the decisions of kube-scheduler 1.36, without a cluster.

    Try: gpusched run scenarios/queue_pressure.yaml
    """
    ctx.color = _colours()
    if hasattr(sys.stdout, "reconfigure"):  # the same bytes in every locale
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
