"""Events as the API server keeps them, in both API forms.

This file must not know when an event is written anew, counted or dropped: `sim.events` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gpusched.sim.calendar import Calendar
from gpusched.sim.pod import Json, uid_of


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One stored event. Times are microseconds since t = 0.

    Attributes:
        name: Its name.
        regarding: What it is about, as an object reference.
        type: ``Normal`` or ``Warning``.
        reason: CamelCase reason.
        message: Its text, at most 1,024 bytes.
        component: ``source.component`` (core/v1 recorder) or the scheduler's name.
        reporting: ``reportingComponent``; empty for combined events.
        count: How often it happened (core/v1 recorder).
        first: When it happened first.
        last: When it happened last.
        action: What was done (events.k8s.io recorder only; empty otherwise).
        instance: ``reportingInstance`` (events.k8s.io recorder only).
        series: Count and last time of a series (events.k8s.io recorder only).
    """

    name: str
    regarding: Mapping[str, str]
    type: str
    reason: str
    message: str
    component: str
    reporting: str
    count: int
    first: int
    last: int
    action: str = ""
    instance: str = ""
    series: tuple[int, int] | None = None

    @property
    def namespace(self) -> str:
        """The namespace of its object, ``default`` for objects of the cluster."""
        return str(self.regarding.get("namespace") or "default")

    def core(self, calendar: Calendar) -> Json:
        """Return it as core/v1 shows it."""
        out: Json = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "creationTimestamp": calendar.stamp(self.first),
            },
            "involvedObject": dict(self.regarding),
            "reason": self.reason,
            "message": self.message,
            "type": self.type,
            "reportingComponent": self.reporting,
            "reportingInstance": self.instance,
        }
        if not self.action:
            times = {
                "firstTimestamp": calendar.stamp(self.first),
                "lastTimestamp": calendar.stamp(self.last),
            }
            return (
                out
                | times
                | {"source": {"component": self.component}, "eventTime": None, "count": self.count}
            )
        out |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "action": self.action}
        out["eventTime"] = calendar.micro_stamp(self.first)
        if self.series is not None:
            out["series"] = {
                "count": self.series[0],
                "lastObservedTime": calendar.micro_stamp(self.series[1]),
            }
        return out

    def modern(self, calendar: Calendar) -> Json:
        """Return it as events.k8s.io/v1 shows it."""
        core = self.core(calendar)
        out: Json = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": core["metadata"],
            "regarding": core["involvedObject"],
            "reason": self.reason,
            "note": self.message,
            "type": self.type,
            "eventTime": core["eventTime"],
            "reportingController": self.reporting,
            "reportingInstance": self.instance,
            "deprecatedSource": core["source"],
            "deprecatedFirstTimestamp": core["firstTimestamp"],
            "deprecatedLastTimestamp": core["lastTimestamp"],
        }
        optional = {
            "action": self.action,
            "series": core.get("series"),
            "deprecatedCount": core.get("count"),
        }
        return out | {name: value for name, value in optional.items() if value}

    def journal_form(self) -> Any:
        """Return what the journal's digest covers."""
        return [
            self.name,
            self.regarding,
            self.reason,
            self.message,
            self.count,
            self.first,
            self.last,
            self.series,
        ]


class Wording(NamedTuple):
    """What events of one sort about pods share.

    Attributes:
        type: ``Normal`` or ``Warning``.
        reason: CamelCase reason.
        action: What was done.
        namespace: The pods' namespace.
        scheduler: Who tells it.
        assigned: Whether the note is a node's name alone, from which the text is made.
        host: Where the scheduler runs.
    """

    type: str
    reason: str
    action: str
    namespace: str
    scheduler: str
    assigned: bool
    host: str


class Sighting(NamedTuple):
    """A scheduler's new event; a run keeps no such object, but columns (`sim.sightings`).

    Attributes:
        wording: What it shares with others.
        pod: The pod's name.
        serial: The pod's number.
        version: The pod's resourceVersion as the scheduler last saw it.
        note: The text, or what is to be put into it.
    """

    wording: Wording
    pod: str
    serial: int
    version: int
    note: str

    def record(self, at: int, version: int) -> EventRecord:
        """Return the event as it was stored.

        Args:
            at: When.
            version: The resourceVersion of that write.
        """
        words = self.wording
        regarding = {
            "kind": "Pod",
            "namespace": words.namespace,
            "name": self.pod,
            "uid": uid_of(self.serial),
            "apiVersion": "v1",
            "resourceVersion": str(self.version),
        }
        note = self.note
        if words.assigned:
            note = f"Successfully assigned {words.namespace}/{self.pod} to {note}"
        return EventRecord(
            name=f"{self.pod}.{version:016x}",
            regarding=regarding,
            type=words.type,
            reason=words.reason,
            message=truncated(note),
            component=words.scheduler,
            reporting=words.scheduler,
            count=1,
            first=at,
            last=at,
            action=words.action,
            instance=f"{words.scheduler}-{words.host}",
        )


def truncated(note: str, limit: int = 1024) -> str:
    """Return a note of at most ``limit`` bytes, with an ellipsis where it was cut.

    Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go (truncateMessage), v1.36.1
    """
    data = note.encode()
    if len(data) <= limit:
        return note
    return data[: limit - 4].decode(errors="ignore") + " ..."
