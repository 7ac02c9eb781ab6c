"""The real scheduler as a program: cases on its standard input, answers on its output."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def build(recorder: str) -> str:
    """Build the recorder's ``decide`` with Go; return the path of the program."""
    target = Path(tempfile.mkdtemp(prefix="gpusched-oracle-")) / "decide"
    command = ["go", "build", "-o", str(target), "./cmd/decide"]
    subprocess.run(command, cwd=recorder, check=True)
    return str(target)


def ask(program: str, cases: Sequence[Json]) -> list[Json]:
    """Return the answers to cases, in order.

    A case at which the program itself dies gets an answer of stage ``internal``; it is found by
    halving.
    """
    lines = "\n".join(json.dumps(case) for case in cases)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [json.loads(line) for line in done.stdout.splitlines()]
    if len(cases) == 1:
        died = done.stderr.partition("\n")[0]
        return [{"name": cases[0]["name"], "error": died, "stage": "internal", "decisions": []}]
    middle = len(cases) // 2
    return ask(program, cases[:middle]) + ask(program, cases[middle:])


def agreed(answers: Sequence[Json]) -> Json | None:
    """Return what several runs of one case have in common, or None if they contradict each other.

    Outcomes of preemption are united; a pick that varies is dropped, as in the recordings.
    """
    first, *others = answers
    for other in others:
        if not _merge(first, other):
            return None
    return first


def _merge(first: Json, other: Json) -> bool:
    if len(first["decisions"]) != len(other["decisions"]):
        return False
    for one, two in zip(first["decisions"], other["decisions"], strict=True):
        if one.get("picked") != two.get("picked"):
            one.pop("picked", None)
        known = one.get("nominations", [])
        known += [found for found in two.get("nominations", []) if found not in known]
        ignored = {"picked", "nominations"}
        if {k: v for k, v in one.items() if k not in ignored} != {
            k: v for k, v in two.items() if k not in ignored
        }:
            return False
    return first.get("error") == other.get("error")
