"""What ``gpusched run`` imports and starts: counted, since seconds are the machine's."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"api", "cli", "cluster", "controllers", "kube", "kwok", "run", "sim", "timeline"}
PACKAGES = {"click", "gpusched", "numpy", "pydantic", "pydantic_core", "simpy", "yaml"}
SCRIPT = """
import atexit, gc, json, os, sys
def tell():
    tasks = "/proc/self/task"
    threads = len(os.listdir(tasks)) if os.path.isdir(tasks) else 1
    counts = {"modules": sorted(sys.modules), "threads": threads}
    print(json.dumps({**counts, "collections": gc.get_stats()[2]["collections"]}))
atexit.register(tell)
sys.argv = ["gpusched", "run", "-q", "scenarios/queue_pressure.yaml"]
from gpusched.cli import main
main()
"""


@pytest.fixture(scope="module")
def plain_run() -> Mapping[str, Any]:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_a_plain_run_imports_only_the_rooms_that_play(plain_run: Mapping[str, Any]) -> None:
    parts = [name.split(".") for name in plain_run["modules"] if name.startswith("gpusched.")]
    rooms = {part[1] for part in parts if len(part) > 2}
    assert rooms <= ROOMS


def test_a_plain_run_imports_no_heavy_package(plain_run: Mapping[str, Any]) -> None:
    heavy = {"matplotlib", "celpy", "re2", "jsonschema", "kubernetes", "sphinx", "pandas", "PIL"}
    packages = {name.partition(".")[0] for name in plain_run["modules"]}
    assert packages >= PACKAGES
    assert not packages & heavy


def test_a_plain_run_starts_no_thread(plain_run: Mapping[str, Any]) -> None:
    assert plain_run["threads"] == 1


def test_the_collector_never_walks_all_modules(plain_run: Mapping[str, Any]) -> None:
    assert plain_run["collections"] == 0
