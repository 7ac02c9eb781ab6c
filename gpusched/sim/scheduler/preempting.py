"""Preemption carried out: nominations cleared, victims deleted, the preemptor kept out meanwhile.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/executor.go, v1.36.1 (gate
SchedulerAsyncPreemption on); specification, section 8.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import ApiError
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.sim.loop import LATE, Loop
from gpusched.sim.pod import Pod
from gpusched.sim.scheduler.metrics import SchedulerLog, SchedulerMetrics
from gpusched.sim.scheduler.port import SchedulerPort

DISRUPTION = "{}: preempting to accommodate a higher priority pod"


@dataclass(frozen=True, slots=True)
class _Preemptor:
    """A preempting pod and its profile."""

    pod: PodInfo
    framework: Framework

    @property
    def plugin(self) -> DefaultPreemption | None:
        """Return who keeps the pod out of the queue meanwhile."""
        plugin = self.framework.plugins.get("DefaultPreemption")
        return plugin if isinstance(plugin, DefaultPreemption) else None

    def wait(self) -> None:
        """Keep the pod out of the queue until it is released."""
        if self.plugin is not None:
            self.plugin.preempting[self.pod.uid] = lambda: True

    def release(self) -> None:
        """Let the pod into the queue again."""
        if self.plugin is not None:
            self.plugin.preempting.pop(self.pod.uid, None)
            self.plugin.announce(self.pod.uid)

    def wait_while(self, needed: Callable[[], bool]) -> None:
        """Keep the pod out of the queue as long as ``needed`` says so, if it is kept out now.

        Whoever makes ``needed`` say No announces the pod to the plugin.
        """
        if self.plugin is not None and self.pod.uid in self.plugin.preempting:
            self.plugin.preempting[self.pod.uid] = needed
            self.plugin.announce(self.pod.uid)


class Preemption:
    """Preemptions under way.

    Args:
        loop: The clock.
        port: The API server.
        watchers: The metrics that count victims, and the log that is told of each step.
        call_time: Microseconds of one API call; 0 for none.
        failed: Is told of a preemptor whose preemption could not be carried out.
    """

    def __init__(
        self,
        loop: Loop,
        port: SchedulerPort,
        watchers: tuple[SchedulerMetrics, SchedulerLog],
        call_time: int,
        failed: Callable[[PodInfo], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._port = port
        self._metrics, self._log = watchers
        self._call_time = call_time
        self._failed = failed
        self._waiting_for: dict[str, list[_Preemptor]] = {}
        port.on_departure(self._departed)

    def start(
        self,
        pod: PodInfo,
        framework: Framework,
        victims: Victims,
        lower: Sequence[PodInfo],
    ) -> None:
        """Make room for ``pod`` on the node of ``victims``.

        Args:
            pod: The preemptor.
            framework: Its profile; DefaultPreemption keeps it out of the queue meanwhile.
            victims: Who must go.
            lower: Pods of lower priority nominated to the node; they lose their nomination.
        """
        self._metrics.victims(len(victims.pods))
        preemptor = _Preemptor(pod, framework)
        if any(not victim.terminating for victim in victims.pods):
            preemptor.wait()
        self._loop.soon(self._run, preemptor, victims, tuple(lower))

    def _run(self, preemptor: _Preemptor, victims: Victims, lower: tuple[PodInfo, ...]) -> None:
        pod = preemptor.pod
        fields = {"preemptor": pod.key, "node": victims.node}
        self._log.add(self._loop.now, "preempt_start", **fields, numVictims=str(len(victims.pods)))
        for other in lower:
            self._clear_nomination(other)
        first, last = victims.pods[:-1], victims.pods[-1]
        self._loop.at(self._loop.now + self._call_time, self._evict_all, preemptor, victims)
        if not first:
            self._wait_for(preemptor, last)
        due = self._loop.now + (2 if first else 1) * self._call_time
        self._loop.at(due, self._finish, preemptor, last, victims.node, priority=LATE)

    def _evict_all(self, preemptor: _Preemptor, victims: Victims) -> None:
        """Evict all but the last, for which alone the preemptor waits from now on."""
        last = victims.pods[-1]
        for victim in victims.pods[:-1]:
            self._evict(preemptor, victim, victims.node)
        self._wait_for(preemptor, last)

    def _wait_for(self, preemptor: _Preemptor, last: PodInfo) -> None:
        """Keep the preemptor out of the queue as long as its last victim stands."""
        self._waiting_for.setdefault(last.uid, []).append(preemptor)
        preemptor.wait_while(lambda: self._stands(last))

    def _departed(self, pod: Pod) -> None:
        """A pod's deletion has begun: whoever waits for that need not wait any more."""
        for preemptor in self._waiting_for.pop(pod.uid, ()):
            if preemptor.plugin is not None:
                preemptor.plugin.announce(preemptor.pod.uid)

    def _stands(self, victim: PodInfo) -> bool:
        """Return whether nobody has deleted a victim yet.

        Another preemptor may have been faster; its victim's end must wake this one, too.
        """
        current = self._port.pod(victim.namespace, victim.name)
        return current is not None and current.uid == victim.uid and current.deletion is None

    def _finish(self, preemptor: _Preemptor, last: PodInfo, node: str) -> None:
        preemptor.release()
        self._evict(preemptor, last, node)
        self._log.add(self._loop.now, "preempt_done", preemptor=preemptor.pod.key, node=node)

    def _evict(self, preemptor: _Preemptor, victim: PodInfo, node: str) -> None:
        pod = preemptor.pod
        current = self._port.pod(victim.namespace, victim.name)
        if current is None or current.uid != victim.uid or current.deletion is not None:
            return
        name = pod.shape.scheduler
        try:
            self._port.preempt(current, DISRUPTION.format(name))
        except ApiError:
            preemptor.release()
            self._failed(pod)
            return
        fields = {"preemptor": pod.key, "victim": victim.key, "node": node}
        self._log.add(self._loop.now, "preempted", **fields)
        note = f"Preempted by pod {pod.uid} on node {node}"
        self._port.record(current, "Normal", "Preempted", "Preempting", note)

    def _clear_nomination(self, other: PodInfo) -> None:
        current = self._port.pod(other.namespace, other.name)
        if current is None or current.uid != other.uid or not current.nominated:
            return
        condition = next((c for c in current.conditions if c.type == "PodScheduled"), None)
        if condition is not None:
            self._port.fail_attempt(current, condition.reason, condition.message, "")
