"""Namespace deletion: the content goes in rounds, then the namespace.

Source: kubernetes/kubernetes pkg/controller/namespace/deletion/namespaced_resources_deleter.go,
v1.36.1
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.controllers.conditions import condition
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    Delete,
    Json,
    Key,
    Outcome,
    Pause,
    PodView,
    Reader,
    Update,
    UpdateStatus,
    Wake,
    Work,
)

ROUND = 5 * SECOND
"""A namespace is looked at so long after it was marked, and again while content remains."""
_KINDS = (
    "ConfigMap",
    "Service",
    "ServiceAccount",
    "Secret",
    "LimitRange",
    "ResourceQuota",
    "PersistentVolumeClaim",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ControllerRevision",
    "Job",
    "CronJob",
    "PodDisruptionBudget",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "Lease",
)
_DONE = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    (
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
)


_FAILURE = "NamespaceDeletionContentFailure"
_UNEXPECTED = (
    "Failed to delete all resource types, 1 remaining: failed to delete pods for namespace: {0},"
    " err: unexpected items still remain in namespace: {0} for gvr: /v1, Resource=pods"
)
_MOMENT = SECOND // 10
"""How long the server takes over a collection and over what is asked next, until pods are looked
for again: most have gone by then."""


class NamespaceController:
    """Empties and removes namespaces that were deleted."""

    name: ClassVar[str] = "namespace-controller"
    watches: ClassVar[tuple[str, ...]] = ("Namespace",)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 10
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return a namespace that is marked for deletion."""
        if change.verb == "DELETED" or not change.new["metadata"].get("deletionTimestamp"):
            return ()
        # Each write to the namespace counts, also the controller's own to its conditions.
        return (Wake(change.key, ROUND),)

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete the pods first, everything else once they have gone, then the namespace.

        The server deletes a collection one by one, in the order of names.
        """
        found = reader.get("Namespace", *key)
        if found is None or not found["metadata"].get("deletionTimestamp"):
            return None
        pods = sorted((pod.namespace, pod.name) for pod in reader.pods(key[1]))
        if pods:
            grace = max(_grace(pod) for pod in reader.pods(key[1]))
            yield Delete("Pod", pods, collection=True)
            yield Pause(_MOMENT)
            if any(True for _ in reader.pods(key[1])):
                outcome: Outcome = yield from _put_off(found, grace, reader)
                return outcome
        for kind in _KINDS:
            keys = [(key[1], obj["metadata"]["name"]) for obj in reader.objects(kind, key[1])]
            if keys:
                yield Delete(kind, sorted(keys), collection=True)
        status = _with_conditions(found, reader)
        if status != found.get("status"):
            found = yield UpdateStatus(found, status)
        yield Update({**found, "spec": {**(found.get("spec") or {}), "finalizers": []}})
        return None


def _grace(pod: PodView) -> int:
    """Return how long a pod may take to go, in seconds."""
    if pod.phase in ("Succeeded", "Failed"):
        return 0
    return int(pod.spec.get("terminationGracePeriodSeconds", 30))


def _put_off(found: Json, grace: int, reader: Reader) -> Any:
    """Wait for pods that take their time; those that have had enough of it are an error."""
    late = reader.now - reader.micros(found["metadata"]["deletionTimestamp"]) >= grace * SECOND
    status = _with_conditions(found, reader, _UNEXPECTED if late else None)
    if status != found.get("status"):
        yield UpdateStatus(found, status)
    if late:
        return Outcome(retry=True, backoff=(5_000, 60 * SECOND))
    return Outcome(requeue_after=(grace // 2 + 1) * SECOND)


def _with_conditions(found: Json, reader: Reader, failure: str | None = None) -> Json:
    """Return a namespace's status with all conditions well but, perhaps, one."""
    status = found.get("status") or {}
    before = {item["type"]: item for item in status.get("conditions") or ()}
    now = []
    for kind, reason, text in _DONE:
        words = (kind, "False", reason, text)
        if kind == _FAILURE and failure is not None:
            why = failure.format(found["metadata"]["name"])
            words = (kind, "True", "ContentDeletionFailed", why)
        old = before.get(kind)
        same = old is not None and old["status"] == words[1]
        stamp = old["lastTransitionTime"] if old is not None and same else reader.stamp()
        now.append(condition(*words, lastTransitionTime=stamp))
    return {**status, "conditions": now}


_: Controller = NamespaceController()
