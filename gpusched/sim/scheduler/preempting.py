"""Preemption carried out: nominations cleared, victims deleted, the preemptor kept out meanwhile.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/executor.go, v1.36.1 (gate
SchedulerAsyncPreemption on); specification, section 8.5.
"""

from collections.abc import Callable, Sequence

from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import ApiError
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.status import SUCCESS, Status, unresolvable
from gpusched.sim.loop import LATE, Loop
from gpusched.sim.scheduler.metrics import SchedulerLog, SchedulerMetrics
from gpusched.sim.store import SchedulerPort

GATED = "waiting for the preemption for this pod to be finished"
DISRUPTION = "{}: preempting to accommodate a higher priority pod"


class Preemption:
    """Preemptions under way.

    Args:
        loop: The clock.
        port: The API server.
        metrics: Counts victims.
        log: Is told of each step.
        call_time: Microseconds of one API call; 0 for none.
        failed: Is told of a preemptor whose preemption could not be carried out.
    """

    def __init__(
        self,
        loop: Loop,
        port: SchedulerPort,
        metrics: SchedulerMetrics,
        log: SchedulerLog,
        call_time: int,
        failed: Callable[[PodInfo], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._port = port
        self._metrics = metrics
        self._log = log
        self._call_time = call_time
        self._failed = failed
        self._preempting: set[str] = set()

    def gate(self, pod: PodInfo) -> Status:
        """Return why a preemptor must wait outside the queue, or Success."""
        if pod.uid in self._preempting:
            return unresolvable(GATED).by("DefaultPreemption")
        return SUCCESS

    def start(self, pod: PodInfo, victims: Victims, lower: Sequence[PodInfo]) -> None:
        """Make room for ``pod`` on the node of ``victims``.

        Args:
            pod: The preemptor.
            victims: Who must go.
            lower: Pods of lower priority nominated to the node; they lose their nomination.
        """
        self._metrics.victims(len(victims.pods))
        if any(not victim.terminating for victim in victims.pods):
            self._preempting.add(pod.uid)
        self._loop.soon(self._run, pod, victims, tuple(lower))

    def _run(self, pod: PodInfo, victims: Victims, lower: tuple[PodInfo, ...]) -> None:
        fields = {"preemptor": pod.key, "node": victims.node}
        self._log.add(self._loop.now, "preempt_start", **fields, numVictims=str(len(victims.pods)))
        for other in lower:
            self._clear_nomination(other)
        first, last = victims.pods[:-1], victims.pods[-1]
        self._loop.at(self._loop.now + self._call_time, self._evict_all, pod, first, victims.node)
        due = self._loop.now + (2 if first else 1) * self._call_time
        self._loop.at(due, self._finish, pod, last, victims.node, priority=LATE)

    def _evict_all(self, pod: PodInfo, victims: tuple[PodInfo, ...], node: str) -> None:
        for victim in victims:
            self._evict(pod, victim, node)

    def _finish(self, pod: PodInfo, last: PodInfo, node: str) -> None:
        self._preempting.discard(pod.uid)
        self._evict(pod, last, node)
        self._log.add(self._loop.now, "preempt_done", preemptor=pod.key, node=node)

    def _evict(self, pod: PodInfo, victim: PodInfo, node: str) -> None:
        current = self._port.pod(victim.namespace, victim.name)
        if current is None or current.uid != victim.uid or current.deletion is not None:
            return
        name = pod.shape.spec.scheduler_name or ""
        try:
            self._port.preempt(current, DISRUPTION.format(name))
        except ApiError:
            self._preempting.discard(pod.uid)
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
