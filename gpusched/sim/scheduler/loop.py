"""The scheduler in time: one attempt after the other while pods are waiting.

Source: kubernetes/kubernetes pkg/scheduler/{scheduler,schedule_one}.go, v1.36.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gpusched.api.config import SchedulerConfiguration
from gpusched.cluster.cache import Cache
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.resources import ResourceNames
from gpusched.controllers.protocol import ApiError, Key
from gpusched.controllers.protocol import Change as Write
from gpusched.kube.cycle import (
    NO_NODES,
    Attempt,
    Result,
    Search,
    TieBreak,
    heap_tie_break,
)
from gpusched.kube.engine import Engine, engine_named
from gpusched.kube.framework.runtime import Framework, Registry
from gpusched.kube.framework.status import Status
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from gpusched.kube.queue.backoff import SECOND, Backoff
from gpusched.kube.queue.entity import Place, QueuedPod
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.scheduling_queue import (
    ATTEMPT_FAILURE,
    POP_FROM_BACKOFF,
    QueueSettings,
    SchedulingQueue,
)
from gpusched.sim.calendar import Calendar
from gpusched.sim.loop import LATE, Alarm, Loop
from gpusched.sim.pod import Json, Pod
from gpusched.sim.scheduler.compiling import WATCHED, Compiler
from gpusched.sim.scheduler.informers import Informers
from gpusched.sim.scheduler.metrics import SchedulerLog, SchedulerMetrics
from gpusched.sim.scheduler.preempting import Preemption
from gpusched.sim.store import SchedulerPort

FLUSH_PERIOD = 30 * SECOND
OWN_UPDATE = "UnschedulablePodUpdate"


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """What a run may choose beside the configuration file.

    Attributes:
        tie_break: Who wins among equally good nodes.
        draw: The preemption stream: ``draw(n)`` gives a number in [0, n).
        registry: Plugins by name; the in-tree ones and the user's own.
        pop_from_backoff: Gate SchedulerPopFromBackoffQ.
        started: When the scheduler was started, microseconds: phase of its flush ticker.
        flush_delay: How long after ``started`` the ticker's zero lies; microseconds.
        call_time: Microseconds of one API call of a preemption.
        keep_log: Whether to keep the log of moves.
        engine: ``auto``, ``scan``, ``fast`` or ``verify``.
    """

    tie_break: TieBreak = heap_tie_break
    draw: Callable[[int], int] = lambda _bound: 0
    registry: Registry = field(default_factory=lambda: IN_TREE)
    pop_from_backoff: bool = True
    started: int = 0
    flush_delay: int = 0
    call_time: int = 0
    keep_log: bool = False
    engine: str = "auto"


class Scheduler:
    """kube-scheduler, watching a store.

    Args:
        loop: The clock.
        port: The API server.
        calendar: Wall time of t = 0.
        configuration: Profiles, back-off, sampling.
        options: Everything else.
    """

    def __init__(
        self,
        loop: Loop,
        port: SchedulerPort,
        calendar: Calendar,
        configuration: SchedulerConfiguration,
        options: SchedulerOptions,
    ) -> None:
        self._loop = loop
        self._port = port
        self._configuration = configuration
        self._options = options
        self.metrics = SchedulerMetrics()
        self.log = SchedulerLog(options.keep_log)
        self.nominator = Nominator()
        self.cache = Cache(ResourceNames(), ClusterObjects())
        self.engine: Engine = engine_named(options.engine, self.cache)
        self.frameworks: Mapping[str, Framework] = {
            profile.scheduler_name: Framework(
                profile, options.registry, self.nominator, options.draw
            )
            for profile in configuration.profiles
        }
        self.queue = self._make_queue()
        compiler = Compiler(self.cache.resources, calendar)
        self._informers = Informers(
            compiler,
            self.cache,
            self.queue,
            self.nominator,
            self.frameworks.__contains__,
            lambda: loop.now,
        )
        self._preemption = Preemption(
            loop, port, self.metrics, self.log, options.call_time, self._preemption_failed
        )
        self._next_start = 0
        self._awake = False
        self._backoff_alarm: Alarm | None = None
        self._backoff_due: int | None = None

    def start(self) -> None:
        """Watch the store and begin; objects that are there already are read first."""
        self._watch("Node", self._informers.node_changed)
        for kind in WATCHED:
            self._watch(kind, self._informers.other_changed)
        self._watch("Pod", self._informers.pod_changed)
        first = self._options.started + self._options.flush_delay + FLUSH_PERIOD
        behind = max(0, self._loop.now - first)
        first += -(-behind // FLUSH_PERIOD) * FLUSH_PERIOD
        self._loop.every(first, FLUSH_PERIOD, self._flush_unschedulable)

    def gauges(self) -> dict[str, float]:
        """Return the scheduler's gauges as they are now."""
        return self.metrics.gauges(self.queue.depths())

    def _watch(self, kind: str, handle: Callable[[Write], None]) -> None:
        def handler(write: Write) -> None:
            handle(write)
            self._wake()

        present = self._port.pods() if kind == "Pod" else self._port.objects(kind)
        for obj in list(present):
            handler(Write(kind, "ADDED", _key(obj), None, obj))
        self._port.watch(kind, handler)

    def _make_queue(self) -> SchedulingQueue:
        configuration = self._configuration
        settings = QueueSettings(
            Backoff(
                configuration.pod_initial_backoff_seconds * SECOND,
                configuration.pod_max_backoff_seconds * SECOND,
                aligned=self._options.pop_from_backoff,
                phase=0 if self._options.pop_from_backoff else self._options.started % SECOND,
            ),
            pop_from_backoff=self._options.pop_from_backoff,
        )
        hints = {name: QueueingHints(f.plugins) for name, f in self.frameworks.items()}
        return SchedulingQueue(settings, hints, self._pre_enqueue, self._observe, self._departed)

    def _departed(self, queued: QueuedPod) -> None:
        self._waits_for(queued, queued.rejectors, -1)

    def _pre_enqueue(self, pod: PodInfo) -> Status:
        status = self._framework(pod).pre_enqueue(pod, self.cache.snapshot())
        return self._preemption.gate(pod) if status.is_success else status

    def _framework(self, pod: PodInfo) -> Framework:
        return self.frameworks[pod.shape.spec.scheduler_name or ""]

    def _observe(self, queued: QueuedPod, label: str, place: Place, hint: Worth | None) -> None:
        self.metrics.incoming(label, place.value)
        if label == POP_FROM_BACKOFF:
            return
        if queued.gated_by and place is Place.UNSCHEDULABLE:
            self._waits_for(queued, {queued.gated_by}, 1)
        if self.log.enabled:
            self._log_move(queued, label, place, hint)

    def _log_move(self, queued: QueuedPod, label: str, place: Place, hint: Worth | None) -> None:
        """Some moves are logged twice upstream: by who moves the pod, and by who asked for it."""
        fields = {"pod": queued.pod.key, "event": label, "queue": place.value.capitalize()}
        failed = label == ATTEMPT_FAILURE
        if place is not Place.UNSCHEDULABLE and (failed or label.startswith(OWN_UPDATE)):
            self.log.add(self._loop.now, "queue", **fields)
        if failed and hint is not None:
            fields["hint"] = str(hint.value)
        self.log.add(self._loop.now, "queue", **fields)

    def _waits_for(self, queued: QueuedPod, plugins: set[str], change: int) -> None:
        name = queued.pod.shape.spec.scheduler_name or ""
        self.metrics.waits_for(sorted(plugins), name, change)

    # Waking.

    def _wake(self) -> None:
        """Go on with attempts once everything that is known at this instant has been heard."""
        if not self._awake and self.queue.has_next():
            self._awake = True
            self._loop.soon(self._run, priority=LATE)
        self._set_backoff_alarm()

    def _run(self) -> None:
        self._awake = False
        while (queued := self.queue.pop(self._loop.now)) is not None:
            self._attempt(queued)
        self._set_backoff_alarm()

    def _set_backoff_alarm(self) -> None:
        due = self.queue.next_backoff_flush(self._loop.now)
        if due == self._backoff_due:
            return
        if self._backoff_alarm is not None:
            self._backoff_alarm.cancel()
        self._backoff_due = due
        self._backoff_alarm = None
        if due is not None:
            self._backoff_alarm = self._loop.at(due, self._flush_backoff)

    def _flush_backoff(self) -> None:
        self._backoff_due = None
        self.queue.flush_backoff(self._loop.now)
        self._wake()

    def _flush_unschedulable(self) -> None:
        self.queue.flush_unschedulable(self._loop.now)
        self._wake()

    # One attempt.

    def _attempt(self, queued: QueuedPod) -> None:
        info = queued.pod
        self._waits_for(queued, queued.rejectors, -1)
        queued.rejected_by, queued.pending_on = set(), set()
        pod = self._port.pod(info.namespace, info.name)
        if pod is None or pod.uid != info.uid or pod.node:
            self.queue.done(info.uid)
            return
        if pod.deletion is not None:
            self._skip_deleting(pod, info)
            return
        self.log.add(self._loop.now, "attempt", pod=info.key)
        framework = self._framework(info)
        search = Search(self._next_start, self._percentage(framework), self._options.tie_break)
        attempt = self.engine.attempt(framework, info, search)
        self._next_start = attempt.next_start
        if attempt.result is Result.SCHEDULED:
            self._bind(queued, pod, attempt)
        else:
            self._failed(queued, pod, attempt)

    def _percentage(self, framework: Framework) -> int:
        own = framework.profile.percentage_of_nodes_to_score
        return self._configuration.percentage_of_nodes_to_score if own is None else own

    def _skip_deleting(self, pod: Pod, info: PodInfo) -> None:
        note = f"skip schedule deleting pod: {info.key}"
        self.log.add(self._loop.now, "skip_deleting", pod=info.key)
        self._port.record(pod, "Warning", "FailedScheduling", "Scheduling", note)
        self.queue.done(info.uid)

    def _bind(self, queued: QueuedPod, pod: Pod, attempt: Attempt) -> None:
        info = queued.pod
        snapshot = self.cache.snapshot()
        node = snapshot.nodes.info(attempt.row).name
        framework = self._framework(info)
        status = framework.reserve(attempt.state, info, snapshot, node)
        if not status.is_success:
            self._refused(queued, pod, status)
            return
        self._informers.assume(info, node)
        try:
            self._port.bind(pod, node)
        except ApiError as refusal:
            self._binding_failed(queued, attempt, node, refusal)
            return
        self.queue.done(info.uid)
        profile = framework.profile.scheduler_name
        self.metrics.attempt(profile, "scheduled")
        self.metrics.scheduled_after(queued.attempts)
        if self.log.enabled:
            self._log_bound(info, node, attempt)
        note = f"Successfully assigned {info.key} to {node}"
        self._port.record(pod, "Normal", "Scheduled", "Binding", note)

    def _log_bound(self, info: PodInfo, node: str, attempt: Attempt) -> None:
        feasible = len(attempt.feasible)
        evaluated = feasible + int(attempt.diagnosis.explicit().sum())
        self.log.add(
            self._loop.now,
            "bound",
            pod=info.key,
            node=node,
            evaluatedNodes=str(evaluated),
            feasibleNodes=str(feasible),
        )

    # Failures.

    def _refused(self, queued: QueuedPod, pod: Pod, status: Status) -> None:
        """Reserve said no: a rejection by one plugin, or an error."""
        rejected = {status.plugin} if status.is_rejected else set()
        self._take_back(queued, pod, (rejected, set()), (status.message, ""))

    def _binding_failed(
        self, queued: QueuedPod, attempt: Attempt, node: str, refusal: ApiError
    ) -> None:
        info = queued.pod
        snapshot = self.cache.snapshot()
        self._framework(info).unreserve(attempt.state, info, snapshot, node)
        self._informers.forget(info)
        pod = self._port.pod(info.namespace, info.name)
        if pod is None or pod.uid != info.uid or pod.node:
            self.queue.done(info.uid)
            return
        message = f'running Bind plugin "DefaultBinder": {refusal.message}'
        self._take_back(queued, pod, (set(), set()), (message, ""))

    def _failed(self, queued: QueuedPod, pod: Pod, attempt: Attempt) -> None:
        diagnosis = attempt.diagnosis
        result = attempt.post_filter
        info = queued.pod
        if result is not None and attempt.error != NO_NODES:
            self.metrics.preemption_attempt()
        if result is not None and result.candidates:
            fields = {"pod": info.key, "node": result.nominated_node}
            self.log.add(self._loop.now, "preempt_target", **fields)
            self._start_preemption(info, attempt)
        nominated = "" if result is None else result.nominated_node
        plugins = (diagnosis.unschedulable_plugins, diagnosis.pending_plugins)
        self._take_back(queued, pod, plugins, (attempt.message, nominated))

    def _take_back(
        self,
        queued: QueuedPod,
        pod: Pod,
        plugins: tuple[set[str], set[str]],
        told: tuple[str, str | None],
    ) -> None:
        """Put a pod back after a failed attempt and tell the API server why.

        Args:
            queued: The pod.
            pod: Its present state in the store.
            plugins: Who rejected it, and who answered Pending.
            told: The message, and the nomination: a node, empty to clear it, None to keep it.
        """
        info, now = queued.pod, self._loop.now
        message, nominated = told
        rejected = bool(plugins[0] or plugins[1]) or message == NO_NODES
        profile = self._framework(info).profile.scheduler_name
        self.metrics.attempt(profile, "unschedulable" if rejected else "error")
        if self.log.enabled:
            self.log.add(now, "nofit", pod=info.key, err=message)
        self.queue.fail(queued, *plugins, now)
        self._waits_for(queued, queued.rejectors, 1)
        if nominated:
            self.nominator.add(info, nominated)
        elif nominated == "":
            self.nominator.remove(info.uid)
        self._tell(pod, "Unschedulable" if rejected else "SchedulerError", message, nominated)

    def _tell(self, pod: Pod, reason: str, message: str, nominated: str | None) -> None:
        self._port.record(pod, "Warning", "FailedScheduling", "Scheduling", message)
        self._port.fail_attempt(pod, reason, message, nominated)

    # Preemption.

    def _start_preemption(self, info: PodInfo, attempt: Attempt) -> None:
        assert attempt.post_filter is not None
        victims = attempt.post_filter.candidates[0]
        lower = [
            other for other in self.nominator.on(victims.node) if other.priority < info.priority
        ]
        self._preemption.start(info, victims, lower)

    def _preemption_failed(self, info: PodInfo) -> None:
        self.queue.activate(info.uid, self._loop.now)
        self._wake()


def _key(obj: Json | Pod) -> Key:
    if isinstance(obj, Pod):
        return obj.key
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
