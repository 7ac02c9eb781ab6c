"""A run as the stream that ``kwokctl snapshot record`` writes and ``replay`` reads.

First come the objects at the start, then a ResourcePatch for each write after it. Times inside
objects are offsets from the start, so that a replay can set them anew.

Source: kubernetes-sigs/kwok pkg/apis/action/v1alpha1/resource_patch_types.go,
pkg/kwokctl/recording, v0.7.0
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gpusched.run.record import RunRecord
from gpusched.run.replay import Moment
from gpusched.sim.calendar import Calendar
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json
from gpusched.timeline.apply import three_way

API_VERSION: Final = "action.kwok.x-k8s.io/v1alpha1"
KIND: Final = "ResourcePatch"
_LEFT_OUT: Final = frozenset({"Event", "Lease"})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NANOSECONDS: Final = 1000
Key = tuple[str, str, str]


def kwok_stream(record: RunRecord) -> Iterator[Json]:
    """Yield the documents of a run's recording; events and leases are left out."""
    states = record.states()
    before = _by_key(next(states))
    yield from (_relative(obj, record.calendar) for obj in before.values())
    for moment in states:
        after = _by_key(moment)
        for patch in _changes(before, after, moment.at):
            yield _relative(patch, record.calendar)
        before = after


def _by_key(moment: Moment) -> dict[Key, Json]:
    found = {}
    for kind in moment.kinds():
        if kind not in _LEFT_OUT:
            for obj in moment.objects(kind):
                meta = _without_version(obj["metadata"])
                found[(kind, meta.get("namespace", ""), meta["name"])] = {**obj, "metadata": meta}
    return found


def _without_version(meta: Json) -> Json:
    return {key: value for key, value in meta.items() if key != "resourceVersion"}


def _changes(before: Mapping[Key, Json], after: Mapping[Key, Json], at: int) -> Iterator[Json]:
    for key in before:
        if key not in after:
            yield _patch(key, at, "delete", None)
    for key, obj in after.items():
        if key not in before:
            yield _patch(key, at, "create", obj)
        elif before[key] != obj:
            yield _patch(key, at, "patch", three_way(before[key], obj, before[key]))


def _patch(key: Key, at: int, method: str, template: Json | None) -> Json:
    name, namespace = key[2], key[1]
    kind = KINDS[key[0]]
    group, _, version = kind.api_version.rpartition("/")
    target = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "resource": {
            **({"group": group} if group else {}),
            "version": version,
            "resource": kind.resource,
        },
        "target": target,
        "durationNanosecond": at * _NANOSECONDS,
        "method": method,
        **({"template": template} if template is not None else {}),
    }


def _relative(document: Json, calendar: Calendar) -> Json:
    """Return a document with offsets from the start for its times."""

    def offset(found: re.Match[str]) -> str:
        return f"$(time-offset-nanosecond {calendar.micros(found[0]) * _NANOSECONDS})"

    relative: dict[str, Any] = json.loads(_TIME.sub(offset, json.dumps(document)))
    return relative
