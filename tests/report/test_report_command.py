"""``gpusched report`` as its user sees it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gpusched.cli.report import report
from gpusched.run.saving import save
from tests.report.worlds import two_nodes

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "two-nodes"
    save(two_nodes(), folder)
    return folder


def called(*arguments: object) -> Result:
    return CliRunner().invoke(report, [str(argument) for argument in arguments])


def test_json_holds_every_measure(saved: Path) -> None:
    found = json.loads(called(saved, "-o", "json").stdout)
    values = {(row["measure"], row["of"]): row["value"] for row in found["measures"]}
    assert values["gpu_allocation_ratio", ""] == 0.4375
    assert (found["scenario"], found["seed"]) == ("two-nodes", 1)


def test_csv_can_be_read_back(saved: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(called(saved, "-o", "csv").stdout)))
    assert {"measure": "makespan", "of": "", "value": "15.0", "unit": "seconds"} in rows


def test_markdown_is_a_table_that_says_what_it_does_not_prove(saved: Path) -> None:
    text = called(saved, "-o", "md").stdout
    assert text.startswith("# two-nodes (seed 1)\n\n| measure | of | value | unit |\n")
    assert "| makespan |  | 15.0 | seconds |" in text
    assert text.endswith(
        "Control-plane decisions only: no CUDA, drivers, NVLink, isolation or telemetry.\n"
    )


def test_the_table_is_what_is_printed_without_options(saved: Path) -> None:
    assert called(saved).stdout.startswith("MEASURE ")


def test_files_are_written_and_nothing_is_printed_on_standard_output(
    saved: Path, tmp_path: Path
) -> None:
    page, trace, plots = (tmp_path / name for name in ("r.html", "t.json", "plots"))
    done = called(saved, "--html", page, "--chrome-trace", trace, "--plots", plots)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"Wrote {page}\nWrote {trace}\nWrote {plots}\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(list(plots.glob("*.png"))) == 8
