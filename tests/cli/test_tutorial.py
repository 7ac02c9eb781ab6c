"""Every command of the tutorial prints what the tutorial says."""

from pathlib import Path

import pytest

from tools.console_blocks import ROOT, Command, commands, output_of, prepare

DOCUMENT = ROOT / "docs" / "tutorial" / "triage.md"


@pytest.mark.slow
def test_every_command_of_the_triage_prints_what_is_written(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    prepare(tmp_path, text)
    found = [Command(line, output_of(line, tmp_path)) for line, _ in commands(text)]
    assert found == commands(text)
    assert len(found) > 15
