"""``python -m benchmarks``: measure shapes, with the real scheduler beside ours if it is given."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from compileall import compile_dir
from pathlib import Path
from typing import Any

import click

from benchmarks.real import measure_real
from benchmarks.report import page
from benchmarks.shapes import SHAPES

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
NAMES = (*SHAPES, "lesson")


def spread_of(values: list[float]) -> Json:
    """Return median, minimum and maximum."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def run_shape(name: str, engine: str, runs: int) -> Json:
    """Measure one shape several times, each in a process of its own."""
    found, walls = [], []
    for _ in range(runs):
        seconds, output = _run("benchmarks.measure", name, engine)
        if name == "lesson":
            seconds, _table = _run("gpusched", "run", "scenarios/queue_pressure.yaml")
        walls.append(seconds)
        found.append(json.loads(output.splitlines()[-1]))
    shape = SHAPES.get(name)
    return {
        "shape": name,
        "engine": engine,
        "nodes": shape.nodes if shape else 7,
        "pods": shape.pods if shape else 40,
        "pods_per_second": spread_of([run["pods_per_second"] for run in found]),
        "seconds": spread_of([run["seconds"] for run in found]),
        "setup_seconds": spread_of([run["setup_seconds"] for run in found]),
        "process_seconds": spread_of(walls),
        "peak_rss_mb": max(run["peak_rss_mb"] for run in found),
        "phases": found[-1]["phases"],
        "attempts": found[-1]["attempts"],
        "evaluations": found[-1]["evaluations"],
        "target": shape.target if shape else "<= 0.7 s",
    }


def _run(*command: str) -> tuple[float, str]:
    """Return what a module takes from the interpreter's start to its exit, and what it prints."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - began, done.stdout


def machine() -> Json:
    """Return what the figures were measured on."""
    cpus = Path("/proc/cpuinfo")
    names = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in names if "model name" in line), "")
    cores = sum(line.startswith("processor") for line in names)
    return {
        "cpu": model or platform.processor(),
        "cores": cores,
        "system": platform.system(),
        "python": platform.python_version(),
    }


@click.command()
@click.argument("shapes", nargs=-1, type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line per shape.")
@click.option("--runs", default=5, show_default=True, help="Runs of each shape.")
@click.option("--engine", default="auto", show_default=True)
@click.option("--real", type=click.Path(exists=True, path_type=Path), help="The Go program.")
@click.option("--write", is_flag=True, help="Write docs/reference/performance.{md,json}.")
def main(
    shapes: tuple[str, ...], as_json: bool, runs: int, engine: str, real: Path | None, write: bool
) -> None:
    """Measure shapes; with --real the real scheduler beside each, in turn with ours."""
    rows = []
    compile_dir(ROOT / "gpusched", quiet=1)  # a start is measured, not the first after a change
    for name in shapes or NAMES:
        fewer = 1 if name == "gpu-100000" and runs > 1 and not shapes else runs
        row = run_shape(name, engine, fewer)
        if real is not None and name in SHAPES:
            row["real"] = measure_real(real, SHAPES[name], row["pods_per_second"]["median"])
        rows.append(row)
        if as_json:
            print(json.dumps(row), flush=True)
        else:
            rate = row["pods_per_second"]["median"]
            beside = f", {row['real']['ratio']:.0f}x the real one" if row.get("real") else ""
            print(f"{name}: {rate:,.0f} pods/s, {row['peak_rss_mb']:.0f} MB{beside}", flush=True)
    if write:
        result = {"machine": machine(), "runs": runs, "rows": rows}
        folder = ROOT / "docs" / "reference"
        text = json.dumps(result, indent=1) + "\n"
        (folder / "performance.json").write_text(text, encoding="utf-8")
        (folder / "performance.md").write_text(page(result), encoding="utf-8")


if __name__ == "__main__":
    main()
