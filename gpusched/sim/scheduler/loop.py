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
from gpusched.controllers.protocol import Change as Write
from gpusched.controllers.protocol import Key
from gpusched.kube.cycle import (
    TieBreak,
    heap_tie_break,
)
from gpusched.kube.engine import Engine, engine_named
from gpusched.kube.framework.runtime import Framework, Registry
from gpusched.kube.framework.status import Status
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE, is_in_tree
from gpusched.kube.queue.backoff import SECOND, Backoff
from gpusched.kube.queue.entity import NOBODY, Place, QueuedPod
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.scheduling_queue import (
    ATTEMPT_FAILURE,
    POP_FROM_BACKOFF,
    QueueSettings,
    SchedulingQueue,
)
from gpusched.sim.calendar import Calendar
from gpusched.sim.latency import ZERO, Latency
from gpusched.sim.loop import LATE, Alarm, Loop
from gpusched.sim.pod import Json, Pod
from gpusched.sim.scheduler.attempts import Attempts, Parts
from gpusched.sim.scheduler.compiling import WATCHED, Compiler
from gpusched.sim.scheduler.informers import Informers
from gpusched.sim.scheduler.metrics import SchedulerLog, SchedulerMetrics
from gpusched.sim.scheduler.port import SchedulerPort
from gpusched.sim.scheduler.preempting import Preemption

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
        latency: How long attempts and preemptions take.
        keep_log: Whether to keep the log of moves.
        log: Who keeps it instead.
        engine: One of `ENGINES`.
    """

    tie_break: TieBreak = heap_tie_break
    draw: Callable[[int], int] = lambda _bound: 0
    registry: Registry = field(default_factory=lambda: IN_TREE)
    pop_from_backoff: bool = True
    started: int = 0
    flush_delay: int = 0
    latency: Latency = ZERO
    keep_log: bool = False
    log: SchedulerLog | None = None
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
        self.log = options.log or SchedulerLog(options.keep_log)
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
        compiler = Compiler(self.cache.resources, calendar, whole=not is_in_tree(options.registry))
        self._informers = Informers(
            compiler,
            self.cache,
            self.queue,
            self.nominator,
            self.frameworks.__contains__,
            lambda: loop.now,
        )
        self._parts = self._assemble()
        percentage = configuration.percentage_of_nodes_to_score
        self._attempts = Attempts(self._parts, percentage, options.tie_break)
        self._awake = False
        self._busy = False
        self._backoff_alarm: Alarm | None = None
        self._backoff_due: int | None = None

    def _assemble(self) -> Parts:
        watchers = (self.metrics, self.log)
        preemption = Preemption(
            self._loop,
            self._port,
            watchers,
            self._options.latency,
            self._preemption_failed,
        )
        return Parts(
            loop=self._loop,
            port=self._port,
            frameworks=self.frameworks,
            engine=self.engine,
            cache=self.cache,
            queue=self.queue,
            nominator=self.nominator,
            informers=self._informers,
            preemption=preemption,
            metrics=self.metrics,
            log=self.log,
        )

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
            if self.queue.stirred:
                self._wake()

        present: list[Json | Pod] = []
        present += self._port.pods() if kind == "Pod" else self._port.objects(kind)
        for obj in present:
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
            tell_each=self.log.follows,
        )
        hints = {name: QueueingHints(f.plugins) for name, f in self.frameworks.items()}
        return SchedulingQueue(settings, hints, self._pre_enqueue, self._observe, self._departed)

    def _departed(self, queued: QueuedPod) -> None:
        self._parts.waits_for(queued, NOBODY)

    def _pre_enqueue(self, pod: PodInfo, gate: str) -> Status:
        framework = self.frameworks[pod.shape.scheduler]
        return framework.pre_enqueue(pod, self.cache.snapshot(), gate)

    def _observe(
        self, queued: QueuedPod, label: str, place: Place, hint: Worth | None, count: int
    ) -> None:
        self.metrics.incoming(label, place, count)
        if label == POP_FROM_BACKOFF:
            return
        if queued.gated_by and place is Place.UNSCHEDULABLE:
            self._parts.waits_for(queued, queued.rejectors)
        if self.log.follows:
            self._log_move(queued, label, place, hint)

    def _log_move(self, queued: QueuedPod, label: str, place: Place, hint: Worth | None) -> None:
        """Some moves are logged twice upstream: by who moves the pod, and by who asked for it."""
        now, pod = self._loop.now, queued.pod.key
        failed = label == ATTEMPT_FAILURE
        if place is not Place.UNSCHEDULABLE and (failed or label.startswith(OWN_UPDATE)):
            self.log.moved(now, pod, label, place, None)
        worth = hint.value if failed and hint is not None else None
        self.log.moved(now, pod, label, place, worth)

    # Waking.

    def _wake(self) -> None:
        """Go on with attempts once everything that is known at this instant has been heard."""
        self.queue.stirred = False
        if not self._awake and not self._busy and self.queue.has_next():
            self._awake = True
            self._loop.soon(self._run, priority=LATE)
        self._set_backoff_alarm()

    def _run(self) -> None:
        self._awake = False
        self._attempts.begin()
        latency = self._options.latency
        while (queued := self.queue.pop(self._loop.now)) is not None:
            wrote = self._attempts.run(queued)
            pause = latency.attempt + (latency.refusal if wrote else 0)
            if pause:
                self._busy = True
                self._loop.at(self._loop.now + pause, self._go_on)
                break
        self.queue.stirred = False
        self._set_backoff_alarm()

    def _go_on(self) -> None:
        self._busy = False
        self._wake()

    def _preemption_failed(self, info: PodInfo) -> None:
        self.queue.activate(info.uid, self._loop.now)
        self._wake()

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


def _key(obj: Json | Pod) -> Key:
    if isinstance(obj, Pod):
        return obj.key
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
