"""A pod as its JSON manifest, and back.

This file must not know why a pod changes.
"""

from typing import Any

from gpusched.sim.calendar import Calendar
from gpusched.sim.pod import Condition, Containers, Json, Pod, PodTemplate, claims_in, uid_of

_KNOWN_STATUS = (
    "phase",
    "conditions",
    "startTime",
    "nominatedNodeName",
    "qosClass",
    "observedGeneration",
)
_OWN_META = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
)


def manifest_of(pod: Pod, calendar: Calendar) -> Json:
    """Return the full manifest, as the API server would send it."""
    spec = dict(pod.spec)
    if pod.node:
        spec["nodeName"] = pod.node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(pod, calendar),
        "spec": spec,
        "status": status_of(pod, calendar),
    }


def _metadata(pod: Pod, calendar: Calendar) -> Json:
    meta: Json = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "resourceVersion": str(pod.version),
        "generation": pod.generation,
        "creationTimestamp": calendar.stamp(pod.created),
        **pod.template.meta(),
    }
    if pod.deletion is not None:
        meta["deletionTimestamp"] = calendar.stamp(pod.deletion)
        meta["deletionGracePeriodSeconds"] = pod.grace
    return meta


def status_of(pod: Pod, calendar: Calendar) -> Json:
    """Return the status part of the manifest."""
    status: Json = {"phase": pod.phase}
    if pod.conditions:
        status["conditions"] = [
            _condition(condition, pod, calendar) for condition in pod.conditions
        ]
    if pod.started is not None:
        status["startTime"] = calendar.stamp(pod.started)
    if pod.nominated:
        status["nominatedNodeName"] = pod.nominated
    status["qosClass"] = pod.template.qos
    if pod.containers is not None:
        status |= _containers(pod, pod.containers, calendar)
    elif isinstance(pod.detail, dict):
        status |= pod.detail
    return status


def _condition(condition: Condition, pod: Pod, calendar: Calendar) -> Json:
    observed = condition.reason not in ("", "SchedulingGated")
    out = {
        "type": condition.type,
        "observedGeneration": pod.generation if observed else "",
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastProbeTime": None,
        "lastTransitionTime": calendar.stamp(condition.transition),
    }
    return {name: value for name, value in out.items() if value != ""}


def _containers(pod: Pod, state: Containers, calendar: Calendar) -> Json:
    address = address_of(state.address)
    return {
        **(state.claims or {}),
        "podIP": address,
        "podIPs": [{"ip": address}],
        "containerStatuses": [
            _container(item, state, calendar) for item in pod.spec.get("containers", ())
        ],
    }


def _container(container: Json, state: Containers, calendar: Calendar) -> Json:
    running = state.finished is None
    started = calendar.stamp(state.started)
    run: Json = {"startedAt": started}
    if state.finished is not None:
        ended = {
            "exitCode": state.exit_code,
            "reason": state.reason,
            "finishedAt": calendar.stamp(state.finished),
        }
        run = ended | run
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": running,
        "restartCount": 0,
        **({} if running else {"started": False}),
        "state": {"running" if running else "terminated": run},
        "lastState": {},
    }


def address_of(number: int) -> str:
    """Return the IP address of the pod that was given the ``number``-th one.

    >>> address_of(300)
    '10.0.1.44'
    """
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def pod_from(
    obj: Json, old: Pod | None, calendar: Calendar, *, serial: int = 0, now: int = 0
) -> Pod:
    """Return the pod that a manifest describes.

    Args:
        obj: A defaulted and admitted manifest.
        old: The pod's present state, or None for a new pod; identity and an unchanged template are
            taken from it.
        calendar: For the times in it.
        serial: A new pod's number.
        now: A new pod's time of creation.
    """
    spec = {name: value for name, value in obj["spec"].items() if name != "nodeName"}
    meta = {name: value for name, value in obj["metadata"].items() if name not in _OWN_META}
    if old is None:
        template = PodTemplate(obj["metadata"]["namespace"], meta, obj["spec"])
        return Pod(template, obj["metadata"]["name"], serial, now)
    pod = old.copy()
    kept = {name: value for name, value in old.spec.items() if name != "nodeName"}
    if (
        spec != kept
        or {name: value for name, value in meta.items() if value} != old.template.meta()
    ):
        pod.template = PodTemplate(old.namespace, meta, spec)
    pod.node = obj["spec"].get("nodeName") or ""
    _read_status(pod, obj.get("status") or {}, calendar)
    return pod


def _read_status(pod: Pod, status: Json, calendar: Calendar) -> None:
    pod.phase = status.get("phase") or "Pending"
    pod.conditions = tuple(
        _read_condition(item, calendar) for item in status.get("conditions") or ()
    )
    pod.ready = any(item.type == "Ready" and item.status == "True" for item in pod.conditions)
    pod.started = calendar.micros(status["startTime"]) if status.get("startTime") else None
    pod.nominated = status.get("nominatedNodeName") or ""
    rest = {name: value for name, value in status.items() if name not in _KNOWN_STATUS}
    if rest.get("podIP") and not rest.get("podIPs"):
        rest["podIPs"] = [{"ip": rest["podIP"]}]
    pod.detail = as_containers(rest, pod, calendar) if rest else None
    ends = [
        item.get("state", {}).get("terminated", {}).get("finishedAt")
        for item in rest.get("containerStatuses") or ()
    ]
    pod.finished = max(map(calendar.micros, ends)) if ends and all(ends) else None


def _read_condition(item: Json, calendar: Calendar) -> Condition:
    at = calendar.micros(item["lastTransitionTime"]) if item.get("lastTransitionTime") else 0
    return Condition(
        item["type"], item["status"], at, item.get("reason") or "", item.get("message") or ""
    )


def as_containers(rest: Json, pod: Pod, calendar: Calendar) -> Containers | Json:
    """Return the compact form of a status if it says no more than that; else the JSON object."""
    state = _all_alike(rest.get("containerStatuses") or (), calendar)
    if state is None:
        return rest
    address = _address_number(rest.get("podIP") or "")
    compact = Containers(address, *state, claims_in(rest))
    return compact if _containers(pod, compact, calendar) == rest else rest


def _all_alike(statuses: Any, calendar: Calendar) -> tuple[int, int | None, int, str] | None:
    states = {repr(item.get("state")): item.get("state") or {} for item in statuses}
    if len(states) != 1:
        return None
    (state,) = states.values()
    if "running" in state and state["running"].get("startedAt"):
        return calendar.micros(state["running"]["startedAt"]), None, 0, ""
    ended = state.get("terminated")
    if not ended or not ended.get("startedAt") or not ended.get("finishedAt"):
        return None
    started, finished = calendar.micros(ended["startedAt"]), calendar.micros(ended["finishedAt"])
    return started, finished, ended.get("exitCode", 0), ended.get("reason", "")


def _address_number(address: str) -> int:
    parts = address.split(".")
    return int(parts[1]) << 16 | int(parts[2]) << 8 | int(parts[3]) if len(parts) == 4 else 0  # noqa: PLR2004 - IPv4


__all__ = ["address_of", "as_containers", "manifest_of", "pod_from", "status_of", "uid_of"]
