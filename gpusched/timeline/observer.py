"""Watches the API server and writes down what the recordings' watchers wrote down."""

from collections.abc import Iterator, Mapping
from typing import Any

from gpusched.controllers.protocol import Change
from gpusched.sim.calendar import SECOND
from gpusched.sim.event_log import EventRecord
from gpusched.sim.manifest import status_of
from gpusched.sim.pod import Condition, Pod
from gpusched.sim.store import Store
from gpusched.timeline.aliases import Aliases
from gpusched.timeline.states import WORKLOADS, difference, state_of

Json = dict[str, Any]
_MILLI = 1000


class Observer:
    """The records of one run.

    Args:
        store: What to watch.
        aliases: Where stand-ins come from.
    """

    def __init__(self, store: Store, aliases: Aliases) -> None:
        self._store = store
        self._aliases = aliases
        self.records: list[Json] = []
        self._listening = False
        store.watch("Pod", self._pod)
        store.watch("Node", self._node)
        store.watch("Event", self._event)
        for kind in WORKLOADS:
            store.watch(kind, self._workload)

    def listen(self) -> None:
        """Begin to write down; before, only names are learnt."""
        self._listening = True

    def _write(self, subject: str, what: str, **details: Any) -> None:
        if self._listening:
            self.records.append(
                {
                    "t": round(self._store.now / _MILLI) / 1000,
                    "obj": subject,
                    "what": what,
                    **details,
                }
            )

    # --- pods -------------------------------------------------------------------------------------

    def _pod(self, change: Change) -> None:
        pod: Pod = change.new
        if change.verb == "ADDED":
            self._aliases.introduce(pod)
        subject = f"Pod {pod.namespace}/{self._aliases.name(pod.name)}"
        if change.verb == "ADDED":
            self._write(subject, "created", **self._creation(pod))
        for what, details in _pod_differences(change.old, pod):
            self._write(subject, what, **self._aliases.deep(details))
        if change.verb == "DELETED":
            gone: Json = {"phase": pod.phase, "node": pod.node, "grace": 0}
            self._write(
                subject, "deleted", **{name: value for name, value in gone.items() if value != ""}
            )

    def _creation(self, pod: Pod) -> Json:
        details: Json = {}
        if pod.owner is not None:
            details["owner"] = f"{pod.owner[0]}/{pod.owner[1]}"
        details |= {
            "phase": pod.phase,
            "priority": pod.template.priority,
            "preemptionPolicy": pod.spec.get("preemptionPolicy"),
            "qos": status_of(pod, self._store.calendar)["qosClass"],
        }
        gates = [gate["name"] for gate in pod.spec.get("schedulingGates") or ()]
        return details | ({"gates": gates} if gates else {})

    # --- nodes and workloads ----------------------------------------------------------------------

    def _node(self, change: Change) -> None:
        subject = f"Node {change.key[1]}"
        if change.verb == "DELETED":
            self._write(subject, "deleted")
            return
        if change.verb == "ADDED":
            self._write(subject, "created")
        for what, details in self._node_differences(change.old, change.new):
            self._write(subject, what, **details)

    def _node_differences(self, old: Json | None, new: Json) -> Iterator[tuple[str, Json]]:
        before, after = (old or {}).get("spec") or {}, new.get("spec") or {}
        if before.get("taints") != after.get("taints"):
            bare = [
                {name: taint[name] for name in taint if name != "timeAdded"}
                for taint in after.get("taints") or ()
            ]
            yield "taints", {"taints": bare}
        if bool(before.get("unschedulable")) != bool(after.get("unschedulable")):
            yield "unschedulable", {"value": bool(after.get("unschedulable"))}
        then, now = (old or {}).get("status") or {}, new.get("status") or {}
        if then.get("allocatable") != now.get("allocatable"):
            yield "allocatable", {"allocatable": now.get("allocatable")}
        if (old or {"metadata": {}})["metadata"].get("labels") != new["metadata"].get("labels"):
            yield "labels", {"labels": new["metadata"].get("labels") or {}}
        known = {item["type"]: item for item in then.get("conditions") or ()}
        for item in now.get("conditions") or ():
            last = known.get(item["type"], {})
            if any(last.get(name) != item.get(name) for name in ("status", "reason", "message")):
                yield "condition", self._node_condition(item)

    def _node_condition(self, item: Json) -> Json:
        seconds = {
            "lastHeartbeat": self._store.micros(item["lastHeartbeatTime"]) / SECOND,
            "lastTransition": self._store.micros(item["lastTransitionTime"]) / SECOND,
        }
        return {name: item[name] for name in ("type", "status", "reason", "message")} | seconds

    def _workload(self, change: Change) -> None:
        namespace, name = change.key
        subject = f"{change.kind} {namespace}/{name}" if namespace else f"{change.kind} {name}"
        if change.verb == "DELETED":
            self._write(subject, "deleted")
            return
        state = self._aliases.deep(state_of(change.new))
        if change.verb == "ADDED":
            self._write(subject, "created", state=state)
            return
        changed, gone = difference(self._aliases.deep(state_of(change.old)), state)
        if changed or gone:
            self._write(subject, "changed", set=changed, **({"unset": gone} if gone else {}))
        if change.new["metadata"].get("deletionTimestamp") and not change.old["metadata"].get(
            "deletionTimestamp"
        ):
            held = change.new["metadata"].get("finalizers")
            self._write(subject, "deleting", **({"finalizers": held} if held else {}))

    # --- events -----------------------------------------------------------------------------------

    def _event(self, change: Change) -> None:
        record: EventRecord = change.new
        self._write(
            "Event",
            "event",
            op="add" if change.verb == "ADDED" else "update",
            **self.core_event(record),
        )

    def core_event(self, record: EventRecord) -> Json:
        """Return an event as the recordings keep its core/v1 form."""
        out: Json = {
            "name_prefix": self._aliases.name(record.regarding["name"]),
            "namespace": record.namespace,
            "reason": record.reason,
            "type": record.type,
            "message": self._aliases.text(record.message),
            "involvedObject": self._reference(record.regarding),
        }
        if record.action:
            out |= {"action": record.action, "eventTime": record.first / SECOND}
        else:
            out |= {
                "count": record.count,
                "firstTimestamp": record.first // SECOND,
                "lastTimestamp": record.last // SECOND,
            }
            out["source"] = {"component": record.component}
        if record.series is not None:
            out["series"] = {
                "count": record.series[0],
                "lastObservedTime": record.series[1] / SECOND,
            }
        more = {"reportingComponent": record.reporting, "reportingInstance": record.instance}
        return out | {name: value for name, value in more.items() if value}

    def modern_event(self, record: EventRecord) -> Json:
        """Return an event as the recordings keep its events.k8s.io/v1 form."""
        core = self.core_event(record)
        out: Json = {
            "reason": core["reason"],
            "type": core["type"],
            "note": core["message"],
            "regarding": core["involvedObject"],
        }
        out |= {name: core[name] for name in ("action", "eventTime", "series") if name in core}
        if not record.action:
            out |= {
                "deprecatedCount": core["count"],
                "deprecatedFirstTimestamp": core["firstTimestamp"],
                "deprecatedLastTimestamp": core["lastTimestamp"],
                "deprecatedSource": core["source"],
            }
        return out | ({"reportingController": record.reporting} if record.reporting else {})

    def _reference(self, regarding: Mapping[str, str]) -> Json:
        out: Json = {name: regarding[name] for name in ("kind", "namespace") if name in regarding}
        out |= {
            "name": self._aliases.name(regarding["name"]),
            "apiVersion": regarding["apiVersion"],
        }
        if "resourceVersion" in regarding:
            out["has_rv"] = True
        return out | ({"uid": "<uid>"} if regarding.get("uid") else {})


