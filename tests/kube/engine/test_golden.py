"""Every recorded case, decided by both engines: they agree on all that was ever recorded."""

import json
import lzma
from pathlib import Path

import pytest

from gpusched.decide import Settings, TieBreak, answer

RECORDINGS = Path(__file__).parents[2] / "golden" / "decisions"
FAMILIES = sorted(path.name.removesuffix(".jsonl.xz") for path in RECORDINGS.glob("*.jsonl.xz"))
BOTH = Settings(tie_break=TieBreak.NAME, engine="verify")


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_engines_agree_on_every_recorded_case(family: str) -> None:
    text = lzma.decompress((RECORDINGS / f"{family}.jsonl.xz").read_bytes()).decode()
    for line in text.splitlines():
        answer(
            json.loads(line)["case"], BOTH
        )  # an EngineDifferenceError is our own bug, and raised
