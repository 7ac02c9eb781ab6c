"""The journal replayed: every object as it was at any moment of the run.

Pods are taken from state to state by the very steps that made them first (`sim.steps`).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from gpusched.run.leases import node_lease
from gpusched.sim.calendar import Calendar
from gpusched.sim.event_log import EventRecord
from gpusched.sim.journal import (
    EVENT_WRITTEN,
    OBJECT_DELETED,
    OBJECT_WRITTEN,
    POD_CREATED,
    POD_DELETED,
    POD_REPLACED,
    Row,
)
from gpusched.sim.manifest import manifest_of
from gpusched.sim.pod import Json, Pod
from gpusched.sim.steps import STEPS

_UNIX_EPOCH: Final = "1970-01-01T00:00:00Z"


class PodChange(NamedTuple):
    """One write of a pod.

    Attributes:
        at: Microseconds since t = 0.
        old: Its state before; None when it was created.
        new: Its state after; None when it was removed.
    """

    at: int
    old: Pod | None
    new: Pod | None


@dataclass(slots=True)
class Replay:
    """The state after some rows of a journal.

    Attributes:
        rows: The whole journal.
        position: How many rows have been played.
        pods: Pods by serial number, oldest first.
        objects: Everything else by kind, namespace and name, oldest first.
        events: Events by their number.
        swept: Numbers of events that went with their namespaces.
    """

    rows: Sequence[Row]
    position: int = 0
    pods: dict[int, Pod] = field(default_factory=dict)
    objects: dict[tuple[str, str, str], Json] = field(default_factory=dict)
    events: dict[int, EventRecord] = field(default_factory=dict)
    swept: set[int] = field(default_factory=set)

    def advance(self, until: int | None = None) -> Iterator[PodChange]:
        """Play on through all rows at or before ``until``; yield each write of a pod."""
        end = len(self.rows)
        if until is not None:
            end = bisect_right(self.rows, until, key=lambda row: row.at)
        for row in map(self.rows.__getitem__, range(self.position, end)):
            change = self.play(row)
            if change is not None:
                yield change

    def one(self) -> PodChange | None:
        """Play one row; return the write of a pod if it was one."""
        return self.play(self.rows[self.position])

    def play(self, row: Row) -> PodChange | None:
        """Play the next row, which is at hand already."""
        self.position += 1
        if row.what <= POD_DELETED:
            return self._play_pod(row)
        self._play_object(row)
        return None

    def jump(self, until: int | None = None) -> "Replay":
        """Play on and return itself."""
        for _ in self.advance(until):
            pass
        return self

    def kept_events(self) -> list[EventRecord]:
        """Return the events that the API server still has, oldest first."""
        return [event for number, event in self.events.items() if number not in self.swept]

    def _play_object(self, row: Row) -> None:
        if row.what is OBJECT_WRITTEN:
            meta = row.detail["metadata"]
            key = (row.detail["kind"], meta.get("namespace", ""), meta["name"])
            self.objects[key] = row.detail
        elif row.what is OBJECT_DELETED:
            del self.objects[row.detail]
            if row.detail[0] == "Namespace":
                self.swept |= {
                    number
                    for number, event in self.events.items()
                    if event.namespace == row.detail[2]
                }
        elif row.what is EVENT_WRITTEN:
            self.events[row.subject] = row.detail

    def _play_pod(self, row: Row) -> PodChange:
        old = self.pods.get(row.subject)
        if row.what is POD_DELETED:
            del self.pods[row.subject]
            return PodChange(row.at, old, None)
        new = _next_state(old, row)
        new.version = row.version
        self.pods[row.subject] = new
        return PodChange(row.at, old, new)


def _next_state(old: Pod | None, row: Row) -> Pod:
    if row.what is POD_CREATED:
        template, name = row.detail
        return Pod(template, name, row.subject, row.at)
    if row.what is POD_REPLACED:
        replaced: Pod = row.detail
        return replaced.copy()
    assert old is not None, "a step of a pod that was never created"
    number, argument = row.detail
    stepped: Pod = STEPS[number](old, row.at, argument)
    return stepped


class Moment:
    """All objects at one moment, as the API server would list them.

    Args:
        replay: The replayed state.
        calendar: Wall time of t = 0.
        at: The moment, microseconds since t = 0.
    """

    def __init__(self, replay: Replay, calendar: Calendar, at: int) -> None:
        self._replay = replay
        self._calendar = calendar
        self.at = at
        self._found: dict[str, list[Json]] = {}

    @property
    def now(self) -> int:
        """The moment as microseconds since the Unix epoch."""
        return self.at - self._calendar.micros(_UNIX_EPOCH)

    def pods(self) -> list[Pod]:
        """Return the pods' states, by namespace and name."""
        return sorted(self._replay.pods.values(), key=lambda pod: pod.key)

    def manifest(self, pod: Pod) -> Json:
        """Return a pod as the API server would send it."""
        return manifest_of(pod, self._calendar)

    def kinds(self) -> list[str]:
        """Return the kinds of which there are objects, in alphabetical order."""
        kinds = {kind for kind, _, _ in self._replay.objects}
        kinds |= {kind for kind in ("Pod", "Event", "Lease") if self.objects(kind)}
        return sorted(kinds)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind, by namespace and name as the API server lists them."""
        if kind not in self._found:
            self._found[kind] = sorted(self._read(kind), key=_place)
        return self._found[kind]

    def _read(self, kind: str) -> Iterator[Json]:
        if kind == "Pod":
            yield from map(self.manifest, self._replay.pods.values())
        if kind == "Event":
            yield from (event.core(self._calendar) for event in self._replay.kept_events())
        if kind == "Lease":
            yield from (node_lease(node, self._calendar, self.at) for node in self.objects("Node"))
        yield from (obj for (name, _, _), obj in self._replay.objects.items() if name == kind)


def _place(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
