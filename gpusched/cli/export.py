"""``gpusched export``: a run's objects for kubectl, or its writes for KWOK."""

from pathlib import Path

import click

from gpusched.cli.parameters import DURATION
from gpusched.cli.saved import check_moment, newest_run
from gpusched.kubectl.formats import object_printer
from gpusched.kubectl.yaml_text import to_yaml
from gpusched.run.exporting import manifests
from gpusched.run.kwok_stream import kwok_stream
from gpusched.run.saving import open_run


@click.command()
@click.argument("run", required=False, metavar="[RUN]", type=click.Path(path_type=Path))
@click.option("--at", type=DURATION, metavar="TIME", help="When, e.g. 90s, instead of the end.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml")
@click.option(
    "--format",
    "form",
    type=click.Choice(["manifests", "kwok"]),
    default="manifests",
    show_default=True,
    help="manifests: a List that kubectl apply takes. kwok: a recording for kwokctl snapshot "
    "replay, which gpusched run reads, too.",
)
def export(run: Path | None, at: int | None, output: str, form: str) -> None:
    """Write RUN's objects as a user would have to create them, or all its writes as KWOK records.

    RUN is the folder of a saved run, by default the newest one below the current folder.
    """
    if form == "kwok" and (at is not None or output == "json"):
        raise click.UsageError("--format kwok is YAML and holds the whole run: leave out --at, -o")
    record = open_run(run or newest_run())
    check_moment(record, at)
    if form == "kwok":
        for document in kwok_stream(record):
            click.echo("---\n" + to_yaml(document), nl=False)
        return
    click.echo(object_printer(output)(manifests(record.moment(at))), nl=False)
