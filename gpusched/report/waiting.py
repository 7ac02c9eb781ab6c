"""Pods that wait: for what reason at which time, how long, and where in the scheduler's queue."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.report.stays import FOREVER, waits_until
from gpusched.report.steps import Steps, counted
from gpusched.run.lives import Life
from gpusched.run.moves import ATTEMPT, PLACES
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay

UNTRIED: Final = "not tried yet"
GATED: Final = "held by a scheduling gate"
_NODES: Final = re.compile(r"^\d+/\d+ nodes are available: (.*?)\.(?: |$)")
_REASON: Final = re.compile(r"(\d+) (.+?)(?=, \d+ |$)")


@dataclass(frozen=True, slots=True)
class Reason:
    """From when to when a pod waited with one message; microseconds since t = 0.

    Attributes:
        pod: The pod's serial number.
        start: From when its condition said so, or when it was created.
        end: Until when; `FOREVER` if it waits at the end of the run.
        message: The condition's message; empty before the first attempt.
    """

    pod: int
    start: int
    end: int
    message: str


def reasons(record: RunRecord) -> Iterator[Reason]:
    """Yield why each pod waited, from its creation until it was bound or removed."""
    ends = {life.pod.serial: waits_until(life) for life in record.lives}
    said: dict[int, tuple[int, str]] = {}
    for change in Replay(record.rows).advance():
        pod = change.new
        if pod is None or pod.node or pod.terminal:
            continue
        message = next((c.message for c in pod.conditions if c.type == "PodScheduled"), "")
        since, before = said.setdefault(pod.serial, (change.at, message))
        if message != before:
            yield Reason(pod.serial, since, change.at, before)
            said[pod.serial] = (change.at, message)
    for serial, (since, message) in said.items():
        if ends[serial] > since:
            yield Reason(serial, since, ends[serial], message)


def reason_counts(message: str) -> dict[str, int]:
    """Return how many nodes each reason of a scheduler's message refused, as it lists them.

    >>> reason_counts("0/7 nodes are available: 1 node(s) had untolerated taint(s), "
    ...               "6 Insufficient nvidia.com/gpu. preemption: 0/7 nodes are available: ...")
    {'node(s) had untolerated taint(s)': 1, 'Insufficient nvidia.com/gpu': 6}
    """
    found = _NODES.match(message)
    if found is None:
        return {}
    return {text: int(count) for count, text in _REASON.findall(found[1])}


def main_reason(message: str) -> str:
    """Return the reason that refused most nodes; the first by name among equals.

    >>> main_reason("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.")
    'node(s) were unschedulable'
    """
    counts = reason_counts(message)
    if counts:
        return min(counts, key=lambda text: (-counts[text], text))
    if "scheduling gates" in message:
        return GATED
    return message.split(". ", maxsplit=1)[0] or UNTRIED


def reasons_over_time(record: RunRecord) -> dict[str, Steps]:
    """Return how many pods wait for each main reason, the most frequent first."""
    spans: dict[str, list[tuple[int, int, int]]] = {}
    for reason in reasons(record):
        spans.setdefault(main_reason(reason.message), []).append((reason.start, reason.end, 1))
    columns = {text: counted(found, record.ended) for text, found in spans.items()}
    shown = {text: column for text, column in columns.items() if column.area()}
    return dict(sorted(shown.items(), key=lambda item: (-item[1].area(), item[0])))


def waiting_times(lives: Sequence[Life], end: int) -> Mapping[int, tuple[list[int], int]]:
    """Return by priority: the waiting times of bound pods, ascending, and how many were not bound.

    A pod waits from its creation to its binding; microseconds. Pods created behind ``end`` or
    bound from the start (by their own ``nodeName``) do not count.
    """
    found: dict[int, tuple[list[int], int]] = {}
    for life in lives:
        if life.created > end or life.pod.spec.get("nodeName"):
            continue
        times, never = found.setdefault(life.pod.template.priority, ([], 0))
        if life.bound is None:
            found[life.pod.template.priority] = (times, never + 1)
        else:
            times.append(life.bound - life.created)
    return {priority: (sorted(times), never) for priority, (times, never) in sorted(found.items())}


def attempts(record: RunRecord) -> Counter[str]:
    """Return how often the scheduler tried each pod, by ``namespace/name``."""
    moves = record.moves
    tried = (pod for pod, place in zip(moves.pod, moves.place, strict=True) if place == ATTEMPT)
    return Counter(moves.pods[pod] for pod in tried)


def queue_depths(record: RunRecord) -> dict[str, Steps]:
    """Return how many pods are in each part of the scheduler's queue over time."""
    gone = _removals(record)
    moves = record.moves
    last: dict[int, tuple[int, int]] = {}
    spans: dict[int, list[tuple[int, int, int]]] = {place: [] for place in range(len(PLACES))}
    for at, pod, place in zip(moves.at, moves.pod, moves.place, strict=True):
        since, before = last.get(pod, (at, ATTEMPT))
        if before != ATTEMPT:
            spans[before].append((since, min(at, gone.get(moves.pods[pod], FOREVER)), 1))
        last[pod] = (at, place)
    for pod, (since, place) in last.items():
        if place != ATTEMPT:
            spans[place].append((since, gone.get(moves.pods[pod], FOREVER), 1))
    return {name: counted(spans[code], record.ended) for code, name in enumerate(PLACES)}


def _removals(record: RunRecord) -> dict[str, int]:
    """Return when pods that were never bound left; a later pod of the same name wins."""
    gone: dict[str, int] = {}
    for life in record.lives:
        name = f"{life.pod.namespace}/{life.pod.name}"
        gone.pop(name, None)
        if life.bound is None and life.removed is not None:
            gone[name] = life.removed
    return gone
