"""One attempt of the scheduler and what follows from it: a binding, a preemption, a failure.

Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go, v1.36.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import ApiError
from gpusched.kube.cycle import NO_NODES, Attempt, Result, Search, TieBreak
from gpusched.kube.engine import Engine
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Status
from gpusched.kube.nominator import Nominator
from gpusched.kube.queue.entity import NOBODY, QueuedPod
from gpusched.kube.queue.scheduling_queue import SchedulingQueue
from gpusched.sim.loop import Loop
from gpusched.sim.pod import Pod
from gpusched.sim.scheduler.binding import Binding
from gpusched.sim.scheduler.changes import ASSIGNED_DELETE
from gpusched.sim.scheduler.informers import Informers
from gpusched.sim.scheduler.metrics import SchedulerLog, SchedulerMetrics
from gpusched.sim.scheduler.port import SchedulerPort
from gpusched.sim.scheduler.prebinding import PreBinding
from gpusched.sim.scheduler.preempting import Preemption


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scheduler is made of.

    Attributes:
        loop: The clock.
        port: The API server.
        frameworks: Profiles by scheduler name.
        engine: Decides.
        cache: Pods on nodes.
        queue: Waiting pods.
        nominator: Nominated pods.
        informers: Keep the three in step with the API server.
        preemption: Carries preemptions out.
        metrics: Counters and gauges.
        log: The log of moves.
    """

    loop: Loop
    port: SchedulerPort
    frameworks: Mapping[str, Framework]
    engine: Engine
    cache: Cache
    queue: SchedulingQueue
    nominator: Nominator
    informers: Informers
    preemption: Preemption
    metrics: SchedulerMetrics
    log: SchedulerLog

    def framework(self, pod: PodInfo) -> Framework:
        """Return the profile that schedules a pod."""
        return self.frameworks[pod.shape.scheduler]

    def waits_for(self, queued: QueuedPod, plugins: frozenset[str]) -> None:
        """Count a pod as kept waiting by these plugins; by none once it is gone."""
        self.metrics.waits_for(queued.pod.uid, queued.pod.shape.scheduler, plugins)

    def waits_no_more(self, queued: QueuedPod) -> None:
        """Count a pod as kept waiting by nobody: it has a node, or need not be tried again."""
        if queued.rejected_by or queued.pending_on:
            self.waits_for(queued, NOBODY)
            queued.rejected_by = queued.pending_on = NOBODY


