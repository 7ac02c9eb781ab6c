"""A pod on its way to its node, and what it may have to wait for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gpusched.cluster.pod import PodInfo
from gpusched.errors import GpuschedError
from gpusched.kube.cycle import Attempt
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.queue.entity import QueuedPod
from gpusched.sim.pod import Pod


class Binding(NamedTuple):
    """A pod that has its node and is not bound yet.

    Attributes:
        queued: The pod as the queue holds it.
        pod: The pod as it was when its attempt began.
        framework: Its profile.
        attempt: What the attempt found.
        state: What the plugins remember of it; its own while the pod waits.
        node: Where it goes.
    """

    queued: QueuedPod
    pod: Pod
    framework: Framework
    attempt: Attempt
    state: CycleState
    node: str

    @property
    def info(self) -> PodInfo:
        """The pod as plugins see it."""
        return self.queued.pod


class PreBindError(GpuschedError):
    """A pod cannot be bound now; the message is the scheduler's.

    Args:
        plugin: Whose PreBind has failed.
        why: The reason.
    """

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f'running PreBind plugin "{plugin}": {why}')


@dataclass(frozen=True, slots=True, eq=False)
class Wait:
    """Something that must come about before a pod is bound. Times are microseconds.

    Attributes:
        plugin: Who waits for it.
        is_over: Says whether it has come about; raises `PreBindError` if it never will.
        first: When to look for the first time, from now.
        period: How long from one look to the next.
        limit: How long to wait at most.
        too_late: What to say then.
    """

    plugin: str
    is_over: Callable[[], bool]
    first: int
    period: int
    limit: int
    too_late: str
