"""PodDisruptionBudget status: how many pods are healthy, how many must be, how many may go.

Source: kubernetes/kubernetes pkg/controller/disruption/disruption.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers.conditions import condition, with_condition
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    Emit,
    Json,
    Key,
    Outcome,
    PodView,
    Reader,
    UpdateStatus,
    Wake,
    Work,
    reference,
)
from gpusched.controllers.rollout import scaled
from gpusched.controllers.selectors import selects

DELETION_TIMEOUT = 120 * SECOND
"""A pod whose eviction was granted counts as gone so long."""
_SIZED = ("ReplicaSet", "StatefulSet", "Deployment")
_UNMANAGED = (
    "were found to be unmanaged. As a result, the status of the PDB cannot be calculated"
    " correctly, which may result in undefined behavior. To account for these pods please set"
    ' ".spec.minAvailable" field of the PDB to an integer value.'
)


class DisruptionController:
    """Keeps the status of disruption budgets."""

    name: ClassVar[str] = "controllermanager"
    watches: ClassVar[tuple[str, ...]] = ("PodDisruptionBudget", "Pod", "ReplicaSet", "StatefulSet")
    pods: ClassVar[tuple[PodInterest, ...]] = (PodInterest(beside="PodDisruptionBudget"),)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 1
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the budget itself, and those that select a changed pod."""
        if change.kind == "PodDisruptionBudget":
            return (Wake(change.key),)
        if change.kind != "Pod":
            return ()
        budgets = reader.objects("PodDisruptionBudget", change.key[0])
        states = [pod.labels for pod in (change.old, change.new) if pod is not None]
        return [
            Wake((change.key[0], item["metadata"]["name"]))
            for item in budgets
            if any(selects(item["spec"].get("selector"), labels) for labels in states)
        ]

    def sync(self, key: Key, reader: Reader) -> Work:
        """Count and write the status."""
        found = reader.get("PodDisruptionBudget", *key)
        if found is None:
            return None
        pods = [
            pod
            for pod in reader.pods(key[0])
            if selects(found["spec"].get("selector"), pod.labels) and not _over(pod)
        ]
        if not pods:
            yield Emit(_reference(found), "Normal", "NoPods", "No matching pods found")
        expected, desired, unmanaged = _expected(found, pods, reader)
        if unmanaged:
            which = f"Pods selected by this PodDisruptionBudget (selector: {_selector(found)})"
            text = f"{which} {_UNMANAGED}"
            yield Emit(_reference(found), "Warning", "UnmanagedPods", text)
        disrupted = _disrupted(found, pods, reader)
        healthy = sum(
            pod.ready and pod.deletion is None and pod.name not in disrupted for pod in pods
        )
        status = _status(found, (healthy, desired, expected), disrupted, reader)
        if status != (found.get("status") or {}):
            yield UpdateStatus(found, status)
        times = [reader.micros(stamp) + DELETION_TIMEOUT for stamp in disrupted.values()]
        return Outcome(requeue_after=max(1, min(times) - reader.now)) if times else None


def _over(pod: PodView) -> bool:
    return pod.phase in ("Succeeded", "Failed")


def _reference(found: Json) -> dict[str, str]:
    return reference(found)


def _selector(found: Json) -> str:
    labels = (found["spec"].get("selector") or {}).get("matchLabels") or {}
    inner = " ".join(f"{key}:{value}" for key, value in sorted(labels.items()))
    wanted = f"MatchLabels:map[string]string{{{inner.replace(' ', ',')},}}"
    return f"&LabelSelector{{{wanted},MatchExpressions:[]LabelSelectorRequirement{{}},}}"


def _expected(found: Json, pods: Sequence[PodView], reader: Reader) -> tuple[int, int, bool]:
    """Return how many pods there should be and must be healthy; whether some have no owner."""
    spec = found["spec"]
    if isinstance(spec.get("minAvailable"), int):
        return len(pods), spec["minAvailable"], False
    expected, unmanaged = _scale(pods, reader)
    if spec.get("maxUnavailable") is not None:
        return (
            expected,
            max(0, expected - scaled(spec["maxUnavailable"], expected, up=True)),
            unmanaged,
        )
    return expected, scaled(spec.get("minAvailable", 0), expected, up=True), unmanaged


def _scale(pods: Sequence[PodView], reader: Reader) -> tuple[int, bool]:
    """Return the sum of the sizes of the pods' owners."""
    sizes: dict[str, int] = {}
    unmanaged = False
    for pod in pods:
        owner: Any = None
        if pod.owner is not None and pod.owner[0] in _SIZED:
            owner = reader.get(pod.owner[0], pod.namespace, pod.owner[1])
        if owner is None:
            unmanaged = True
            continue
        for ref in owner["metadata"].get("ownerReferences") or ():
            parent = (
                reader.get(ref["kind"], pod.namespace, ref["name"])
                if ref["kind"] in _SIZED
                else None
            )
            owner = parent or owner
        sizes[owner["metadata"]["uid"]] = owner["spec"]["replicas"]
    return sum(sizes.values()), unmanaged


def _disrupted(found: Json, pods: Sequence[PodView], reader: Reader) -> dict[str, str]:
    """Return the pods whose eviction was granted and that have not gone yet."""
    noted = (found.get("status") or {}).get("disruptedPods") or {}
    there = [pod.name for pod in pods if pod.deletion is None]
    return {
        name: stamp
        for name, stamp in noted.items()
        if name in there and reader.micros(stamp) + DELETION_TIMEOUT > reader.now
    }


def _status(
    found: Json, counts: tuple[int, int, int], disrupted: dict[str, str], reader: Reader
) -> Json:
    healthy, desired, expected = counts
    allowed = max(0, healthy - desired) if expected > 0 else 0
    generation = found["metadata"]["generation"]
    reason = "SufficientPods" if allowed else "InsufficientPods"
    new = condition(
        "DisruptionAllowed",
        "True" if allowed else "False",
        reason,
        "",
        lastTransitionTime=reader.stamp(),
    )
    new["observedGeneration"] = generation
    held = with_condition((found.get("status") or {}).get("conditions") or (), new)
    return {
        "observedGeneration": generation,
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        **({"disruptedPods": disrupted} if disrupted else {}),
        "conditions": held,
    }


_: Controller = DisruptionController()