class Attempts:
    """Attempts, one after the other.

    Args:
        parts: What the scheduler is made of.
        percentage: ``percentageOfNodesToScore`` of profiles that have none of their own.
        tie_break: Who wins among equally good nodes.
    """

    def __init__(self, parts: Parts, percentage: int, tie_break: TieBreak) -> None:
        self._parts = parts
        self._prebinding = PreBinding(parts.loop, parts.port, parts.informers, parts.frameworks)
        self._percentages = {
            name: percentage if (own := f.profile.percentage_of_nodes_to_score) is None else own
            for name, f in parts.frameworks.items()
        }
        self._tie_break = tie_break
        self._next_start = 0

    def begin(self) -> None:
        """Tell the plugins what time it is; before the attempts of an instant."""
        self._prebinding.tell_time()

    def run(self, queued: QueuedPod) -> bool:
        """Try to place a pod; return whether its status had to be written because it failed."""
        parts, info = self._parts, queued.pod
        pod = parts.port.pod(info.shape.namespace, info.name)
        if pod is None or pod.uid != info.uid or pod.node:
            parts.waits_no_more(queued)
            parts.queue.done(info.uid)
            return False
        if pod.deletion is not None:
            parts.waits_no_more(queued)
            self._skip_deleting(pod, info)
            return False
        if parts.log.follows:
            parts.log.tried(parts.loop.now, info.key)
        framework = parts.framework(info)
        percentage = self._percentages[info.shape.scheduler]
        search = Search(self._next_start, percentage, self._tie_break)
        attempt = parts.engine.attempt(framework, info, search)
        self._next_start = attempt.next_start
        if attempt.result is Result.SCHEDULED:
            return self._bind(queued, pod, attempt)
        return self._failed(queued, pod, attempt)

    def _skip_deleting(self, pod: Pod, info: PodInfo) -> None:
        note = f"skip schedule deleting pod: {info.key}"
        self._parts.log.add(self._parts.loop.now, "skip_deleting", pod=info.key)
        self._parts.port.record(pod, "Warning", "FailedScheduling", "Scheduling", note)
        self._parts.queue.done(info.uid)

    def _bind(self, queued: QueuedPod, pod: Pod, attempt: Attempt) -> bool:
        info = queued.pod
        snapshot = self._parts.cache.snapshot()
        node = snapshot.nodes.info(attempt.row).name
        framework = self._parts.framework(info)
        binding = Binding(queued, pod, framework, attempt, attempt.state, node)
        self._parts.waits_no_more(queued)
        if attempt.state.is_bare:
            self._parts.informers.assume(info, node)
            return self._finish(binding, "")
        status = framework.reserve(attempt.state, info, snapshot, node)
        if not status.is_success:
            return self._refused(queued, pod, status)
        self._parts.informers.assume(info, node)
        return self._prebinding.run(binding, self._finish)

    def _finish(self, binding: Binding, problem: str) -> bool:
        """Bind a pod whose claims and volumes are ready, or take it back if they are not."""
        parts, info, node, pod = self._parts, binding.queued.pod, binding.node, binding.pod
        if problem:
            return self._binding_failed(binding, problem)
        try:
            parts.port.bind(pod, node)
        except ApiError as refusal:
            message = f'running Bind plugin "DefaultBinder": {refusal.message}'
            return self._binding_failed(binding, message)
        parts.queue.done(info.uid)
        parts.metrics.attempt(binding.framework.profile.scheduler_name, "scheduled")
        parts.metrics.scheduled_after(binding.queued.attempts)
        if parts.log.enabled:
            self._log_bound(info, node, binding.attempt)
        parts.port.assigned(pod, node)
        return False

    def _log_bound(self, info: PodInfo, node: str, attempt: Attempt) -> None:
        self._parts.log.add(
            self._parts.loop.now,
            "bound",
            pod=info.key,
            node=node,
            evaluatedNodes=str(attempt.evaluated),
            feasibleNodes=str(len(attempt.feasible)),
        )

    # Failures.

    def _refused(self, queued: QueuedPod, pod: Pod, status: Status) -> bool:
        """Reserve said no: a rejection by one plugin, or an error."""
        rejected = frozenset({status.plugin}) if status.is_rejected else NOBODY
        return self._take_back(queued, pod, (rejected, NOBODY), (status.message, ""))

    def _binding_failed(self, binding: Binding, message: str) -> bool:
        """Give back what a pod has taken; others may have it before its next attempt."""
        info, parts = binding.info, self._parts
        self._prebinding.undo(binding)
        binding.framework.unreserve(binding.state, info, parts.cache.snapshot(), binding.node)
        gone = parts.informers.forget(info)
        change = Change(gone, None, parts.cache.snapshot())
        parts.queue.move(ASSIGNED_DELETE, change, parts.loop.now)
        pod = parts.port.pod(info.namespace, info.name)
        if pod is None or pod.uid != info.uid or pod.node:
            parts.queue.done(info.uid)
            return False
        return self._take_back(binding.queued, pod, (NOBODY, NOBODY), (message, ""))

    def _failed(self, queued: QueuedPod, pod: Pod, attempt: Attempt) -> bool:
        diagnosis = attempt.diagnosis
        result = attempt.post_filter
        info = queued.pod
        if not attempt.state.is_bare:
            self._prebinding.release(self._parts.framework(info), attempt.state)
        if result is not None and attempt.error != NO_NODES:
            self._parts.metrics.preemption_attempt()
        if result is not None and result.candidates:
            fields = {"pod": info.key, "node": result.nominated_node}
            self._parts.log.add(self._parts.loop.now, "preempt_target", **fields)
            self._start_preemption(info, attempt)
        nominated = "" if result is None else result.nominated_node
        return self._take_back(queued, pod, diagnosis.rejectors(), (attempt.message, nominated))

    def _take_back(
        self,
        queued: QueuedPod,
        pod: Pod,
        plugins: tuple[frozenset[str], frozenset[str]],
        told: tuple[str, str | None],
    ) -> bool:
        """Put a pod back after a failed attempt and tell the API server why.

        Args:
            queued: The pod.
            pod: Its present state in the store.
            plugins: Who rejected it, and who answered Pending.
            told: The message, and the nomination: a node, empty to clear it, None to keep it.
        """
        parts, info, now = self._parts, queued.pod, self._parts.loop.now
        message, nominated = told
        rejected = bool(plugins[0] or plugins[1]) or message == NO_NODES
        parts.metrics.attempt(info.shape.scheduler, "unschedulable" if rejected else "error")
        if parts.log.enabled:
            parts.log.add(now, "nofit", pod=info.key, err=message)
        parts.queue.fail(queued, *plugins, now)
        parts.waits_for(queued, queued.rejectors)
        if nominated:
            parts.nominator.add(info, nominated)
        elif nominated == "":
            parts.nominator.remove(info.uid)
        reason = "Unschedulable" if rejected else "SchedulerError"
        parts.port.record(pod, "Warning", "FailedScheduling", "Scheduling", message)
        return parts.port.fail_attempt(pod, reason, message, nominated) is not pod

    # Preemption.

    def _start_preemption(self, info: PodInfo, attempt: Attempt) -> None:
        assert attempt.post_filter is not None
        victims = attempt.post_filter.candidates[0]
        lower = [
            other
            for other in self._parts.nominator.on(victims.node)
            if other.priority < info.priority
        ]
        self._parts.preemption.start(info, self._parts.framework(info), victims, lower)
