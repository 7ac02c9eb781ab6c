"""``gpusched timeline``: play a recorded timeline's input, write one run in the recorded schema."""

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from gpusched.cli.parameters import EPILOG
from gpusched.cli.timeline_faults import faults_of
from gpusched.errors import Fault, InvalidInputError
from gpusched.kube.engine import ENGINES
from gpusched.kubectl.run import run as run_kubectl
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import MODELS, RECORDED
from gpusched.timeline.player import play
from gpusched.timeline.scheduling import KubeScheduler
from gpusched.timeline.script import Script, read_script
from gpusched.timeline.view import PlaneView

_PACKED: Final = ".gz"


@click.command(epilog=EPILOG)
@click.argument("name", metavar="NAME.yaml", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="OUT.json",
    default="-",
    show_default="standard output",
    help="Where to write the run; a name that ends in .gz is packed.",
)
@click.option(
    "--latency",
    type=click.Choice(list(MODELS)),
    default=RECORDED.name,
    show_default=True,
    help="How long requests, watches and KWOK take.",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**63 - 1), default=0, show_default=True)
@click.option("--engine", type=click.Choice(list(ENGINES)), default="auto", show_default=True)
def timeline(name: Path, *, output: str, latency: str, seed: int, engine: str) -> None:
    """Play the input of a recorded timeline in virtual time and write what happened.

    The run has the schema of the recordings' runs: records, scheduler_log, steps with the API
    server's and kubectl's own answers, metrics, and the state at the end.
    """
    script = _script(name)
    run = play(
        script, partial(KubeScheduler, engine=engine), MODELS[latency], seed, answer_of_kubectl
    )
    _write(run, output)


def answer_of_kubectl(words: Sequence[str], plane: ControlPlane) -> dict[str, Any]:
    """Answer a kubectl command that only prints, as a timeline's steps keep it."""
    answer = run_kubectl(PlaneView(plane), words)
    return {"rc": answer.exit_status, "stdout": answer.stdout, "stderr": answer.stderr}


def _script(path: Path) -> Script:
    try:
        script = read_script(path)
    except FileNotFoundError:
        raise _fault("no such file; is its name right?", path) from None
    except OSError as error:
        raise _fault(f"cannot be read: {error.strerror}", path) from None
    faults = faults_of(script, str(path))
    if faults:
        raise InvalidInputError(faults)
    return script


def _write(run: Mapping[str, Any], output: str) -> None:
    text = json.dumps(run, ensure_ascii=False) + "\n"
    if output == "-":
        click.echo(text, nl=False)
        return
    data = text.encode()
    try:
        # no time in the packed file's head: equal runs are equal files
        Path(output).write_bytes(gzip.compress(data, mtime=0) if output.endswith(_PACKED) else data)
    except OSError as error:
        raise _fault(f"cannot be written: {error.strerror}", Path(output)) from None


def _fault(words: str, path: Path) -> InvalidInputError:
    return InvalidInputError([Fault(words, str(path))])
