"""Every recorded decision of the real scheduler, one test for each case."""

import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from gpusched.decide import Settings, TieBreak, answer
from tests.decide.comparison import differences

RECORDINGS = Path(__file__).parents[1] / "golden" / "decisions"
NAME = re.compile(r'\{"case": ?\{"name": ?"([^"]+)"')
BY_BOTH_ENGINES = Settings(tie_break=TieBreak.NAME, engine="verify")


def recorded_lines() -> list[Any]:
    """Read no more of a line than its name: collecting has to be quick."""
    found = []
    for path in sorted(RECORDINGS.glob("*.jsonl.xz")):
        for line in lzma.decompress(path.read_bytes()).decode().splitlines():
            match = NAME.match(line)
            assert match, line[:80]
            found.append(pytest.param(line, id=match[1]))
    return found


@pytest.mark.golden
@pytest.mark.parametrize("line", recorded_lines())
def test_we_decide_as_kube_scheduler_did(line: str) -> None:
    recording = json.loads(line)
    found = answer(recording["case"], BY_BOTH_ENGINES)
    assert not found.malformed
    assert differences(recording["expect"], found.expect) == []
