"""Every pod's life: when it was created, bound, started, ended and removed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gpusched.run.history import gpus_of
from gpusched.run.replay import PodChange, Replay
from gpusched.sim.journal import Row
from gpusched.sim.pod import Pod


@dataclass(slots=True)
class Life:
    """One pod from its creation on. Times are microseconds since t = 0; None: not yet, or never.

    Attributes:
        pod: Its last state.
        created: When it was created.
        bound: When it was bound to its node.
        started: When it began to run.
        finished: When it reached Succeeded or Failed.
        removed: When its object went away.
        failures: How often its condition told of a new reason to wait.
        gpus: How many GPUs it asks for.
    """

    pod: Pod
    created: int
    bound: int | None = None
    started: int | None = None
    finished: int | None = None
    removed: int | None = None
    failures: int = 0
    gpus: int = 0

    @property
    def waiting(self) -> str:
        """Return what its PodScheduled condition says while it is not True; else nothing."""
        for condition in self.pod.conditions:
            if condition.type == "PodScheduled" and condition.status == "False":
                return condition.message
        return ""


def lives_of(rows: Sequence[Row]) -> list[Life]:
    """Return the lives of all pods of a run, in order of creation."""
    lives: dict[int, Life] = {}
    for change in Replay(rows).advance():
        _live_on(lives, change)
    return list(lives.values())


def _live_on(lives: dict[int, Life], change: PodChange) -> None:
    old, new = change.old, change.new
    if new is None:
        assert old is not None, "a change without a pod"
        lives[old.serial].removed = change.at
        return
    life = lives.get(new.serial)
    if life is None:
        life = lives[new.serial] = Life(new, change.at, gpus=gpus_of(new))
    _mark(life, old, new, change.at)
    life.pod = new


def _mark(life: Life, old: Pod | None, new: Pod, at: int) -> None:
    if new.node and life.bound is None:
        life.bound = at
    if new.phase == "Running" and life.started is None:
        life.started = at
    if new.terminal and life.finished is None:
        life.finished = at
    told = new.conditions and (old is None or old.conditions != new.conditions)
    if told and not new.node:
        life.failures += 1