def _pod_differences(old: Pod | None, new: Pod) -> Iterator[tuple[str, Json]]:
    """Yield what differs between two states of a pod, in the recordings' order."""
    if old is not None and old.node != new.node and new.node:
        yield "bound", {"node": new.node}
    if old is None and new.node:
        yield "bound", {"node": new.node}
    yield from _condition_differences(old.conditions if old else (), new.conditions)
    if old is None:
        return
    if old.nominated != new.nominated:
        yield "nominated", {"node": new.nominated}
    if old.phase != new.phase:
        yield "phase", {"phase": new.phase}
    if old.template is not new.template:
        yield from _template_differences(old, new)
    if old.deletion is None and new.deletion is not None:
        held = {"finalizers": list(new.finalizers)} if new.finalizers else {}
        yield "deleting", {"grace": new.grace, "deletionTimestamp": new.deletion / SECOND, **held}


def _condition_differences(
    old: tuple[Condition, ...], new: tuple[Condition, ...]
) -> Iterator[tuple[str, Json]]:
    if old is new:
        return
    known = {item.type: item for item in old}
    for item in new:
        last = known.get(item.type)
        if last is not None and (last.status, last.reason, last.message) == (
            item.status,
            item.reason,
            item.message,
        ):
            continue
        details: Json = {"type": item.type, "status": item.status}
        if item.reason:
            details |= {"reason": item.reason, "message": item.message}
        yield "condition", details | {"lastTransition": item.transition / SECOND}


def _template_differences(old: Pod, new: Pod) -> Iterator[tuple[str, Json]]:
    before = [gate["name"] for gate in old.spec.get("schedulingGates") or ()]
    after = [gate["name"] for gate in new.spec.get("schedulingGates") or ()]
    if before != after:
        yield "gates", {"gates": after}
    if old.labels != new.labels:
        yield "labels", {"labels": dict(new.labels)}
    if old.finalizers != new.finalizers:
        yield "finalizers", {"finalizers": list(new.finalizers)}
