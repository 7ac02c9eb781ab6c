"""Every pod's life: when it was created, bound, started, ended and removed."""

from dataclasses import dataclass

from gpusched.run.history import gpus_of
from gpusched.run.replay import PodChange
from gpusched.sim.pod import Pod, PodTemplate


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


class Lives:
    """Lives as a journal is replayed."""

    def __init__(self) -> None:
        self._lives: dict[int, Life] = {}
        self._gpus: dict[PodTemplate, int] = {}

    def see(self, change: PodChange) -> None:
        """Take in the next write of a pod."""
        at, old, new = change
        if new is None:
            assert old is not None, "a change without a pod"
            self._lives[old.serial].removed = at
            return
        life = self._lives.get(new.serial)
        if life is None:
            life = self._lives[new.serial] = Life(new, at, gpus=self._gpus_of(new))
        _mark(life, old, new, at)
        life.pod = new

    def _gpus_of(self, pod: Pod) -> int:
        known = self._gpus.get(pod.template)
        if known is None:
            known = self._gpus[pod.template] = gpus_of(pod)
        return known

    def all(self) -> list[Life]:
        """Return the lives of all pods, in order of creation."""
        return list(self._lives.values())


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
