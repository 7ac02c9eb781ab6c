"""The recorded decisions and validations, asked for again."""

import gzip
import json
import lzma
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conformance.decide.oracle import agreed, ask

Json = dict[str, Any]
SUFFIXES = (".jsonl.xz", ".jsonl.gz")
_BATCH = 50
_TIMES = 2
"""So often each case is asked; what comes out differently is dropped, as in the first recording."""
_MOST_SCORED = 12
"""Nodes of a cluster whose scores are kept; of larger ones they would fill the files."""


def family(path: Path) -> str:
    """Return the name of a file's family, or nothing if it is not one."""
    found = [suffix for suffix in SUFFIXES if path.name.endswith(suffix)]
    return path.name.removesuffix(found[0]) if found else ""


def record(path: Path, program: str) -> str:
    """Write a file of cases with the answers of ``program``; return a line about what has changed."""
    old = [json.loads(line) for line in _unpacked(path).splitlines()]
    cases = [item["case"] for item in old]
    before = {item["case"]["name"]: item["expect"] for item in old}
    again = _validated if family(path) == "validation" else _decided
    new = [
        {"case": case, "expect": _kept(before[case["name"]], expect)}
        for case, expect in again(cases, program)
    ]
    lines = "".join(
        json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n" for item in new
    )
    _pack(path, lines.encode())
    changed = [
        item["case"]["name"] for item in new if item["expect"] != before[item["case"]["name"]]
    ]
    dropped = sorted(before.keys() - {item["case"]["name"] for item in new})
    told = [f"{family(path)}: {len(new)} cases, {len(changed)} changed, {len(dropped)} dropped"]
    return "\n  ".join(
        [*told, *(f"changed {name}" for name in changed), *(f"dropped {name}" for name in dropped)]
    )


def _decided(cases: Sequence[Json], program: str) -> Iterator[tuple[Json, Json]]:
    for start in range(0, len(cases), _BATCH):
        batch = cases[start : start + _BATCH]
        answers = [ask(program, batch) for _ in range(_TIMES)]
        for case, *given in zip(batch, *answers, strict=True):
            expect = agreed(given)
            if expect is not None:
                yield case, _trimmed(case, expect)


def _validated(cases: Sequence[Json], program: str) -> Iterator[tuple[Json, Json]]:
    lines = "\n".join(map(json.dumps, cases))
    done = subprocess.run(
        [program, "-validate"], input=lines, capture_output=True, text=True, check=True
    )
    yield from zip(cases, map(json.loads, done.stdout.splitlines()), strict=True)


def _trimmed(case: Json, expect: Json) -> Json:
    nodes = sum(obj["kind"] == "Node" for obj in case["objects"])
    if nodes > _MOST_SCORED:
        for decision in expect["decisions"]:
            decision.pop("scores", None)
    return expect


def _kept(old: Json, new: Json) -> Json:
    """Return the old answer if the new one says the same in another order."""
    return old if _sorted(old) == _sorted(new) else new


def _sorted(expect: Json) -> Json:
    listed = sorted(json.dumps(error, sort_keys=True) for error in expect.get("errors") or ())
    decisions = [
        {**each, "nominations": sorted(map(json.dumps, each.get("nominations") or ()))}
        for each in expect.get("decisions") or ()
    ]
    several = len(listed) > 1
    return {
        **expect,
        "errors": listed,
        "decisions": decisions,
        "error": several or expect.get("error"),
    }


def _unpacked(path: Path) -> str:
    data = path.read_bytes()
    return (lzma.decompress(data) if path.suffix == ".xz" else gzip.decompress(data)).decode()


def _pack(path: Path, data: bytes) -> None:
    xz = path.suffix == ".xz"
    path.chmod(0o644)
    path.write_bytes(
        lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
        if xz
        else gzip.compress(data, 9, mtime=0)
    )
