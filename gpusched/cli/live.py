"""``gpusched live``: the same scenario on a real cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from gpusched.api.scenario import load_scenario
from gpusched.cli.commands import INTERRUPTED
from gpusched.cli.parameters import DURATION
from gpusched.cli.summary import summary
from gpusched.face import Run
from gpusched.live.capturing import capture as capture_cluster
from gpusched.live.capturing import write
from gpusched.live.cleaning import clean as clean_cluster
from gpusched.live.clock import now
from gpusched.live.cluster import Cluster, connect
from gpusched.live.comparing import TOLERANCE, Comparison
from gpusched.live.comparing import compare as compare_worlds
from gpusched.live.playing import Pace
from gpusched.live.preparing import Preparation
from gpusched.live.session import LiveRun, play_live
from gpusched.run.result import result_of
from gpusched.run.saving import check_folder

_SETTLE: Final = 5_000_000
_EPILOG: Final = (
    "Exit status: 0 done, 1 a file or the cluster is wrong or the worlds differ, 2 usage,"
    " 130 interrupted."
)


def _cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add how the cluster is named: never by the current context."""
    given = click.option(
        "--kubeconfig", metavar="FILE", help="The kubeconfig.  [default: kubectl's]"
    )
    named = click.option("--context", metavar="NAME", help="Its context; needed if it has several.")
    return given(named(command))


def _play_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add how a scenario is played."""
    prefix = click.option("--namespace-prefix", metavar="TEXT", help="Put before every namespace.")
    settle = click.option(
        "--settle",
        type=DURATION,
        default=_SETTLE,
        show_default="5s",
        help="End once nothing has changed for so long.",
    )
    whole = click.option("--whole", is_flag=True, help="Play to the scenario's end.")
    configured = click.option(
        "--configured",
        is_flag=True,
        help="Scheduler and KWOK there are configured as the scenario says.",
    )
    kwok = click.option(
        "--kwok",
        metavar="COMMAND",
        default="",
        help="Ends and starts KWOK processes there: 'stop NAME' or 'start NAME' is put behind it.",
    )
    return prefix(settle(whole(configured(kwok(command)))))


@click.group(epilog=_EPILOG)
def live() -> None:
    """Play a scenario on a real cluster, compare it with its simulation, capture a cluster.

    All that is created carries the label gpusched.dev/live and is taken away at the end; what was
    there before is never touched. KWOK must manage nodes with its usual annotation.
    """


@live.command(epilog=_EPILOG)
@click.argument("scenario", metavar="SCENARIO")
@_cluster_options
@_play_options
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Keep the run here.")
def play(scenario: str, *, out: Path | None, **options: Any) -> None:
    """Play SCENARIO on a cluster and print what came out."""
    if out is not None:
        check_folder(out)
    played = _play(scenario, **options)
    if out is not None:
        Run(played.record).save(out)
    click.echo(summary(result_of(played.record)), nl=False)
    if played.record.interrupted:
        click.get_current_context().exit(INTERRUPTED)


@live.command(epilog=_EPILOG)
@click.argument("scenario", metavar="SCENARIO")
@_cluster_options
@_play_options
@click.option(
    "--exact", is_flag=True, help="Its scheduler runs at parallelism: 1: compare each node."
)
@click.option(
    "--tolerance", type=float, default=TOLERANCE, show_default=True, help="Of times, seconds."
)
def compare(scenario: str, *, exact: bool, tolerance: float, **options: Any) -> None:
    """Play SCENARIO on a cluster and in the simulator, and print where the two differ.

    The simulator plays it with both of its engines, which must agree byte for byte.
    """
    played = _play(scenario, **options)
    if played.record.interrupted:
        click.get_current_context().exit(INTERRUPTED)
    comparison = compare_worlds(played, exact=exact, tolerance=tolerance)
    _print(comparison, played)
    click.get_current_context().exit(0 if comparison.agrees else 1)


@live.command(epilog=_EPILOG)
@_cluster_options
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="The fleet.",
)
@click.option("--with-pods", is_flag=True, help="Take pods and what they refer to, too.")
def capture(*, kubeconfig: str | None, context: str | None, output: Path, with_pods: bool) -> None:
    """Write what a cluster's scheduler reads: a fleet, and a scenario beside it."""
    captured = capture_cluster(connect(kubeconfig, context), with_pods=with_pods)
    scenario = write(captured, output)
    click.echo(f"Wrote {output} and {scenario}", err=True)


@live.command(epilog=_EPILOG)
@_cluster_options
def clean(*, kubeconfig: str | None, context: str | None) -> None:
    """Take away what plays have left behind, found by its label."""
    for name in clean_cluster(connect(kubeconfig, context)):
        click.echo(f"{name} deleted")


def _play(  # noqa: PLR0913 - one parameter for each option
    scenario: str,
    *,
    kubeconfig: str | None,
    context: str | None,
    namespace_prefix: str | None,
    settle: int,
    whole: bool,
    configured: bool,
    kwok: str,
) -> LiveRun:
    found = load_scenario(scenario)
    cluster = connect(kubeconfig, context)
    name = f"{now() // 1000:x}"
    prefix = f"gpusched-{name}-" if namespace_prefix is None else namespace_prefix
    _warn_of_others(cluster)
    how = Preparation(name, prefix, configured, kwok)
    return play_live(cluster, found, how, Pace(settle=settle, whole=whole))


def _warn_of_others(cluster: Cluster) -> None:
    others = [node["metadata"]["name"] for node in cluster.read_all("Node")]
    if others:
        words = (
            f"{', '.join(others)}: nodes that are there already can be given pods of the scenario"
        )
        click.echo(f"warning: {words}", err=True)


def _print(comparison: Comparison, played: LiveRun) -> None:
    for difference in comparison.differences:
        click.echo(str(difference))
    if comparison.engines is not None:
        click.echo(str(comparison.engines))
    counts = ", ".join(f"{count} {what}" for what, count in comparison.compared.items())
    verdict = (
        f"{len(comparison.differences)} differences" if comparison.differences else "No differences"
    )
    click.echo(f"{verdict} in {played.record.name}; compared: {counts}")
