"""Node lifecycle: taints that follow a node's conditions, lost heartbeats, pods marked not ready.

Source: kubernetes/kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go, v1.36.1
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from gpusched.api.shared import Shared
from gpusched.controllers import taints
from gpusched.controllers.conditions import find
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.node_zones import Zones
from gpusched.controllers.protocol import (
    SECOND,
    TICK,
    ApiError,
    Change,
    Controller,
    Emit,
    Json,
    Key,
    PatchPods,
    Pause,
    PodView,
    Read,
    Reader,
    Update,
    UpdateStatus,
    Wake,
    Work,
)

GRACE = 50 * SECOND
STARTUP_GRACE = 60 * SECOND
ATTEMPTS = 5
RETRY_AFTER = 190_000
"""After a conflict; upstream waits for 100 to 200 ms."""
_HEALTH = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_LABELS = (
    ("kubernetes.io/arch", "beta.kubernetes.io/arch"),
    ("kubernetes.io/os", "beta.kubernetes.io/os"),
)


@dataclass(slots=True)
class _Health:
    """When a node was last heard of.

    Attributes:
        uid: The node's uid.
        seen: When its last sign of life was noticed.
        heartbeat: The Ready condition's last heartbeat then; None without a condition.
        lease: The lease's renewal then.
    """

    uid: str
    seen: int
    heartbeat: str | None
    lease: int | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a node's spec and status say.

    Attributes:
        ready: Its Ready condition.
        is_ready: Whether that is True.
        spec: Its spec with the NoSchedule taints that it should have; None if it has them.
        kept: Its taints without the NoExecute ones of this controller; None if it has none.
    """

    ready: Json | None
    is_ready: bool
    spec: Json | None
    kept: list[Json] | None


def _read(spec: Json | None, status: Json | None) -> _Facts:
    node = {"spec": spec, "status": status}
    ready = find((status or {}).get("conditions") or (), "Ready")
    wanted = taints.reconciled(node)
    return _Facts(
        ready,
        ready is not None and ready["status"] == "True",
        None if wanted is None else taints.with_taints(node, wanted)["spec"],
        taints.without_no_execute(node),
    )


class NodeLifecycleController:
    """Watches over nodes."""

    name: ClassVar[str] = "node-controller"
    watches: ClassVar[tuple[str, ...]] = ("Node",)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 5 * SECOND
    workers: ClassVar[int] = 8
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._health: dict[str, _Health] = {}
        self._zones = Zones()
        self._first = True
        self._known = Shared(_read)

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return a changed node."""
        return () if change.verb == "DELETED" else (Wake(change.key),)

    def sync(self, key: Key, reader: Reader) -> Work:
        """On a tick look at every node; else keep one node's taints and labels."""
        if key == TICK:
            yield from self._monitor(reader)
            return None
        node = reader.get("Node", *key)
        if node is not None:
            yield from self._reconcile(node)
        return None

    def _facts(self, node: Json) -> _Facts:
        return self._known.of((node.get("spec"), node.get("status")))

    # --- one node ---------------------------------------------------------------------------------

    def _reconcile(self, node: Json) -> Any:
        """Keep NoSchedule taints and the beta labels."""
        if self._with_schedule_taints(node) is not None:
            yield from _patch(node["metadata"]["name"], self._with_schedule_taints)
        if _with_labels(node) is not None:
            yield from _patch(node["metadata"]["name"], _with_labels)

    def _with_schedule_taints(self, node: Json) -> Json | None:
        spec = self._facts(node).spec
        return None if spec is None else {**node, "spec": spec}

    def _give_up_node(self, name: str, tick: int, reader: Reader) -> Any:
        """Taint a lost node NoExecute in its zone's turn; swap the other taint at once."""
        node = reader.get("Node", "", name)
        ready = self._facts(node).ready if node is not None else None
        if node is None or ready is None or ready["status"] == "True":
            return
        key, other = taints.NOT_READY, taints.UNREACHABLE
        if ready["status"] == "Unknown":
            key, other = other, key
        wanted = taints.with_taint(node, key, reader.stamp(), other)
        swap = any(taint["key"] == other for taint in taints.no_execute(node))
        if wanted is not None and (swap or self._zones.admit(node, tick)):
            yield Update(taints.with_taints(node, wanted))

    # --- ticks ------------------------------------------------------------------------------------

    def _monitor(self, reader: Reader) -> Any:
        nodes, tick = reader.objects("Node"), reader.now
        yield from self._register(nodes, reader)
        down: list[str] = []
        lost: list[str] = []
        for listed in nodes:
            observed = current = self._facts(listed)
            node = listed
            if not self._shows_life(listed, observed, reader):
                node = yield from self._give_up(listed, reader)
                current = self._facts(node)
            if current.is_ready:
                yield from self._reachable(node, current)
                continue
            down.append(node["metadata"]["name"])
            if current.ready is not None:
                lost.append(node["metadata"]["name"])
                if observed.is_ready:
                    yield from self._report(node, reader)
        yield from self._disruption(nodes, down, tick, reader)
        for name in () if self._zones.stopped else lost:
            yield from self._give_up_node(name, tick, reader)

    def _register(self, nodes: Iterable[Json], reader: Reader) -> Any:
        """Report nodes that came and went since the last tick."""
        present = {node["metadata"]["name"]: node for node in nodes}
        for name, node in present.items():
            if name not in self._health:
                uid = node["metadata"]["uid"]
                yield _node_event(
                    name,
                    uid,
                    "RegisteredNode",
                    f"Node {name} event: Registered Node {name} in Controller",
                )
        for name in [name for name in self._health if name not in present]:
            uid = self._health.pop(name).uid
            yield _node_event(
                name,
                uid,
                "RemovingNode",
                f"Node {name} event: Removing Node {name} from Controller",
            )
        del reader

    def _shows_life(self, node: Json, facts: _Facts, reader: Reader) -> bool:
        """Note a sign of life; return whether the last one is not too long ago."""
        name, now = node["metadata"]["name"], reader.now
        ready, lease = facts.ready, reader.lease_renewed(name)
        heartbeat = ready["lastHeartbeatTime"] if ready else None
        health = self._health.get(name)
        if health is None:
            seen = now if ready else reader.micros(node["metadata"]["creationTimestamp"])
            health = self._health[name] = _Health(node["metadata"]["uid"], seen, heartbeat, None)
        elif health.heartbeat != heartbeat:
            health.seen, health.heartbeat = now, heartbeat
        if lease is not None and lease != health.lease:
            health.seen, health.lease = now, lease
        return now - health.seen < (GRACE if ready else STARTUP_GRACE)

    def _give_up(self, node: Json, reader: Reader) -> Any:
        """Say that nothing is known of a node; return the node as it is then."""
        status = _unknown(node, reader)
        return (yield UpdateStatus(node, status)) if status != node["status"] else node

    def _report(self, node: Json, reader: Reader) -> Any:
        meta = node["metadata"]
        text = f"Node {meta['name']} status is now: NodeNotReady"
        yield _node_event(meta["name"], meta["uid"], "NodeNotReady", text)
        for pod in reader.pods_on(meta["name"]):
            if pod.condition("Ready") is not None and pod.ready:
                yield PatchPods(
                    [(pod.namespace, pod.name)], condition={"type": "Ready", "status": "False"}
                )
                yield Emit(_pod_reference(pod), "Warning", "NodeNotReady", "Node is not ready")

    def _reachable(self, node: Json, facts: _Facts) -> Iterable[Update]:
        if facts.kept is not None:
            yield Update(taints.with_taints(node, facts.kept))

    def _disruption(
        self, nodes: Iterable[Json], down: Iterable[str], tick: int, reader: Reader
    ) -> Any:
        """Stop all evictions while no node at all is ready.

        Give every node new time when that ends.
        """
        fresh = [reader.get("Node", "", name) for name in down]
        still = [node for node in fresh if node is not None and not self._facts(node).is_ready]
        if not still and self._zones.calm:
            return
        stopped = self._zones.stopped
        self._zones.judge(nodes, {node["metadata"]["name"] for node in still}, tick)
        if self._zones.stopped and not stopped:
            for node in still:
                yield from self._reachable(node, self._facts(node))
        elif stopped and not self._zones.stopped:
            for health in self._health.values():
                health.seen = reader.now


