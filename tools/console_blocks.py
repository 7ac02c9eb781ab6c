"""Console blocks of a document: run again, compared, or written anew.

A block fenced with ```yaml that names a Scenario becomes the file NAME.yaml. In a block fenced with
```console a line that begins with ``$ `` is a command, what follows is what
it printed on both streams. Commands run one after the other in one folder, which has ``scenarios``
and ``fleets`` of this repository. Run as ``python tools/console_blocks.py FILE`` to write the
outputs into FILE; a test fails while they differ.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
_FILE: Final = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"^  name: (\S+)$", re.MULTILINE)
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Command(NamedTuple):
    """One command and what the document says that it prints."""

    line: str
    output: str


def commands(text: str) -> list[Command]:
    """Return the commands of a document, in order."""
    return [command for block in _BLOCK.findall(text) for command in _in_block(block)]


def _in_block(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line, output)


def prepare(folder: Path, text: str) -> None:
    """Give a folder what the commands of a document need."""
    for block in _FILE.findall(text):
        if title := _NAME.search(block):
            (folder / f"{title[1]}.yaml").write_text(block, encoding="utf-8")
    for name in ("scenarios", "fleets"):
        (folder / name).symlink_to(ROOT / name)
    program = folder / "bin" / "gpusched"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gpusched "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def output_of(line: str, folder: Path) -> str:
    """Return what a command prints in a prepared folder."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )
    return done.stdout


def main(file: Path) -> None:
    """Write the outputs of a document's commands into it."""
    with tempfile.TemporaryDirectory() as name:
        folder, text = Path(name), file.read_text(encoding="utf-8")
        prepare(folder, text)

        def again(found: re.Match[str]) -> str:
            parts = (f"$ {c.line}\n{output_of(c.line, folder)}" for c in _in_block(found[1]))
            return f"```console\n{''.join(parts)}```"

        file.write_text(_BLOCK.sub(again, text), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
