"""A workload's state as the recordings flatten it: generation, sizes, counts, conditions."""

from typing import Any

Json = dict[str, Any]

_SPEC = {
    "Deployment": ("replicas",),
    "ReplicaSet": ("replicas",),
    "StatefulSet": ("replicas",),
    "Job": (
        "suspend",
        "parallelism",
        "completions",
        "backoffLimit",
        "completionMode",
        "activeDeadlineSeconds",
    ),
}
_ALWAYS: dict[str, tuple[str, ...]] = {
    "ReplicaSet": ("replicas",),
    "StatefulSet": ("replicas", "availableReplicas"),
    "DaemonSet": (
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
    ),
    "PodDisruptionBudget": (
        "disruptionsAllowed",
        "currentHealthy",
        "desiredHealthy",
        "expectedPods",
    ),
}
WORKLOADS = (
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Namespace",
)
"""The kinds whose states are recorded, in the recordings' order."""


def state_of(obj: Json) -> Json:
    """Return an object's flattened state."""
    kind, spec, status = obj["kind"], obj.get("spec") or {}, obj.get("status") or {}
    state: Json = {}
    if "generation" in obj["metadata"]:
        state["generation"] = obj["metadata"]["generation"]
    state |= {f"spec.{name}": spec[name] for name in _SPEC.get(kind, ()) if name in spec}
    state |= dict.fromkeys(_ALWAYS.get(kind, ()), 0)
    for name, value in status.items():
        if name == "conditions":
            state |= {f"cond.{item['type']}": _words(item) for item in value}
        elif name not in ("disruptedPods", "lastScheduleTime"):
            state[name] = _value(name, value)
    return state


def _words(condition: Json) -> list[str]:
    return [condition["status"], condition.get("reason", ""), condition.get("message", "")]


def _value(name: str, value: Any) -> Any:
    if name in ("startTime", "completionTime"):
        return True
    if name == "uncountedTerminatedPods":
        return {field: len(uids) for field, uids in value.items() if uids}
    return value


def difference(old: Json, new: Json) -> tuple[Json, list[str]]:
    """Return what is set anew and what is gone."""
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    return changed, [name for name in old if name not in new]
