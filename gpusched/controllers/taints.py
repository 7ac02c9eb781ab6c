"""Node taints and what tolerates them.

Source: k8s.io/component-helpers scheduling/corev1, kubernetes/kubernetes pkg/util/taints, v1.36.1
"""

from collections.abc import Iterable, Sequence

from gpusched.controllers.protocol import Json

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_CONDITION_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
_MANAGED = (UNSCHEDULABLE, *_CONDITION_TAINTS.values())


def taints_of(node: Json) -> Sequence[Json]:
    """Return a node's taints."""
    return (node.get("spec") or {}).get("taints") or ()


def reconciled(node: Json) -> list[Json] | None:
    """Return a node's taints with those NoSchedule ones that its state calls for.

    None if that changes nothing.
    """
    held = (node.get("status") or {}).get("conditions") or ()
    found = [_CONDITION_TAINTS.get((item["type"], item["status"])) for item in held]
    wanted = [key for key in found if key] + (
        [UNSCHEDULABLE] if (node.get("spec") or {}).get("unschedulable") else []
    )
    have = taints_of(node)
    kept = [
        item
        for item in have
        if item["effect"] != "NoSchedule" or item["key"] not in _MANAGED or item["key"] in wanted
    ]
    keys = [item["key"] for item in have if item["effect"] == "NoSchedule"]
    added = [{"key": key, "effect": "NoSchedule"} for key in wanted if key not in keys]
    return None if not added and len(kept) == len(have) else [*kept, *added]


def with_taint(node: Json, key: str, now: str, other: str) -> list[Json] | None:
    """Return a node's taints with a NoExecute one in place of another.

    None if that changes nothing.
    """
    have = taints_of(node)
    kept = [item for item in have if item["effect"] != "NoExecute" or item["key"] != other]
    if any(item["key"] == key and item["effect"] == "NoExecute" for item in kept):
        return None if len(kept) == len(have) else kept
    return [*kept, {"key": key, "effect": "NoExecute", "timeAdded": now}]


def without_no_execute(node: Json) -> list[Json] | None:
    """Return a node's taints without the controller's NoExecute ones; None if it has none."""
    have = taints_of(node)
    kept = [
        item
        for item in have
        if item["effect"] != "NoExecute" or item["key"] not in (NOT_READY, UNREACHABLE)
    ]
    return None if len(kept) == len(have) else kept


def with_taints(node: Json, taints: list[Json]) -> Json:
    """Return a node with other taints."""
    spec = {name: value for name, value in (node.get("spec") or {}).items() if name != "taints"}
    return {**node, "spec": {**spec, "taints": taints} if taints else spec}


def no_execute(node: Json) -> list[Json]:
    """Return a node's NoExecute taints."""
    return [item for item in taints_of(node) if item["effect"] == "NoExecute"]


def toleration_seconds(taints: Iterable[Json], tolerations: Sequence[Json]) -> int | None:
    """Return for how many seconds all taints are tolerated.

    0 if one is not at all, None for ever.
    """
    limits: list[int] = []
    for taint in taints:
        matching = [item for item in tolerations if tolerates(item, taint)]
        if not matching:
            return 0
        limits += [
            max(0, item["tolerationSeconds"])
            for item in matching[:1]
            if item.get("tolerationSeconds") is not None
        ]
    return min(limits, default=None)


def tolerates(toleration: Json, taint: Json) -> bool:
    """Return whether a toleration matches a taint: empty effect and key match any."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (
        taint.get("value") or ""
    )
