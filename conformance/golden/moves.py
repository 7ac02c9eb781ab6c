"""The scheduler's moves, read from its own log (klog's text form, verbosity 5), and its metrics."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

_LINE = re.compile(
    r'^[IWE](\d{4} \d\d:\d\d:\d\d\.\d{6}) +\d+ [\w.]+:\d+\] "((?:[^"\\]|\\.)*)"(.*)$'
)
_FIELD = re.compile(r'([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_MOVED = "Pod moved to an internal scheduling queue"
"""How the text of a move begins; it may go on: "…, because the pod is gated"."""
_WHAT = {
    "Attempting to schedule pod": "attempt",
    _MOVED: "queue",
    "Unable to schedule pod; no fit; waiting": "nofit",
    "Successfully bound pod to node": "bound",
    "the target node for the preemption is determined": "preempt_target",
    "Start the preemption asynchronously": "preempt_start",
    "Preemptor Pod preempted victim Pod": "preempted",
    "Async Preemption finished completely": "preempt_done",
    "No preemption candidate is found; preemption is not helpful for scheduling": "preempt_no_candidate",
    "Preemption will not help schedule pod on any node": "preempt_no_help",
    "Pod is not eligible for preemption": "preempt_not_eligible",
    "Skip schedule deleting pod": "skip_deleting",
}
_SAMPLE = re.compile(r"^(scheduler_[^ ]+) ([-+0-9.eE]+)$")
_GAUGES = ("scheduler_pending_pods", "scheduler_unschedulable_pods")
_NOISE = ("_bucket", "_seconds", "_duration")


def moves(log: str, zero: datetime) -> Iterator[Json]:
    """Yield the moves in a log.

    Args:
        log: The scheduler's log; klog writes local time without a year.
        zero: t = 0.
    """
    local = datetime.now().astimezone().tzinfo
    for line in log.splitlines():
        found = _LINE.match(line)
        what = _WHAT.get(_MOVED if found[2].startswith(_MOVED) else found[2]) if found else None
        if found is None or what is None:
            continue
        told = datetime.strptime(f"{zero.year}{found[1]}", "%Y%m%d %H:%M:%S.%f").replace(
            tzinfo=local
        )
        fields = {name: _text(quoted, bare) for name, quoted, bare in _FIELD.findall(found[3])}
        yield {"t": round((told.astimezone(UTC) - zero).total_seconds(), 4), "what": what, **fields}


def _text(quoted: str, bare: str) -> str:
    return bare or quoted.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def samples(text: str) -> dict[str, float]:
    """Return the scheduler's samples by name and labels, without what measures this machine."""
    found = (_SAMPLE.match(line) for line in text.splitlines())
    pairs = {match[1]: float(match[2]) for match in found if match}
    return {
        name: value for name, value in pairs.items() if not any(noise in name for noise in _NOISE)
    }


def change(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return by how much counters have grown; those that have not are left out."""
    grown = {
        name: value - before.get(name, 0) for name, value in after.items() if not is_gauge(name)
    }
    return {name: value for name, value in sorted(grown.items()) if value}


def is_gauge(name: str) -> bool:
    """Return whether a sample is kept as it is at the end."""
    return name.startswith(_GAUGES)
