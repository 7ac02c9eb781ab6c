"""Reading recorded kubectl texts, and asking our kubectl for the same."""

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from gpusched.kubectl import Output, Snapshot, run

FOLDER = Path(__file__).parent.parent / "golden" / "kubectl"
_AGE = r"(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?"
_MASKS = (
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\b10\.0\.0\.\d+\b"), "<ip>"),
    (re.compile(r'resourceVersion: "\d+"'), "resourceVersion: <n>"),
    (re.compile(r"(?:(?<=[\s(])|^)(?=\d)" + _AGE + r"(?=[\s)]|$)"), "<age>"),
    (re.compile("<invalid>"), "<age>"),
    (re.compile(r" {2,}"), "  "),
)


@cache
def load(name: str) -> dict[str, Any]:
    """Return a recording."""
    loaded: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return loaded


def words(recorded: str) -> tuple[list[str], str]:
    """Return the words of a recorded command, joined without quotes there, and the text below."""
    line, _, rest = recorded.partition("\n")
    before, jsonpath, template = line.removeprefix("$ kubectl ").partition("jsonpath=")
    return before.split() + ([jsonpath + template] if jsonpath else []), rest


def first_equal(
    objects: list[dict[str, Any]], argv: list[str], instants: Iterator[int], wanted: Output
) -> Output:
    """Return our output at the first instant at which it is as recorded, else the last one tried.

    A recording says when it was made, but not to the millisecond at which the ages in it flipped.
    """
    outcome = Output()
    for now in instants:
        outcome = run(Snapshot(objects, now), argv)
        if outcome == wanted:
            break
    return outcome


def masked(text: str) -> str:
    """Return ``text`` without what differs between two plays of one scenario."""
    lines = [line.rstrip() for line in text.splitlines()]
    for pattern, replacement in _MASKS:
        lines = [pattern.sub(replacement, line) for line in lines]
    return "\n".join(re.sub(r"-{3,}", "---", line) for line in lines)
