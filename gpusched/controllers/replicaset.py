"""ReplicaSet: as many pods as its spec says.

Source: kubernetes/kubernetes pkg/controller/replicaset/replica_set.go, replica_set_utils.go,
v1.36.1
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from gpusched.controllers import conditions
from gpusched.controllers.claiming import Claims
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.pods import deletion_order, is_available
from gpusched.controllers.protocol import (
    SECOND,
    ApiError,
    Change,
    Controller,
    CreatePods,
    Delete,
    Emit,
    Json,
    Key,
    Outcome,
    PodView,
    Reader,
    Tally,
    UpdateStatus,
    Wake,
    Work,
    key_of,
    reference,
)
from gpusched.controllers.references import controller_of

BURST = 500
"""A sync creates or deletes at most so many pods."""


class ReplicaSetController:
    """Creates and deletes the pods of ReplicaSets."""

    name: ClassVar[str] = "replicaset-controller"
    watches: ClassVar[tuple[str, ...]] = ("ReplicaSet", "Pod")
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._claims = Claims("ReplicaSet")
        self.pods: tuple[PodInterest, ...] = self._claims.interests

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the ReplicaSet itself, or those whom a changed pod concerns."""
        if change.kind == "ReplicaSet":
            self._claims.owner_changed(change, reader)
            return (Wake(change.key),)
        pod: PodView = change.new
        wakes = [Wake(key) for key in self._claims.pod_changed(change, reader)]
        owner = pod.owner
        if owner is None or owner[0] != "ReplicaSet":
            return wakes
        key = (pod.namespace, owner[1])
        wakes.append(Wake(key))
        found = reader.get("ReplicaSet", *key)
        wait = (found or {}).get("spec", {}).get("minReadySeconds", 0)
        if wait and change.old is not None and pod.ready and not change.old.ready:
            wakes.append(Wake(key, (wait + 1) * SECOND))
        return wakes

    def sync(self, key: Key, reader: Reader) -> Work:
        """Create or delete what is missing or too much, then write the status."""
        found = reader.get("ReplicaSet", *key)
        if found is None:
            return None
        problem: ApiError | None = None
        yield from self._claims.settle(found, reader)
        before = reader.tally(found["metadata"]["uid"])
        available = _available(found, before, reader)
        surplus = before.active - found["spec"]["replicas"]
        if surplus and not found["metadata"].get("deletionTimestamp"):
            problem = yield from self._manage(found, surplus, reader)
        counts = (before.active, before.ready, available)
        status = _status(found, counts, surplus, problem, reader)
        if status != found.get("status"):
            found = yield UpdateStatus(found, status)
        if problem is not None:
            return Outcome(retry=True)
        return _next_check(found)

    def _manage(self, found: Json, surplus: int, reader: Reader) -> Any:
        if surplus < 0:
            missing = min(-surplus, BURST)
            return (yield from create_slowly(found, found["spec"]["template"], missing))
        doomed = _to_delete(found, min(surplus, BURST), reader)
        return (yield from delete_all(found, doomed))


def _available(found: Json, tally: Tally, reader: Reader) -> int:
    """Return how many pods are available; without minReadySeconds those that are ready."""
    wait = found["spec"].get("minReadySeconds", 0)
    if not wait:
        return tally.ready
    pods = reader.pods_of(found["metadata"]["uid"])
    return sum(is_available(pod, wait, reader.now) for pod in pods if pod.active)


def create_slowly(owner: Json, template: Json, count: int) -> Any:
    """Create pods in batches of 1, 2, 4, ….

    Stop after a batch with a failure and return the first one.
    """
    prefix = owner["metadata"]["name"] + "-"
    batch = 1
    while count > 0:
        size = min(batch, count)
        answers = yield CreatePods(owner, template, (prefix,) * size)
        problem = yield from report_creations(owner, answers)
        if problem is not None:
            return problem
        count -= size
        batch *= 2
    return None


def report_creations(owner: Json, answers: Iterable[Any]) -> Any:
    """Emit an event per answer.

    Return the first failure (creations in a dying namespace count as none).
    """
    problem: ApiError | None = None
    for answer in answers:
        if not isinstance(answer, ApiError):
            yield Emit(
                reference(owner), "Normal", "SuccessfulCreate", f"Created pod: {answer.name}"
            )
        elif "NamespaceTerminating" not in answer.causes:
            yield Emit(
                reference(owner), "Warning", "FailedCreate", f"Error creating: {answer.message}"
            )
            problem = problem or answer
    return problem


def delete_all(owner: Json, doomed: Sequence[PodView]) -> Any:
    """Delete pods side by side, with an event each; return the first failure."""
    answers = yield Delete("Pod", [(pod.namespace, pod.name) for pod in doomed])
    problem: ApiError | None = None
    for pod, answer in zip(doomed, answers, strict=True):
        if answer is None:
            yield Emit(reference(owner), "Normal", "SuccessfulDelete", f"Deleted pod: {pod.name}")
        elif answer.code != 404:  # noqa: PLR2004 - HTTP: somebody else was faster
            yield Emit(
                reference(owner), "Warning", "FailedDelete", f"Error deleting: {answer.message}"
            )
            problem = problem or answer
    return problem


def _to_delete(found: Json, count: int, reader: Reader) -> Sequence[PodView]:
    """Return the pods to delete first.

    Those least useful; among equals those with most siblings on their node.
    """
    active = [pod for pod in reader.pods_of(found["metadata"]["uid"]) if pod.active]
    if count >= len(active):
        return active
    crowd = Counter(pod.node for pod in _related(found, reader) if pod.active)
    order = sorted(active, key=lambda pod: deletion_order(pod, crowd[pod.node], reader.now))
    return order[:count]


def _related(found: Json, reader: Reader) -> Iterator[PodView]:
    """Yield the pods of all ReplicaSets with the same controller."""
    owner = controller_of(found)
    siblings = reader.owned("ReplicaSet", owner["uid"]) if owner else [found]
    for sibling in siblings:
        yield from reader.pods_of(sibling["metadata"]["uid"])


def _status(
    found: Json,
    counts: tuple[int, int, int],
    surplus: int,
    problem: ApiError | None,
    reader: Reader,
) -> Json:
    """Return the status for so many active, ready and available pods."""
    held: list[Json] = list((found.get("status") or {}).get("conditions") or ())
    failure = conditions.find(held, "ReplicaFailure")
    if problem is not None and failure is None:
        reason = "FailedCreate" if surplus < 0 else "FailedDelete"
        now = reader.stamp()
        new = conditions.condition(
            "ReplicaFailure", "True", reason, problem.message, lastTransitionTime=now
        )
        held.append(new)
    elif problem is None and failure is not None:
        held = conditions.without(held, "ReplicaFailure")
    active, ready, available = counts
    optional = {
        "fullyLabeledReplicas": active,
        "readyReplicas": ready,
        "availableReplicas": available,
    }
    status: Json = {"replicas": active}
    status |= {name: count for name, count in optional.items() if count}
    status["terminatingReplicas"] = reader.tally(found["metadata"]["uid"]).terminating
    status["observedGeneration"] = found["metadata"]["generation"]
    return status | ({"conditions": held} if held else {})


def _next_check(found: Json) -> Outcome | None:
    wait = found["spec"].get("minReadySeconds", 0)
    status = found["status"]
    if wait and status.get("readyReplicas", 0) != status.get("availableReplicas", 0):
        return Outcome(requeue_after=wait * SECOND)
    return None


_: Controller = ReplicaSetController()
__all__ = ["ReplicaSetController", "create_slowly", "delete_all", "key_of", "report_creations"]
