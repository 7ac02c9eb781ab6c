"""What was heard of a cluster, as the same record that a simulation leaves.

Uids are replaced by those of our own numbering, so that a record does not depend on the cluster's
random ones. This file must not talk to a cluster.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gpusched.live.clock import stamp
from gpusched.live.playing import LivePlayed
from gpusched.live.watching import Heard
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import Calendar
from gpusched.sim.event_log import EventRecord
from gpusched.sim.journal import Row, What
from gpusched.sim.manifest import pod_from
from gpusched.sim.pod import Json, Pod, uid_of

_DROPPED: Final = ("managedFields",)
_UID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def record_from(played: LivePlayed, heard: Sequence[Heard]) -> RunRecord:
    """Return the record of a play.

    Args:
        played: What was played.
        heard: Every change, in order of time.
    """
    return RunRecord(
        name=played.scenario.name,
        seed=played.scenario.seed,
        ended=played.ended,
        epoch=stamp(played.zero),
        rows=rows_of(heard, played.zero, played.ended),
        interrupted=played.interrupted,
        reports=tuple(played.reports),
        simulated=False,
    )


def rows_of(heard: Sequence[Heard], zero: int, ended: int) -> list[Row]:
    """Return the rows of a journal, in order of time.

    Args:
        heard: Every change.
        zero: t = 0, microseconds since the Unix epoch: a whole second.
        ended: The end, microseconds since t = 0; what came later is left out.
    """
    scribe = _Scribe(zero, ended)
    for change in heard:  # an event may be heard of before the pod that it is about
        scribe.number(change.object["metadata"]["uid"])
    rows = [row for change in heard for row in scribe.rows(change)]
    return sorted(rows, key=lambda row: row.at)


class _Scribe:
    """Turns changes into rows of a journal."""

    def __init__(self, zero: int, ended: int) -> None:
        self._zero = zero
        self._ended = ended
        self._calendar = Calendar(stamp(zero))
        self._serials: dict[str, int] = {}
        self._pods: dict[str, Pod] = {}
        self._written: set[tuple[str, str, str]] = set()

    def rows(self, change: Heard) -> Iterator[Row]:
        """Yield the rows of a change: none for what came after the end or is kept elsewhere."""
        at = change.at - self._zero
        if at > self._ended:
            return
        obj = change.object
        serial = self.number(obj["metadata"]["uid"])
        version = int(obj["metadata"].get("resourceVersion") or 0)
        if obj["kind"] == "Pod":
            what, detail = self._pod(change.verb, obj, serial)
        elif obj["kind"] == "Event":
            if change.verb == "DELETED":
                return
            what, detail = What.EVENT_WRITTEN, self._event(obj)
        else:
            what, detail = self._object(change.verb, obj)
        if detail is not None:
            yield Row(at, what, serial, version, detail)

    def number(self, uid: str) -> int:
        """Return an object's number, giving it one at first sight."""
        return self._serials.setdefault(uid, len(self._serials) + 1)

    def _pod(self, verb: str, obj: Json, serial: int) -> tuple[What, Any]:
        uid = obj["metadata"]["uid"]
        if verb == "DELETED":
            known = self._pods.pop(uid, None)
            return What.POD_DELETED, None if known is None else ()
        pod = _pod_of(obj, self._pods.get(uid), self._calendar, serial)
        self._pods[uid] = pod
        return What.POD_REPLACED, pod

    def _object(self, verb: str, obj: Json) -> tuple[What, Any]:
        meta = obj["metadata"]
        key = (obj["kind"], meta.get("namespace", ""), meta["name"])
        if verb == "DELETED":
            known = key in self._written
            self._written.discard(key)
            return What.OBJECT_DELETED, key if known else None
        self._written.add(key)
        kept = {name: value for name, value in meta.items() if name not in _DROPPED}
        return What.OBJECT_WRITTEN, {
            **obj,
            "metadata": {**kept, "uid": uid_of(self.number(meta["uid"]))},
        }

    def _event(self, obj: Json) -> EventRecord:
        """Return an event; whichever of the two recorders wrote it."""
        created = self._calendar.micros(obj["metadata"]["creationTimestamp"])
        first = self._instant(obj.get("eventTime") or obj.get("firstTimestamp"), created)
        series = obj.get("series")
        return EventRecord(
            name=obj["metadata"]["name"],
            regarding=self._regarding(obj["involvedObject"]),
            type=obj.get("type") or "",
            reason=obj.get("reason") or "",
            message=_UID.sub(self._renumbered, obj.get("message") or ""),
            component=(obj.get("source") or {}).get("component")
            or obj.get("reportingComponent")
            or "",
            reporting=obj.get("reportingComponent") or "",
            count=obj.get("count") or 1,
            first=first,
            last=self._instant(obj.get("lastTimestamp"), first),
            action=obj.get("action") or "",
            instance=obj.get("reportingInstance") or "",
            series=(series["count"], self._instant(series["lastObservedTime"], first))
            if series
            else None,
        )

    def _renumbered(self, found: re.Match[str]) -> str:
        return uid_of(self._serials[found[0]]) if found[0] in self._serials else found[0]

    def _regarding(self, reference: Json) -> Json:
        uid = reference.get("uid")
        known = {"uid": uid_of(self._serials[uid])} if uid in self._serials else {}
        return {**reference, **known}

    def _instant(self, text: str | None, otherwise: int) -> int:
        return self._calendar.micros(text) if text else otherwise


def _pod_of(obj: Json, old: Pod | None, calendar: Calendar, serial: int) -> Pod:
    meta = obj["metadata"]
    spec = {name: value for name, value in obj["spec"].items() if name != "nodeName"}
    if old is None:
        created = calendar.micros(meta["creationTimestamp"])
        bare = {**obj, "metadata": {**meta, "namespace": meta["namespace"]}, "spec": spec}
        old = pod_from(bare, None, calendar, serial=serial, now=created)
    pod = pod_from(obj, old, calendar)
    pod.version = int(meta["resourceVersion"])
    pod.generation = meta.get("generation") or 1
    if meta.get("deletionTimestamp"):
        pod.deletion = calendar.micros(meta["deletionTimestamp"])
        pod.grace = meta.get("deletionGracePeriodSeconds") or 0
    return pod
