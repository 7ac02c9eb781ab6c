"""Running the command line as a user does: in a process of its own, or quickly inside this one."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from click.testing import CliRunner, Result

from gpusched.cli.commands import gpusched

ROOT: Final = Path(__file__).parents[2]
SCENARIOS: Final = ROOT / "scenarios"
LESSON: Final = SCENARIOS / "lesson_all.yaml"
QUEUE_PRESSURE: Final = SCENARIOS / "queue_pressure.yaml"
SENTENCE: Final = (
    "0/7 nodes are available: 1 node(s) had untolerated taint(s), 6 Insufficient nvidia.com/gpu. "
    "no new claims to deallocate, preemption: 0/7 nodes are available: 2 Preemption is not helpful "
    "for scheduling, 5 No preemption victims found for incoming pod."
)


def invoke(*words: str | Path, stdin: str | None = None) -> Result:
    """Run a command inside this process."""
    return CliRunner().invoke(gpusched, [str(word) for word in words], input=stdin)


def spawn(
    *words: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gpusched", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )
