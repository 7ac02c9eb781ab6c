"""The two event recorders: what becomes a new event, what a count, what is dropped.

Source: k8s.io/client-go tools/record/events_cache.go (core/v1), tools/events/event_broadcaster.go
(events.k8s.io), v0.36.1
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Protocol

from gpusched.controllers.protocol import Emit
from gpusched.sim.calendar import SECOND
from gpusched.sim.event_log import EventRecord, Wording
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.store import Store

SIMILAR = 10
"""From the so-many-th distinct message on, similar events are combined into one."""
SIMILAR_WINDOW = 600 * SECOND
SPAM_BURST = 25
SPAM_REFILL = 300 * SECOND
SERIES_REFRESH = 1800 * SECOND
SERIES_FINISH = 360 * SECOND


class Sender(Protocol):
    """Who carries a recorder's writes to the API server."""

    def send(self, action: Callable[[], None]) -> None:
        """Carry out a write, now or later, in the order of the calls."""


_Identity = tuple[str, str, str, str]
"""Kind, namespace, name and uid of what an event is about."""


@dataclass(slots=True)
class _Similar:
    """Distinct messages of similar events within the window."""

    messages: tuple[str, ...]
    last: int


class CoreRecorder:
    """A controller's recorder: aggregation, counts and a spam filter per object.

    Args:
        store: Where events go.
        component: ``source.component``.
        sender: The client whose budget each write costs.
    """

    def __init__(self, store: Store, component: str, sender: Sender) -> None:
        self._store = store
        self._component = component
        self._sender = sender
        self._queue: deque[tuple[Emit, int]] = deque()
        self._sending = False
        self._similar: dict[Any, _Similar] = {}
        self._counts: dict[Any, tuple[int, int, int | None]] = {}
        self._spam: dict[Any, tuple[int, int]] = {}

    def emit(self, event: Emit) -> None:
        """Record an event; it is written when the ones before it are."""
        self._queue.append((event, self._store.now))
        if not self._sending:
            self._next()

    def _next(self) -> None:
        """Take events from the queue until one has to be written."""
        while self._queue:
            event, at = self._queue.popleft()
            write = self._correlate(event, at)
            if write is not None:
                self._sending = True
                self._sender.send(lambda write=write: self._write(write))  # type: ignore[misc]  # mypy: a lambda's default
                return
        self._sending = False

    def _write(self, write: Callable[[], None]) -> None:
        write()
        self._sending = False
        self._next()

    def _correlate(self, event: Emit, at: int) -> Callable[[], None] | None:
        """Return the write that an event leads to, or None when it is dropped."""
        who = _identity(event)
        message, key, combined = self._aggregate(who, event, at)
        count, first, number = self._counts.get(key, (0, at, None))
        count += 1
        self._counts[key] = (count, first, number)
        if not self._spends((*who, event.type), at):
            return None
        if number is not None:
            return lambda: self._count_up(number, message, count, at)
        reporting = "" if combined else self._component
        parts = (event.type, event.reason, message, self._component, reporting, count, first, at)
        return lambda: self._add(key, event.regarding, parts)

    def _aggregate(self, who: _Identity, event: Emit, at: int) -> tuple[str, Any, bool]:
        """Return an event's message, its key, and whether it stands for similar ones too."""
        group, message = (who, event.type, event.reason), event.message
        similar = self._similar.get(group)
        if similar is None or at - similar.last > SIMILAR_WINDOW:
            similar = self._similar[group] = _Similar((), at)
        similar.last = at
        if message not in similar.messages:
            if len(similar.messages) + 1 >= SIMILAR:
                return f"(combined from similar events): {message}", group, True
            similar.messages += (message,)
        return message, (*group, message), False

    def _spends(self, bucket: tuple[str, ...], at: int) -> bool:
        """Take a token of an object's bucket for one type of events; False when there is none."""
        tokens, since = self._spam.get(bucket, (SPAM_BURST * SPAM_REFILL, at))
        tokens = min(SPAM_BURST * SPAM_REFILL, tokens + at - since)
        allowed = tokens >= SPAM_REFILL
        self._spam[bucket] = (tokens - SPAM_REFILL if allowed else tokens, at)
        return allowed

    def _add(self, key: Any, regarding: Mapping[str, str], parts: tuple[Any, ...]) -> None:
        if regarding.get("namespace") in self._store.closing:
            return  # refused
        name = f"{regarding['name']}.{self._store.version + 1:016x}"
        number = self._store.add_event(EventRecord(name, regarding, *parts))
        count, first, _ = self._counts[key]
        self._counts[key] = (count, first, number)

    def _count_up(self, number: int, message: str, count: int, at: int) -> None:
        old = self._store.event(number)
        self._store.update_event(number, replace(old, message=message, count=count, last=at))


def _identity(event: Emit) -> _Identity:
    ref = event.regarding
    return ref["kind"], ref.get("namespace", ""), ref["name"], ref.get("uid", "")


class SeriesRecorder:
    """The scheduler's recorder: the same event about the same state of an object becomes a series.

    The stored count stays at 2 until a refresh (every 30 minutes) or until the series has been idle
    for 6 minutes.

    Args:
        store: Where events go.
        started: When the scheduler started: the zero of its tickers.
        host: The host name in ``reportingInstance``.
    """

    def __init__(self, store: Store, started: int, host: str = "<host>") -> None:
        self._store = store
        self._host = host
        self._sorts: dict[tuple[str | bool, ...], _Sort] = {}
        self._assigned: dict[PodTemplate, Wording] = {}
        self._series: dict[int, tuple[int, int]] = {}
        store.loop.every(started + SERIES_REFRESH, SERIES_REFRESH, self._refresh)
        store.loop.every(started + SERIES_FINISH, SERIES_FINISH, self._finish)

    def record(self, pod: Pod, kind: str, reason: str, action: str, note: str) -> None:
        """Record an event about a pod.

        Args:
            pod: The pod as the scheduler last saw it; its resourceVersion is part of the event's
                key.
            kind: ``Normal`` or ``Warning``.
            reason: CamelCase reason.
            action: What was done.
            note: The text.
        """
        sort = self._sort(pod, kind, reason, action)
        number = sort.known.get(pod.version)
        if number is None and pod.namespace in self._store.closing:
            return  # refused
        if number is None:
            sort.known[pod.version] = self._store.add_sighting(sort.wording, pod, note)
            return
        now = self._store.now
        count, _ = self._series.get(number, (1, now))
        self._series[number] = (count + 1, now)
        if count == 1:
            self._write(number)

    def assigned(self, pod: Pod, node: str) -> None:
        """Record that a pod was bound to a node: it never is again, so there is no series."""
        wording = self._assigned.get(pod.template)
        if wording is None:
            wording = self._sort(pod, "Normal", "Scheduled", "Binding", assigned=True).wording
            self._assigned[pod.template] = wording
        self._store.add_sighting(wording, pod, node)

    def _sort(
        self, pod: Pod, kind: str, reason: str, action: str, *, assigned: bool = False
    ) -> "_Sort":
        template = pod.template
        scheduler = template.spec.get("schedulerName") or "default-scheduler"
        key = (kind, reason, action, template.namespace, scheduler, assigned)
        found = self._sorts.get(key)
        if found is None:
            found = self._sorts[key] = _Sort(Wording(*key, self._host))
        return found

    def _write(self, number: int) -> None:
        series = self._series[number]
        record = self._store.event(number)
        if record.series != series:
            self._store.update_event(number, replace(record, series=series))

    def _refresh(self) -> None:
        for number in self._series:
            self._write(number)

    def _finish(self) -> None:
        """Write and forget the series that have been idle, and forget single events."""
        idle = self._store.now - SERIES_FINISH
        over = []
        for sort in self._sorts.values():
            for version, number in sort.known.items():
                series = self._series.get(number)
                last = series[1] if series else self._store.event_written(number)
                if last < idle:
                    over.append((number, version, sort))
        over.sort(key=itemgetter(0))
        for number, version, sort in over:
            if number in self._series:
                self._write(number)
                del self._series[number]
            del sort.known[version]


@dataclass(frozen=True, slots=True, eq=False)
class _Sort:
    """Events that differ by their pod alone.

    Attributes:
        wording: What they share.
        known: The number of the event about the state of a pod, by its resourceVersion.
    """

    wording: Wording
    known: dict[int, int] = field(default_factory=dict)
