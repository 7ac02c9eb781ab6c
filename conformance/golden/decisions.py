"""The recorded decisions, asked for again."""

import json
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conformance.decide.oracle import agreed, ask

Json = dict[str, Any]
SUFFIX = ".jsonl.xz"
_BATCH = 50
_TIMES = 2
"""So often each case is asked; what comes out differently is dropped, as in the first recording."""


def record(path: Path, program: str) -> str:
    """Write a file of cases with the answers of ``program``; return a line about what has changed."""
    old = [json.loads(line) for line in lzma.decompress(path.read_bytes()).decode().splitlines()]
    new = list(_recorded([item["case"] for item in old], program))
    lines = "".join(
        json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n" for item in new
    )
    path.write_bytes(lzma.compress(lines.encode(), preset=9 | lzma.PRESET_EXTREME))
    before = {item["case"]["name"]: item["expect"] for item in old}
    changed = sum(before[item["case"]["name"]] != item["expect"] for item in new)
    return f"{path.name}: {len(new)} cases, {changed} changed, {len(old) - len(new)} dropped"


def _recorded(cases: Sequence[Json], program: str) -> Iterator[Json]:
    for start in range(0, len(cases), _BATCH):
        batch = cases[start : start + _BATCH]
        answers = [ask(program, batch) for _ in range(_TIMES)]
        for case, *given in zip(batch, *answers, strict=True):
            expect = agreed(given)
            if expect is not None:
                yield {"case": case, "expect": expect}
