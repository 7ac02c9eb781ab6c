"""The documentation's pages as tests read them: their blocks, in order, and how to run them.

A ``console`` block holds commands after ``$`` and what they print. A YAML block that is a Scenario
is saved under its name before the commands that follow it run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if "notebooks" not in path.parts or path.stem == "index"
)
_BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n?", re.MULTILINE)
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        language: What stands behind the fence.
        text: What is in it.
        line: Where it begins, from 1.
    """

    language: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the commands of a console block, and what stands below each."""
    found = list(_COMMAND.finditer(block.text))
    ends = [match.start() for match in found[1:]] + [len(block.text)]
    for match, end in zip(found, ends, strict=True):
        yield match[1], block.text[match.end() : end]


def prepare(folder: Path) -> None:
    """Make a folder look like the repository to commands."""
    for name in ("scenarios", "fleets", "docs"):
        (folder / name).symlink_to(ROOT / name)
    script = f'#!/bin/sh\nexec "{sys.executable}" -m gpusched "$@"\n'
    (folder / "gpusched").write_text(script, encoding="utf-8")
    (folder / "gpusched").chmod(0o755)


def run(command: str, folder: Path) -> str:
    """Return what a command prints, errors included, as on a screen."""
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_SECONDS,
        check=False,
    )
    return done.stdout.decode()


def save_scenario(block: Block, folder: Path) -> None:
    """Save a block that is a Scenario under its name."""
    value = yaml.safe_load(block.text)
    if isinstance(value, dict) and value.get("kind") == "Scenario":
        (folder / f"{value['metadata']['name']}.yaml").write_text(block.text, encoding="utf-8")


def run_python(block: Block, names: dict[str, Any]) -> None:
    """Run a block of Python; a line that ends in ``# {…}`` must evaluate to what stands there."""
    exec(compile(block.text, f"line {block.line}", "exec"), names)
    for line in block.text.splitlines():
        code, _, expected = line.partition("  # ")
        if expected.startswith("{"):
            assert repr(eval(code, names)) == expected, line
