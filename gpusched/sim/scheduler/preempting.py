"""Preemption carried out: nominations cleared, victims deleted, the preemptor kept out meanwhile.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/executor.go, v1.36.1 (gate
SchedulerAsyncPreemption on); specification, section 8.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import ApiError
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.sim.latency import Latency
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
        latency: How long the eviction of a victim takes, and how far apart several arrive.
        failed: Is told of a preemptor whose preemption could not be carried out.
    """

    def __init__(
        self,
        loop: Loop,
        port: SchedulerPort,
        watchers: tuple[SchedulerMetrics, SchedulerLog],
        latency: Latency,
        failed: Callable[[PodInfo], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._port = port
        self._metrics, self._log = watchers
        self._latency = latency
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
        standing = [victim for victim in victims.pods if not victim.terminating]
        if not standing:
            return
        self._metrics.victims(len(victims.pods))
        preemptor = _Preemptor(pod, framework)
        preemptor.wait()
        fields = {"node": victims.node, "numVictims": str(len(victims.pods))}
        self._loop.soon(self._run, preemptor, standing, tuple(lower), fields)

    def _run(
        self,
        preemptor: _Preemptor,
        standing: Sequence[PodInfo],
        lower: Sequence[PodInfo],
        fields: dict[str, str],
    ) -> None:
        """Evict all but the last, side by side, and then the last."""
        self._log.add(self._loop.now, "preempt_start", preemptor=preemptor.pod.key, **fields)
        for other in lower:
            self._clear_nomination(other)
        node, first, last = fields["node"], standing[:-1], standing[-1]
        if not first:
            self._wait_for(preemptor, last)
        due = begun = self._loop.now + self._latency.preemption
        for index, victim in enumerate(first):
            due = begun + index * self._latency.apart
            self._loop.at(due, self._condemn, preemptor, victim, node)
        if first:
            due += self._latency.eviction
            self._loop.at(due, self._wait_for, preemptor, last)
            due += self._latency.preemption
        self._loop.at(due, self._condemn, preemptor, last, node, True, priority=LATE)

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
        current = self._present(victim)
        return current is not None and current.deletion is None

    def _condemn(
        self, preemptor: _Preemptor, victim: PodInfo, node: str, last: bool = False
    ) -> None:
        """Tell a victim why it must go, and then delete it."""
        seen = self._present(victim)
        if seen is not None and seen.deletion is None:
            self._port.condemn(seen, DISRUPTION.format(preemptor.pod.shape.scheduler))
        delete = partial(self._delete, preemptor, victim, seen, node, last)
        if self._latency.eviction:
            self._loop.at(self._loop.now + self._latency.eviction, delete, priority=LATE)
        else:
            delete()

    def _delete(
        self, preemptor: _Preemptor, victim: PodInfo, seen: Pod | None, node: str, last: bool
    ) -> None:
        """Delete a victim; with the last one the preemptor may go on."""
        if last:
            preemptor.release()
        if seen is not None:
            self._delete_seen(preemptor, victim, seen, node)
        if last:
            pod = preemptor.pod
            self._log.add(self._loop.now, "preempt_done", preemptor=pod.key, node=node)

    def _delete_seen(self, preemptor: _Preemptor, victim: PodInfo, seen: Pod, node: str) -> None:
        pod = preemptor.pod
        current = self._present(victim)
        try:
            if current is not None and current.deletion is None:
                self._port.evict(current)
        except ApiError:
            preemptor.release()
            self._failed(pod)
            return
        fields = {"preemptor": pod.key, "victim": victim.key, "node": node}
        self._log.add(self._loop.now, "preempted", **fields)
        note = f"Preempted by pod {pod.uid} on node {node}"
        self._port.record(seen, "Normal", "Preempted", "Preempting", note)

    def _present(self, victim: PodInfo) -> Pod | None:
        current = self._port.pod(victim.namespace, victim.name)
        return current if current is not None and current.uid == victim.uid else None

    def _clear_nomination(self, other: PodInfo) -> None:
        current = self._port.pod(other.namespace, other.name)
        if current is None or current.uid != other.uid or not current.nominated:
            return
        condition = next((c for c in current.conditions if c.type == "PodScheduled"), None)
        if condition is not None:
            self._port.fail_attempt(current, condition.reason, condition.message, "")
