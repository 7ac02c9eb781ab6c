"""What can be said of a run so that two worlds can be held against each other.

Names that a controller makes up differ, so their pods are counted by the name that they were made
from. This file must not know which world a run comes from.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gpusched.controllers.template_hash import SAFE_LETTERS
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay
from gpusched.run.runtimes import DELAY
from gpusched.sim.calendar import SECOND
from gpusched.sim.event_log import EventRecord
from gpusched.sim.pod import Json, Pod

Value = str | int | None
_UID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_GENERATORS: Final = ("ReplicaSet", "Job", "DaemonSet", "ReplicationController")
_SUFFIX: Final = 5
_HOUSEKEEPING: Final = (
    "RegisteredNode",
    "RemovingNode",
    "Starting",
    "NodeReady",
    "NodeHasSufficientMemory",
)
"""Events about the coming and going of nodes: their time hangs on the controller's ticks."""


@dataclass(slots=True)
class Facts:
    """One run's facts.

    Attributes:
        states: Group, name and field to its value, for nodes, and for pods whose names were given.
        counts: Group and description to how often it holds.
        times: What happened how often, and when: seconds that may differ by a tolerance.
    """

    states: dict[tuple[str, str, str], Value] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)


def facts_of(record: RunRecord) -> Facts:
    """Return a run's facts at its end."""
    replay, facts = Replay(record.rows), Facts()
    written = (change.new for change in replay.advance(record.ended))
    names = {pod.uid: stand_in(pod) for pod in written if pod is not None}
    for life in record.lives:
        if life.removed is None:
            _note_pod(facts, life.pod)
    tell = _Teller(names)
    events = comparable_events(list(replay.events.values()))
    for event in events:
        _note_event(facts, event, tell)
    _note_nodes(facts, replay)
    for _, text, refused in record.reports:
        if refused:
            facts.counts["refusal", tell.text(text)] += 1
    _note_retries(facts, record, events)
    _note_starts(facts, record)
    for times in facts.times.values():
        times.sort()
    return facts


def comparable_events(events: Sequence[EventRecord]) -> list[EventRecord]:
    """Return the events that do not hang on how fast a machine is.

    While its victims vanish one after the other, a preemptor may be tried several times; only what
    it was told first is certain.
    """
    victims = [event.message for event in events if event.reason == "Preempted"]
    preemptors = {uid for message in victims for uid in _UID.findall(message)}
    told: set[str] = set()
    kept = []
    for event in sorted(events, key=lambda event: event.first):
        uid = str(event.regarding.get("uid"))
        again = event.reason == "FailedScheduling" and uid in preemptors and uid in told
        if event.reason not in _HOUSEKEEPING and not again:
            kept.append(event)
        if event.reason == "FailedScheduling":
            told.add(uid)
    return kept


def _note_pod(facts: Facts, pod: Pod) -> None:
    facts.counts["phase", pod.phase] += 1
    if is_named(pod):
        facts.states |= {("pod", full_name(pod), what): value for what, value in _states(pod)}
    else:
        facts.counts["pods of", f"{full_name(pod)}: {_summary(pod)}"] += 1


def nodes_of(record: RunRecord) -> dict[str, str]:
    """Return the node of each pod that ever had one, by ``namespace/name``."""
    return {
        f"{life.pod.namespace}/{life.pod.name}": life.pod.node
        for life in record.lives
        if life.pod.node
    }


def run_times_of(record: RunRecord) -> dict[str, list[int | None]]:
    """Return how long pods ran, by `full_name`, in order of starting; None: they still do."""
    found: dict[str, list[int | None]] = {}
    started = [(life.started, life) for life in record.lives if life.started is not None]
    for start, life in sorted(started, key=lambda pair: pair[0]):
        time = None if life.finished is None else life.finished - start
        found.setdefault(full_name(life.pod), []).append(time)
    return found


def is_named(pod: Pod) -> bool:
    """Return whether a pod's name was given, not made up."""
    return pod.owner is None or pod.owner[0] not in _GENERATORS


