"""The notebooks, run from the first cell to the last."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.md"))
SECONDS = 30


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_checks_hold(path: Path) -> None:
    notebook = jupytext.read(path)
    where = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=where).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_lets_change_and_says_what_it_proves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for needed in ("**Question 1.**", "**Try:**", "# Check", "*What this proves:*", "<details>"):
        assert needed in text
    assert "*What it does not:*" in text