def _patch(name: str, change: Callable[[Json], Json | None]) -> Any:
    """Read a node and write it changed.

    Again from the start, after a while, if somebody else wrote in between.
    """
    for _ in range(ATTEMPTS):
        wanted = change((yield Read("Node", ("", name))))
        if wanted is None:
            return
        try:
            yield Update(wanted, unchanged=True)
        except ApiError as refusal:
            if refusal.reason != "Conflict":
                raise
            yield Pause(RETRY_AFTER)
        else:
            return


def _with_labels(node: Json) -> Json | None:
    labels = _missing_labels(node)
    meta = node["metadata"]
    return (
        {**node, "metadata": {**meta, "labels": {**meta["labels"], **labels}}} if labels else None
    )


def _missing_labels(node: Json) -> dict[str, str]:
    labels = node["metadata"].get("labels") or {}
    return {
        second: labels[first]
        for first, second in _LABELS
        if first in labels and labels.get(second) != labels[first]
    }


def _unknown(node: Json, reader: Reader) -> Json:
    """Return a node's status with its health unknown."""
    status: Json = node.get("status") or {}
    held = list(status.get("conditions") or ())
    now = reader.stamp()
    for kind in _HEALTH:
        old = find(held, kind)
        new = {
            "type": kind,
            "status": "Unknown",
            "lastHeartbeatTime": old["lastHeartbeatTime"]
            if old
            else node["metadata"]["creationTimestamp"],
            "lastTransitionTime": now,
            "reason": "NodeStatusUnknown" if old else "NodeStatusNeverUpdated",
            "message": "Kubelet stopped posting node status."
            if old
            else "Kubelet never posted node status.",
        }
        if old is None:
            held.append(new)
        elif old["status"] != "Unknown":
            held[held.index(old)] = new
    return {**status, "conditions": held}


def _node_event(name: str, uid: str, reason: str, message: str) -> Emit:
    return Emit(
        {"kind": "Node", "name": name, "uid": uid, "apiVersion": "v1"}, "Normal", reason, message
    )


def _pod_reference(pod: PodView) -> dict[str, str]:
    return {
        "kind": "Pod",
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "apiVersion": "v1",
    }


_: Controller = NodeLifecycleController()