def stand_in(pod: Pod) -> str:
    """Return a pod's name, with ``*`` for what was made up."""
    return pod.name if is_named(pod) else pod.name[:-_SUFFIX] + "*"


def _note_nodes(facts: Facts, replay: Replay) -> None:
    for (kind, _, name), obj in replay.objects.items():
        if kind == "Node":
            facts.states |= {("node", name, what): value for what, value in _node_states(obj)}


def full_name(pod: Pod) -> str:
    """Return a pod's namespace and name, with ``*`` for what was made up."""
    return f"{pod.namespace}/{stand_in(pod)}"


def _states(pod: Pod) -> Iterator[tuple[str, Value]]:
    yield "phase", pod.phase
    yield "node", pod.node or None
    yield "nominated node", pod.nominated or None
    yield "terminating", "yes" if pod.deletion is not None else None
    for condition in pod.conditions:
        if condition.type in ("PodScheduled", "DisruptionTarget"):
            words = (condition.status, condition.reason, condition.message)
            yield condition.type, " ".join(filter(None, words))


def _node_states(node: Json) -> Iterator[tuple[str, Value]]:
    """Yield what a scheduler minds beside the node's amounts, which only scenarios change."""
    taints = (node.get("spec") or {}).get("taints") or ()
    texts = (f"{item['key']}={item.get('value') or ''}:{item['effect']}" for item in taints)
    yield "taints", ", ".join(sorted(texts)) or None
    conditions = (node.get("status") or {}).get("conditions") or ()
    yield "ready", next((item["status"] for item in conditions if item["type"] == "Ready"), None)


def _summary(pod: Pod) -> str:
    states = dict(_states(pod))
    words = (pod.phase, "terminating" if states["terminating"] else "", states.get("PodScheduled"))
    return " ".join(str(word) for word in words if word)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Replaces what differs from world to world in texts."""

    names: dict[str, str]

    def text(self, text: str) -> str:
        text = _UID.sub(lambda match: self.names.get(match[0], "<uid>"), text)
        made_up = rf"([a-z0-9][-a-z0-9.]*-)[{SAFE_LETTERS}]{{{_SUFFIX}}}(?![-a-z0-9.])"
        known = {name[:-1] for name in self.names.values() if name.endswith("*")}
        return re.sub(made_up, lambda m: f"{m[1]}*" if m[1] in known else m[0], text)


def _note_event(facts: Facts, event: EventRecord, tell: _Teller) -> None:
    about = f"{event.regarding.get('kind')} {tell.text(str(event.regarding.get('name')))}"
    message = tell.text(event.message)
    if event.reason == "Scheduled" and about.endswith("*"):
        message = message.rpartition(" to ")[0] + " to <node>"
    if event.reason == "Preempted":
        facts.counts["victim", f"{about}: {message}"] = 1
        return
    facts.counts["event", f"{event.type} {event.reason} {about}: {message}"] = 1


def _note_retries(facts: Facts, record: RunRecord, events: Sequence[EventRecord]) -> None:
    """Note a pod's first two failures: later ones are only counted, half an hour late."""
    created = {
        (life.pod.namespace, life.pod.name): life.created
        for life in record.lives
        if is_named(life.pod)
    }
    for event in events:
        place = (str(event.regarding.get("namespace")), str(event.regarding.get("name")))
        if event.reason == "FailedScheduling" and place in created:
            after = (event.first - created[place]) / SECOND
            what = f"retry {'/'.join(place)}: seconds after its creation"
            facts.times.setdefault(what, []).append(after)


def _note_starts(facts: Facts, record: RunRecord) -> None:
    """Note when pods with a run time start: each end makes room for the next."""
    for life in record.lives:
        if life.bound is not None and DELAY in life.pod.annotations:
            what = f"start {full_name(life.pod)}: seconds after t = 0"
            facts.times.setdefault(what, []).append(life.bound / SECOND)
