"""Namespace deletion: the content goes in rounds, then the namespace.

Source: kubernetes/kubernetes pkg/controller/namespace/deletion/namespaced_resources_deleter.go,
v1.36.1
"""

from collections.abc import Iterable
from typing import ClassVar

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


class NamespaceController:
    """Empties and removes namespaces that were deleted."""

    name: ClassVar[str] = "namespace-controller"
    watches: ClassVar[tuple[str, ...]] = ("Namespace",)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 10
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return a namespace that was just marked for deletion."""
        if change.verb == "DELETED" or not change.new["metadata"].get("deletionTimestamp"):
            return ()
        fresh = change.old is None or not change.old["metadata"].get("deletionTimestamp")
        return (Wake(change.key, ROUND),) if fresh else ()

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete the pods first, everything else once they have gone, then the namespace.

        The server deletes a collection one by one, in the order of names.
        """
        found = reader.get("Namespace", *key)
        if found is None or not found["metadata"].get("deletionTimestamp"):
            return None
        pods = sorted((pod.namespace, pod.name) for pod in reader.pods(key[1]))
        if pods:
            yield Delete("Pod", pods, collection=True)
            return Outcome(requeue_after=_next_look(reader, key[1]))
        for kind in _KINDS:
            keys = [(key[1], obj["metadata"]["name"]) for obj in reader.objects(kind, key[1])]
            if keys:
                yield Delete(kind, sorted(keys), collection=True)
        found = yield UpdateStatus(found, _finished(found, reader))
        yield Update({**found, "spec": {**(found.get("spec") or {}), "finalizers": []}})
        return None


def _next_look(reader: Reader, namespace: str) -> int:
    """Return how long to wait for pods: half of the longest grace period, at least a moment."""
    del reader, namespace
    return SECOND // 10


def _finished(found: Json, reader: Reader) -> Json:
    stamp = reader.stamp()
    held = [
        condition(kind, "False", reason, text, lastTransitionTime=stamp)
        for kind, reason, text in _DONE
    ]
    return {**(found.get("status") or {}), "conditions": held}


_: Controller = NamespaceController()
