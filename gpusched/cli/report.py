"""``gpusched report``: a saved run in numbers, pictures, one HTML page, or a trace."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from gpusched.report.measures import measures, measures_table
from gpusched.report.page import write_page
from gpusched.report.plots import all_plots
from gpusched.report.trace import write_trace
from gpusched.run.record import RunRecord
from gpusched.run.saving import open_run

CAVEAT: Final = "Control-plane decisions only: no CUDA, drivers, NVLink, isolation or telemetry."


def _as_table(record: RunRecord) -> str:
    return f"{measures_table(record)!r}\n\n{CAVEAT}\n"


def _as_json(record: RunRecord) -> str:
    rows = [
        {"measure": m.name, "of": m.of, "value": m.value, "unit": m.unit} for m in measures(record)
    ]
    head = {"scenario": record.name, "seed": record.seed, "simulated": record.simulated}
    return json.dumps({**head, "proves": CAVEAT, "measures": rows}, indent=2) + "\n"


def _as_csv(record: RunRecord) -> str:
    return measures_table(record).to_csv()


def _as_markdown(record: RunRecord) -> str:
    head = f"# {record.name} (seed {record.seed})"
    columns = "\n| measure | of | value | unit |\n|---|---|--:|---|"
    rows = (
        f"| {m.name} | {m.of} | {'' if m.value is None else m.value} | {m.unit} |"
        for m in measures(record)
    )
    return "\n".join((head, columns, *rows, "", CAVEAT, ""))


FORMATS: Final[Mapping[str, Callable[[RunRecord], str]]] = {
    "table": _as_table,
    "json": _as_json,
    "csv": _as_csv,
    "md": _as_markdown,
}


@click.command(epilog="Exit status: 0 done, 1 RUN is not a saved run, 2 usage.")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Choice(list(FORMATS)), help="Print measures.  [default: table]"
)
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page.")
@click.option(
    "--chrome-trace",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a trace for ui.perfetto.dev or chrome://tracing.",
)
@click.option(
    "--plots", metavar="DIR", type=click.Path(path_type=Path), help="Write all plots as PNG."
)
def report(
    run: Path,
    *,
    output: str | None,
    html: Path | None,
    chrome_trace: Path | None,
    plots: Path | None,
) -> None:
    """Report on RUN, a folder that `gpusched run --out` made.

    Without options the measures are printed; docs/reference/metrics.md defines each of them.
    """
    record = open_run(run)
    for path, write in ((html, write_page), (chrome_trace, write_trace), (plots, _draw)):
        if path is not None:
            write(record, path)
            click.echo(f"Wrote {path}", err=True)
    if output or not (html or chrome_trace or plots):
        click.echo(FORMATS[output or "table"](record), nl=False)


def _draw(record: RunRecord, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in all_plots().items():
        plot(record).savefig(folder / f"{name}.png", metadata={"Software": None})
