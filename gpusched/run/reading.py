"""A finished run's journal read once, for all that is asked of the whole run."""

from collections.abc import Sequence
from dataclasses import dataclass

from gpusched.run.history import History, Recorder
from gpusched.run.lives import Life, Lives
from gpusched.run.replay import Replay
from gpusched.sim.journal import Row


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one pass over a journal tells.

    Attributes:
        end: The state after the last row; only to be looked at.
        lives: Every pod's life, in order of creation.
        history: Pods by phase and GPUs in use over time.
    """

    end: Replay
    lives: list[Life]
    history: History


def read(rows: Sequence[Row]) -> Reading:
    """Return what a journal tells of its run."""
    replay, lives, recorder = Replay(rows), Lives(), Recorder()
    for row in rows:
        change = replay.play(row)
        if change is not None:
            lives.see(change)
        recorder.see(row, change)
    return Reading(replay, lives.all(), recorder.history())
