"""The queue itself: activeQ, backoffQ, the error back-off queue and the unschedulable pods.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/scheduling_queue.go, v1.36.1;
specification, section 7 and appendix D.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from gpusched.cluster.pod import PodInfo
from gpusched.errors import InvariantError
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventResource
from gpusched.kube.framework.status import Status
from gpusched.kube.queue.backoff import SECOND, Backoff
from gpusched.kube.queue.entity import Place, QueuedPod
from gpusched.kube.queue.heap import PodHeap
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.in_flight import InFlight
from gpusched.kube.queue.unschedulable import UnschedulablePods
from gpusched.kube.queue.waking import Waking, woken

UNSCHEDULABLE_TIMEOUT = ClusterEvent(EventResource.WILDCARD, Action.ALL, "UnschedulableTimeout")
FORCE_ACTIVATE = ClusterEvent(EventResource.WILDCARD, Action.ALL, "ForceActivate")
POD_ADD = "UnschedulablePodAdd"
ATTEMPT_FAILURE = "ScheduleAttemptFailure"
BACKOFF_COMPLETE = "BackoffComplete"
POP_FROM_BACKOFF = "PopFromBackoffQ"

Observer: TypeAlias = Callable[[QueuedPod, str, Place, Worth | None, int], None]
"""(pod, event label, where it went, the hint where a failed attempt was judged, how many pods
fared so: this one and others that stay out behind the same gate)."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How the queue behaves.

    Attributes:
        backoff: The back-off rule.
        pop_from_backoff: An empty activeQ takes from backoffQ (gate SchedulerPopFromBackoffQ).
        max_unschedulable: After this long the flush wakes a pod whatever happened; microseconds.
        tell_each: The observer hears of every pod by itself, for a log; pods that stay out behind
            the same gate are told of together else.
    """

    backoff: Backoff = field(default_factory=Backoff)
    pop_from_backoff: bool = True
    max_unschedulable: int = 300 * SECOND
    tell_each: bool = False


def _active_key(queued: QueuedPod) -> tuple[int, int]:
    """PrioritySort: higher priority first, then the older timestamp."""
    return (-queued.pod.priority, queued.timestamp)


class SchedulingQueue:
    """All pods of one scheduler that wait for a node.

    Args:
        settings: Back-off and flush.
        hints: Queueing hints by scheduler name.
        pre_enqueue: Says whether a pod may enter activeQ or backoffQ, given the plugin that has
            kept it out so far: that one is asked first.
        observe: Is told of every arrival in a queue, for logs and metrics.
        departed: Is told of every pod that is forgotten while it waits.

    Attributes:
        settings: As given.
        cycle: How many pods have been popped.
        stirred: Whether a pod has come to an empty activeQ or to a back-off queue, or has left
            one, since somebody last cleared this: `has_next` and `next_backoff_flush` may answer
            anew.
    """

    def __init__(
        self,
        settings: QueueSettings,
        hints: Mapping[str, QueueingHints],
        pre_enqueue: Callable[[PodInfo, str], Status],
        observe: Observer = lambda *_: None,
        departed: Callable[[QueuedPod], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._hints = hints
        self._gates = [gate for profile in hints.values() for gate in profile.gates.values()]
        self._pre_enqueue = pre_enqueue
        self._observe = observe
        self._departed = departed
        self._pods: dict[str, QueuedPod] = {}
        self._active = PodHeap(Place.ACTIVE, _active_key)
        self._backoff = PodHeap(
            Place.BACKOFF, lambda q: (settings.backoff.expiration(q), *_active_key(q))
        )
        self._errors = PodHeap(Place.BACKOFF, lambda q: (settings.backoff.expiration(q),))
        self._unschedulable = UnschedulablePods()
        self._interest: dict[ClusterEvent, tuple[str, ...]] = {}
        self._in_flight = InFlight()
        self._sequence = 0
        self.cycle = 0
        self.stirred = False

    def find(self, uid: str) -> QueuedPod | None:
        """Return what the queue holds of a pod, in flight or waiting."""
        return self._pods.get(uid)

    def waiting(self) -> Iterable[QueuedPod]:
        """Return all pods the queue knows, in order of arrival, in flight ones too."""
        return self._pods.values()

    def depths(self) -> dict[str, int]:
        """Return ``scheduler_pending_pods`` by queue."""
        gated = self._unschedulable.gated
        return {
            "active": len(self._active),
            "backoff": len(self._backoff) + len(self._errors),
            "unschedulable": len(self._unschedulable) - gated,
            "gated": gated,
        }

    # Arrivals, changes, departures.

    def add(self, pod: PodInfo, now: int) -> None:
        """Take in a new unassigned pod."""
        self._sequence += 1
        queued = QueuedPod(pod, now, self._sequence)
        self._pods[pod.uid] = queued
        self._to_active(queued, POD_ADD, now)

    def update(self, pod: PodInfo, events: Iterable[tuple[ClusterEvent, Change]], now: int) -> None:
        """Take in a new version of an unassigned pod.

        Args:
            pod: The new version.
            events: What changed, in upstream's order; judged against this pod alone.
            now: Microseconds.
        """
        queued = self._pods.get(pod.uid)
        if queued is None:
            self.add(pod, now)
            return
        queued.pod = pod
        if queued.place is Place.IN_FLIGHT:
            self._in_flight.hear(events)
            return
        if queued.place is not Place.UNSCHEDULABLE:
            return
        self._unschedulable.regroup(queued)
        self._unschedulable.doubt(queued)
        for event, change in events:
            worth = self._judge(queued, event, change)
            if worth is not Worth.SKIP:
                self._requeue(queued, worth, event.label, now)
                return

    def delete(self, uid: str) -> None:
        """Forget a pod."""
        queued = self._pods.pop(uid, None)
        if queued is None:
            return
        self._leave(queued)
        if queued.place is not Place.IN_FLIGHT:
            self._departed(queued)

    # Attempts.

    def has_next(self) -> bool:
        """Return whether `pop` would give a pod."""
        if self._active.peek() is not None:
            return True
        return self.settings.pop_from_backoff and self._backoff.peek() is not None

    def pop(self, now: int) -> QueuedPod | None:
        """Take the next pod for an attempt, or return None.

        With activeQ empty the head of backoffQ goes at once, whatever its back-off; pods that
        failed with an error keep to theirs.
        """
        queued = self._active.pop()
        if queued is None and self.settings.pop_from_backoff:
            queued = self._backoff.pop()
            if queued is not None:
                self._observe(queued, POP_FROM_BACKOFF, Place.ACTIVE, None, 1)
        if queued is None:
            return None
        queued.place = Place.IN_FLIGHT
        queued.attempts += 1
        self.cycle += 1
        self.stirred = True
        self._in_flight.begin(queued.pod.uid)
        if queued.first_queued is None:
            queued.first_queued = now
        return queued

    def done(self, uid: str) -> None:
        """End the bookkeeping of an attempt; its pod leaves the queue unless it was requeued."""
        self._in_flight.land(uid)
        queued = self._pods.get(uid)
        if queued is not None and queued.place is Place.IN_FLIGHT:
            del self._pods[uid]
            if not self._pods:
                self._pods = {}  # an empty table keeps its places, which may have been a million

    def fail(
        self, queued: QueuedPod, rejected_by: frozenset[str], pending_on: frozenset[str], now: int
    ) -> None:
        """Take back a pod whose attempt failed (section 7.4).

        Args:
            queued: The pod.
            rejected_by: Plugins that rejected it; empty for an error.
            pending_on: Plugins that answered Pending.
            now: Microseconds.
        """
        queued.rejected_by, queued.pending_on = rejected_by, pending_on
        queued.timestamp = now
        queued.backoff_expiration = None
        queued.gated_by = ""
        missed = self._in_flight.land(queued.pod.uid)
        if not queued.rejectors:
            queued.consecutive_errors += 1
            self._requeue(queued, Worth.AFTER_BACKOFF, ATTEMPT_FAILURE, now, judged=True)
            return
        queued.unschedulable_count += 1
        queued.consecutive_errors = 0
        worth = Worth.SKIP
        for event, change in missed:
            worth = max(worth, self._judge(queued, event, change), key=lambda w: w.value)
        self._requeue(queued, worth, ATTEMPT_FAILURE, now, judged=True)

    # Events.

    @property
    def listens(self) -> bool:
        """Return whether `move` could mean anything to anybody now."""
        return bool(self._unschedulable.kin_of or self._in_flight.began)

    def move(
        self,
        event: ClusterEvent,
        change: Change | None,
        now: int,
        only: Callable[[PodInfo], bool] = lambda _: True,
    ) -> None:
        """Wake the pods that the event may help; remember it for attempts under way.

        Args:
            event: What happened.
            change: The objects of the event.
            now: Microseconds.
            only: Which waiting pods may be woken at all; looks at nothing but their shape.
        """
        plugins = self._interested(event)
        if not plugins:
            return
        self._hear_gates()
        found: list[Waking] = []
        for kin in self._unschedulable.rejected_by_any(plugins):
            if only(kin.sample.pod):
                hints = self._hints_of(kin.sample)
                found += woken(kin, hints, event, change, each=self.settings.tell_each)
        for queued, worth, count in sorted(found, key=lambda waking: waking.queued.sequence):
            if worth is None:
                self._observe(queued, event.label, Place.UNSCHEDULABLE, None, count)
            else:
                self._requeue(queued, worth, event.label, now)
        if self._in_flight.began:
            self._in_flight.hear(((event, change),))

    def activate(self, uid: str, now: int) -> None:
        """Wake one pod whatever it waits for (its preemption has failed, say)."""
        queued = self._pods.get(uid)
        if queued is None:
            return
        if queued.place is Place.IN_FLIGHT:
            self._in_flight.hear(((FORCE_ACTIVATE, None),))
        elif queued.place in (Place.UNSCHEDULABLE, Place.BACKOFF):
            self._to_active(queued, FORCE_ACTIVATE.label, now)

    def flush_backoff(self, now: int) -> None:
        """Move pods whose back-off has ended to activeQ; to be called every second."""
        for heap in (self._backoff, self._errors):
            while (queued := heap.peek()) and not self.settings.backoff.holds(queued, now):
                heap.pop()
                self._active.push(queued)
                self.stirred = True
                self._observe(queued, BACKOFF_COMPLETE, Place.ACTIVE, None, 1)

    def flush_unschedulable(self, now: int) -> None:
        """Wake pods that have waited too long; to be called every 30 seconds."""
        limit = self.settings.max_unschedulable
        for queued in self._unschedulable:
            if not queued.gated_by and now - queued.timestamp >= limit:
                self._requeue(queued, Worth.AFTER_BACKOFF, UNSCHEDULABLE_TIMEOUT.label, now)

    def next_backoff_flush(self, now: int) -> int | None:
        """Return the first instant at which `flush_backoff` has something to do, or None."""
        heads = [queued for heap in (self._backoff, self._errors) if (queued := heap.peek())]
        if not heads:
            return None
        first = min(self.settings.backoff.expiration(queued) for queued in heads)
        return max(self.settings.backoff.released(first), now)

    def _interested(self, event: ClusterEvent) -> tuple[str, ...]:
        """Return the plugins of any profile that have registered for the event."""
        found = self._interest.get(event)
        if found is None:
            names = {name for hints in self._hints.values() for name in hints.plugins(event)}
            found = self._interest[event] = tuple(sorted(names))
        return found

    def _hear_gates(self) -> None:
        """Ask plugins whose gate may have opened; such pods are asked about at the next event."""
        for uid in chain.from_iterable(gate.opened() for gate in self._gates):
            if (queued := self._pods.get(uid)) is not None:
                self._unschedulable.doubt(queued)

    def _judge(self, queued: QueuedPod, event: ClusterEvent, change: Change | None) -> Worth:
        hints = self._hints_of(queued)
        if queued.gated_by and not hints.interested(queued.gated_by, event):
            return Worth.SKIP
        return hints.worth(queued, event, change)

    def _hints_of(self, queued: QueuedPod) -> QueueingHints:
        hints = self._hints.get(queued.pod.shape.scheduler)
        if hints is None:
            raise InvariantError(f"pod {queued.pod.key} waits for a scheduler without a profile")
        return hints

    # Moves.

    def _requeue(
        self, queued: QueuedPod, worth: Worth, label: str, now: int, *, judged: bool = False
    ) -> None:
        hint = worth if judged else None
        if worth is Worth.SKIP:
            self._to_unschedulable(queued)
            self._observe(queued, label, Place.UNSCHEDULABLE, hint, 1)
        elif worth is Worth.AFTER_BACKOFF and self.settings.backoff.holds(queued, now):
            self._to_backoff(queued, label, hint)
        else:
            self._to_active(queued, label, now, hint)

    def _to_active(
        self, queued: QueuedPod, label: str, now: int, hint: Worth | None = None
    ) -> None:
        if self._gate(queued):
            self._observe(queued, label, Place.UNSCHEDULABLE, hint, 1)
            return
        self._leave(queued)
        if queued.first_queued is None:
            queued.first_queued = now
        if self._active.peek() is None:
            self.stirred = True
        self._active.push(queued)
        self._observe(queued, label, Place.ACTIVE, hint, 1)

    def _to_backoff(self, queued: QueuedPod, label: str, hint: Worth | None) -> None:
        if self._gate(queued):
            self._observe(queued, label, Place.UNSCHEDULABLE, hint, 1)
            return
        self._leave(queued)
        self.stirred = True
        (self._backoff if queued.rejectors else self._errors).push(queued)
        self._observe(queued, label, Place.BACKOFF, hint, 1)

    def _gate(self, queued: QueuedPod) -> bool:
        """Run PreEnqueue; a gated pod waits among the unschedulable ones."""
        status = self._pre_enqueue(queued.pod, queued.gated_by)
        if status.is_success:
            queued.gated_by = ""
            return False
        if queued.place is Place.UNSCHEDULABLE and queued.gated_by == status.plugin:
            self._unschedulable.trust(queued)
            return True
        self._leave(queued)
        queued.gated_by = status.plugin
        queued.rejected_by |= {status.plugin}
        self._to_unschedulable(queued)
        return True

    def _to_unschedulable(self, queued: QueuedPod) -> None:
        self._leave(queued)
        queued.place = Place.UNSCHEDULABLE
        self._unschedulable.add(queued)

    def _leave(self, queued: QueuedPod) -> None:
        place = queued.place
        if place is Place.UNSCHEDULABLE:
            self._unschedulable.discard(queued)
        elif place is Place.ACTIVE or place is Place.BACKOFF:
            self.stirred = True
            for heap in (self._active, self._backoff, self._errors):
                heap.discard(queued)
