"""The state at the end of a run, as the recordings list it."""

from typing import Any

from gpusched.controllers.conditions import find
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Pod
from gpusched.timeline.aliases import Aliases
from gpusched.timeline.observer import Observer
from gpusched.timeline.states import WORKLOADS, state_of

Json = dict[str, Any]


def final_state(plane: ControlPlane, observer: Observer, aliases: Aliases) -> Json:
    """Return pods, nodes, events in both API forms, and workloads."""
    store = plane.store
    pods = sorted((_pod(pod, aliases) for pod in store.pods()), key=lambda item: str(item["pod"]))
    return {
        "pods": pods,
        "nodes": [_node(node) for node in plane.api.read_all("Node")],
        "events_core": [
            observer.core_event(record) for record in store.events if _kept(plane, record.namespace)
        ],
        "events_v1": [
            observer.modern_event(record)
            for record in store.events
            if _kept(plane, record.namespace)
        ],
        "workloads": [
            {"obj": _name(obj), "state": aliases.deep(state_of(obj))}
            for kind in WORKLOADS
            for obj in plane.api.read_all(kind)
        ],
    }


def _kept(plane: ControlPlane, namespace: str) -> bool:
    """Return whether the namespace of an event, and so the event, is still there."""
    return plane.store.get("Namespace", "", namespace) is not None


def _pod(pod: Pod, aliases: Aliases) -> Json:
    scheduled = next((item for item in pod.conditions if item.type == "PodScheduled"), None)
    reason = scheduled.reason if scheduled else ""
    return {
        "pod": f"{pod.namespace}/{aliases.name(pod.name)}",
        "phase": pod.phase,
        "node": pod.node or None,
        "nominated": pod.nominated or None,
        "scheduled": scheduled.status if scheduled else None,
        "reason": reason or None,
        "message": aliases.text(scheduled.message) if scheduled and scheduled.message else None,
        "deleting": True if pod.deletion is not None else None,
        "status_reason": None,
    }


def _node(node: Json) -> Json:
    spec, status = node.get("spec") or {}, node.get("status") or {}
    ready = find(status.get("conditions") or (), "Ready")
    return {
        "node": node["metadata"]["name"],
        "taints": spec.get("taints"),
        "unschedulable": spec.get("unschedulable"),
        "allocatable": status.get("allocatable") or {},
        "ready": ready["status"] if ready else None,
    }


def _name(obj: Json) -> str:
    meta = obj["metadata"]
    return (
        f"{obj['kind']} {meta['namespace']}/{meta['name']}"
        if meta.get("namespace")
        else f"{obj['kind']} {meta['name']}"
    )
