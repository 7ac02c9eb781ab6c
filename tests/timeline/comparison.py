"""Compares a played timeline with a recorded one: facts that can be counted, and their times."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]
SLACK = 0.3
"""Seconds by which a time window is widened on both sides."""

_METRICS = re.compile(
    r"scheduler_(schedule_attempts_total|queue_incoming_pods_total|preemption_attempts_total"
    r"|preemption_victims|pod_scheduling_attempts|event_handling)"
)
_UNORDERED = (
    "Deployment",
    "ReplicaSet",
    "Job",
    "StatefulSet",
    "DaemonSet",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Namespace",
)
_TIMED = (
    "created",
    "bound",
    "deleting",
    "deleted",
    "nominated",
    "taints",
    "gates",
    "unschedulable",
    "allocatable",
)
_WORDS = ("type", "status", "reason", "node", "phase", "grace")


class Verdict(NamedTuple):
    """One compared fact or time."""

    key: str
    agrees: bool
    want: Any
    have: Any


def anonymous(text: str) -> str:
    """Replace creation-order numbers of generated names by ``#*``."""
    return re.sub(r"#\d+", "#*", text)


def facts(run: Json) -> Json:
    """Return what can be counted or stated of one run, by a readable path."""
    counts: Counter[str] = Counter()
    out: Json = {}
    _final_facts(run["final"], counts, out)
    out |= {f"metrics/{k}": v for k, v in run["metrics_delta"].items() if _METRICS.match(k)}
    out |= {f"gauge/{k}": v for k, v in run["metrics_gauges"].items()}
    for move in run["scheduler_log"]:
        if move["what"] == "queue":
            pod = anonymous(move["pod"])
            counts[f"queue/{pod}/{move.get('event')}->{move.get('queue')}"] += 1
        if move["what"] == "attempt":
            counts[f"attempts/{anonymous(move['pod'])}"] += 1
    out |= {f"sequence/{obj}": steps for obj, steps in _sequences(run["records"]).items()}
    for index, step in enumerate(run["steps"]):
        out[f"step/{index:03d}/{step['op']}"] = step["result"]
    return out | counts


def _final_facts(final: Json, counts: Counter[str], out: Json) -> None:
    for pod in final["pods"]:
        name = anonymous(pod["pod"])
        counts[f"final/phase/{name}/{pod['phase']}"] += 1
        counts[f"final/pods_on_node/{pod['node']}"] += 1
        if "#" not in pod["pod"]:
            fields = ("phase", "node", "nominated", "reason", "message")
            out[f"final/pod/{pod['pod']}"] = [pod[field] for field in fields]
        message = anonymous(pod["message"]) if pod["message"] else pod["message"]
        counts[f"final/condition/{name}/{pod['scheduled']}/{pod['reason']}/{message}"] += 1
    for event in final["events_core"]:
        _event_facts(event, counts)
    for workload in final["workloads"]:
        out[f"final/state/{workload['obj']}"] = workload["state"]
    for node in final["nodes"]:
        taints = [f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in node["taints"] or []]
        gpus = node["allocatable"].get("nvidia.com/gpu")
        out[f"final/node/{node['node']}"] = [node["ready"], node["unschedulable"], taints, gpus]


def _event_facts(event: Json, counts: Counter[str]) -> None:
    message = anonymous(event.get("message") or "")
    if event["reason"] == "Scheduled":
        message = re.sub(r" to \S+$", " to <node>", message)
    obj = event["involvedObject"]
    about = f"{obj['kind']}/{anonymous(obj.get('name') or 'None')}"
    counts[f"final/events/{event['reason']}/{event['type']}/{about}/{message}"] += 1
    seen = (event.get("series") or {}).get("count") or event.get("count") or 1
    counts[f"final/event_occurrences/{event['reason']}/{about}"] += seen


def _sequences(records: Sequence[Json]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        obj = record["obj"]
        if record["what"] == "event" or "#" in obj or obj.startswith(_UNORDERED):
            continue
        words = [record["what"], *(str(record[word]) for word in _WORDS if word in record)]
        found.setdefault(obj, []).append(" ".join(words))
    return found


def times(run: Json) -> dict[str, list[float]]:
    """Return all times of each kind of occurrence."""
    out: dict[str, list[float]] = {}
    for record in run["records"]:
        key = _time_key(record)
        if key:
            out.setdefault(key, []).append(record["t"])
    for move in run["scheduler_log"]:
        if move["what"] == "attempt":
            out.setdefault(f"sched attempt {anonymous(move['pod'])}", []).append(move["t"])
    return out


def _time_key(record: Json) -> str:
    obj, what = anonymous(record["obj"]), record["what"]
    if what == "event":
        ref = record["involvedObject"]
        about = f"{ref['kind']}/{anonymous(ref.get('name') or 'None')}"
        return f"event {record['op']} {record['reason']} {about}"
    if what == "condition":
        return f"{obj} {record['type']}={record['status']} {record.get('reason', '')}"
    if what == "phase":
        return f"{obj} phase={record['phase']}"
    return f"{obj} {what}" if what in _TIMED else ""


def compare(expected: Json, run: Json) -> Iterator[Verdict]:
    """Yield a verdict on every fact and every time window of a recording."""
    stable, have = expected["stable"], facts(run)
    same, varying = stable["equal_in_all_runs"], stable["varying"]
    for key, want in same.items():
        yield Verdict(key, have.get(key) == want, want, have.get(key))
    for key, values in varying.items():
        yield Verdict(key, _within(have.get(key), values), values, have.get(key))
    for key in sorted(have.keys() - same.keys() - varying.keys()):
        yield Verdict(key, False, "in no recorded run", have[key])
    clock = times(run)
    for key, window in stable["time_windows"].items():
        if "first" in window:
            yield from _in_time(key, window, sorted(clock.get(key, [])))


def _within(have: Any, values: Sequence[Any]) -> bool:
    """Return whether what varied lies among the recorded counts; what is no count is not judged."""
    if have is not None and not isinstance(have, int | float):
        return True
    numbers = [value or 0 for value in values if not isinstance(value, list | dict | str)]
    return not numbers or min(numbers) <= (have or 0) <= max(numbers)


def _in_time(key: str, window: Mapping[str, Any], have: Sequence[float]) -> Iterator[Verdict]:
    ends = [("first", window["first"], have[:1])]
    if "each" in window and len(have) == len(window["each"]):
        pairs = enumerate(zip(window["each"], have, strict=True), start=1)
        ends = [(f"no. {number}", span, [time]) for number, (span, time) in pairs]
    elif "last" in window:
        ends.append(("last", window["last"], have[-1:]))
    for which, (low, high), time in ends:
        agrees = bool(time) and low - SLACK <= time[0] <= high + SLACK
        yield Verdict(f"time/{key} ({which})", agrees, (low, high), time)
