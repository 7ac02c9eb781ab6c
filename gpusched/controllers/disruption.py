"""PodDisruptionBudget status: how many pods are healthy, how many must be, how many may go.

Source: kubernetes/kubernetes pkg/controller/disruption/disruption.go, v1.36.1
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers.conditions import condition, find, without
from gpusched.controllers.interest import ANYTHING, BOUND, STARTED, PodInterest
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
    Request,
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
_WITHOUT_SCALE = {"DaemonSet": "daemonsets.apps", "Job": "jobs.batch", "Node": "nodes"}
_ADDS_LABELS = BOUND | STARTED
"""What takes no label from a pod, so that its new state tells which budgets select it."""
_UNMANAGED = (
    "were found to be unmanaged. As a result, the status of the PDB cannot be calculated"
    " correctly, which may result in undefined behavior. To account for these pods please set"
    ' ".spec.minAvailable" field of the PDB to an integer value.'
)


class DisruptionController:
    """Keeps the status of disruption budgets."""

    name: ClassVar[str] = "controllermanager"
    watches: ClassVar[tuple[str, ...]] = ("PodDisruptionBudget", "Pod", "ReplicaSet", "StatefulSet")
    pods: ClassVar[tuple[PodInterest, ...]] = (
        PodInterest(ANYTHING & ~_ADDS_LABELS, beside="PodDisruptionBudget"),
        PodInterest(_ADDS_LABELS, beside="PodDisruptionBudget", before=False),
    )
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
        before = None if change.facets & _ADDS_LABELS else change.old
        states = [pod.labels for pod in (before, change.new) if pod is not None]
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
        selector = found["spec"].get("selector")
        pods = [pod for pod in reader.pods(key[0]) if selects(selector, pod.labels)]
        if not pods:
            yield Emit(reference(found), "Normal", "NoPods", "No matching pods found")
        try:
            expected, desired, unmanaged = _expected(found, pods, reader)
        except _UncountableError as problem:
            text = f"Failed to calculate the number of expected pods: {problem}"
            yield Emit(reference(found), "Warning", "CalculateExpectedPodCountFailed", text)
            yield from _write(found, _failed_status(found, str(problem), reader))
            return None
        if unmanaged:
            which = f"Pods selected by this PodDisruptionBudget (selector: {_written(selector)})"
            text = f"{which} {_UNMANAGED}"
            yield Emit(reference(found), "Warning", "UnmanagedPods", text)
        disrupted = _disrupted(found, pods, reader)
        healthy = sum(
            pod.ready and pod.deletion is None and pod.name not in disrupted for pod in pods
        )
        yield from _write(found, _status(found, (healthy, desired, expected), disrupted, reader))
        times = [reader.micros(stamp) + DELETION_TIMEOUT for stamp in disrupted.values()]
        return Outcome(requeue_after=max(1, min(times) - reader.now)) if times else None


class _UncountableError(Exception):
    """Nobody knows how many pods an owner wants; the words are upstream's."""


def _write(found: Json, status: Json) -> Generator[Request, Any, None]:
    if status != (found.get("status") or {}):
        yield UpdateStatus(found, status)


def _written(selector: Json | None) -> str:
    """Return a selector as Go prints it."""
    if selector is None:
        return "nil"
    labels = sorted((selector.get("matchLabels") or {}).items())
    pairs = "".join(f"{key}: {value}," for key, value in labels)
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{rule['key']},Operator:{rule['operator']},"
        f"Values:[{' '.join(rule.get('values') or ())}],}},"
        for rule in selector.get("matchExpressions") or ()
    )
    inner = f"MatchLabels:map[string]string{{{pairs}}}"
    return f"&LabelSelector{{{inner},MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"


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
        if pod.owner is None:
            unmanaged = True
            continue
        owner = _sized(pod, reader)
        sizes[owner["metadata"]["uid"]] = owner["spec"]["replicas"]
    return sum(sizes.values()), unmanaged


def _sized(pod: PodView, reader: Reader) -> Json:
    """Return who says how many pods there should be: the owner, or its own owner."""
    assert pod.owner is not None, "a pod that somebody owns"
    kind, name, uid = pod.owner
    if kind in _WITHOUT_SCALE:
        raise _UncountableError(f"{_WITHOUT_SCALE[kind]} does not implement the scale subresource")
    owner = reader.get(kind, pod.namespace, name) if kind in _SIZED else None
    if owner is None or owner["metadata"]["uid"] != uid:
        raise _UncountableError(f'found no controllers for pod "{pod.name}"')
    for ref in owner["metadata"].get("ownerReferences") or ():
        if ref["kind"] in _SIZED:
            owner = reader.get(ref["kind"], pod.namespace, ref["name"]) or owner
    return owner


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
    return {
        "observedGeneration": generation,
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        **({"disruptedPods": disrupted} if disrupted else {}),
        "conditions": _conditions(found, new),
    }


def _failed_status(found: Json, problem: str, reader: Reader) -> Json:
    """Return the status that lets nobody go; only what is allowed and why not is written anew."""
    held = found.get("status") or {}
    counts = dict.fromkeys(("currentHealthy", "desiredHealthy", "expectedPods"), 0)
    times = {"lastTransitionTime": reader.stamp()}
    new = condition("DisruptionAllowed", "False", "SyncFailed", problem, **times)
    if "observedGeneration" in held:
        new["observedGeneration"] = held["observedGeneration"]
    return {**counts, **held, "disruptionsAllowed": 0, "conditions": _conditions(found, new)}


def _conditions(found: Json, new: Json) -> list[Json]:
    """Return the conditions with one set; the same status keeps its time."""
    held = (found.get("status") or {}).get("conditions") or ()
    old = find(held, new["type"])
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [*without(held, new["type"]), new]


_: Controller = DisruptionController()
