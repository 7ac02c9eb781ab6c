"""Write what each command of a page prints below it: read the difference, then commit.

Run as ``python -m tools.update_docs docs/guides/report.md`` from the repository's folder.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import Block, blocks, commands, prepare, run, save_scenario


def updated(page: str, folder: Path) -> str:
    """Return a page with the output of its commands."""
    for block in blocks(page):
        if block.language == "yaml":
            save_scenario(block, folder)
        elif block.language == "console":
            page = page.replace(f"```console\n{block.text}```", _ran(block, folder), 1)
    return page


def _ran(block: Block, folder: Path) -> str:
    parts = (f"$ {command}\n{run(command, folder)}" for command, _ in commands(block))
    return f"```console\n{''.join(parts)}```"


def main() -> None:
    """Update the pages that are named on the command line."""
    for name in sys.argv[1:]:
        path = Path(name)
        with TemporaryDirectory() as folder:
            prepare(Path(folder))
            text = updated(path.read_text(encoding="utf-8"), Path(folder))
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
