"""Between Reserve and Bind: claims and volumes are written, and waited for.

A pod without open claims passes at once. One whose volumes must be bound or made first keeps its
place on the node and is bound, or given up, when that has come about, has failed or took too long.

Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go (bindingCycle), v1.36.1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gpusched.controllers.protocol import ApiError
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.runtime import Framework
from gpusched.sim.loop import Loop
from gpusched.sim.scheduler.binding import Binding, PreBindError, Wait
from gpusched.sim.scheduler.claim_writes import ClaimWrites
from gpusched.sim.scheduler.informers import Informers
from gpusched.sim.scheduler.port import SchedulerPort
from gpusched.sim.scheduler.volume_writes import VolumeWrites

Then: TypeAlias = Callable[[Binding, str], bool]
"""Is told how it ended: an empty string, or why the pod cannot be bound."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A pod that waits in PreBind.

    Attributes:
        binding: The pod.
        then: Whom to tell.
        left: For how many things it still waits; none once it is told.
    """

    binding: Binding
    then: Then
    left: int

    def end(self, problem: str) -> None:
        """Tell how it ended, once."""
        self.left = 0
        self.then(self.binding, problem)


class PreBinding:
    """The PreBind plugins in time.

    Args:
        loop: The clock.
        port: The API server.
        informers: What the scheduler knows of claims.
        frameworks: Profiles by scheduler name.
    """

    def __init__(
        self,
        loop: Loop,
        port: SchedulerPort,
        informers: Informers,
        frameworks: Mapping[str, Framework],
    ) -> None:
        self._loop = loop
        self._port = port
        self._claims = ClaimWrites(port, informers, frameworks)
        self._writers = (VolumeWrites(port), self._claims)

    def tell_time(self) -> None:
        """Tell the plugins what time it is; before each attempt."""
        self._claims.tell_time()

    def release(self, framework: Framework, state: CycleState) -> None:
        """Write what the PostFilter plugins of a failed attempt give up."""
        self._claims.release(framework, state)

    def undo(self, binding: Binding) -> None:
        """Take back what was written for a pod that is not bound after all."""
        self._claims.undo(binding)

    def run(self, binding: Binding, then: Then) -> bool:
        """Prepare a binding, now or over some time.

        Returns:
            What ``then`` returned if it was told at once; False if it will be told later.
        """
        writers = [writer for writer in self._writers if writer.has_work(binding)]
        if not writers:
            return then(binding, "")
        self._nominate(binding)
        try:
            found = [writer.write(binding) for writer in writers]
        except PreBindError as problem:
            return then(binding, str(problem))
        waits = [wait for wait in found if wait is not None]
        if not waits:
            return then(binding, "")
        self._wait(binding, waits, then)
        return False

    def _nominate(self, binding: Binding) -> None:
        """Let others see early where the pod will be."""
        if binding.pod.nominated == binding.node:
            return
        try:
            status = {"nominatedNodeName": binding.node}
            self._port.writer.patch_status("Pod", binding.pod.key, status)
        except ApiError:
            return  # upstream goes on as well; the binding will say what is wrong

    # Waiting.

    def _wait(self, binding: Binding, waits: Sequence[Wait], then: Then) -> None:
        """Look again and again until everything has come about, or one thing has failed."""
        mine = binding._replace(state=binding.state.clone())  # the next pod of its shape reuses it
        waiting = _Waiting(mine, then, len(waits))
        now = self._loop.now
        for wait in waits:
            self._loop.at(now + wait.first, self._look, waiting, wait, now + wait.limit)

    def _look(self, waiting: _Waiting, wait: Wait, deadline: int) -> None:
        if not waiting.left:
            return
        if self._is_gone(waiting.binding):
            waiting.end("pod does not exist any more")
            return
        try:
            over = wait.is_over()
        except PreBindError as problem:
            waiting.end(str(problem))
            return
        if over:
            waiting.left -= 1
            if not waiting.left:
                waiting.end("")
            return
        soon = self._loop.now + wait.period
        if soon < deadline:
            self._loop.at(soon, self._look, waiting, wait, deadline)
        else:
            self._loop.at(deadline, self._give_up, waiting, wait)

    def _is_gone(self, binding: Binding) -> bool:
        pod = self._port.pod(*binding.pod.key)
        return pod is None or pod.uid != binding.pod.uid

    def _give_up(self, waiting: _Waiting, wait: Wait) -> None:
        if waiting.left:
            waiting.end(str(PreBindError(wait.plugin, wait.too_late)))
