"""What a namespace uses of the resources that a ResourceQuota limits.

What one object counts for is in `api.admission.usage`.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core, v1.36.1
"""

from collections.abc import Iterator

from gpusched.api.admission.usage import is_in_scope, is_measured, usage
from gpusched.api.quantity import ZERO
from gpusched.controllers.protocol import Json, Reader

KINDS = (
    "Service",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "ReplicationController",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ResourceQuota",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "PodDisruptionBudget",
)
"""Kinds beside Pod whose objects a quota can limit."""
_POD: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}


def usage_in(reader: Reader, quota: Json) -> dict[str, str]:
    """Return the usage of those of a quota's resources that anything counts towards."""
    namespace = quota["metadata"]["namespace"]
    total = dict.fromkeys(_counted(quota), ZERO)
    counting = (obj for obj in _objects(reader, namespace) if is_in_scope(quota, obj))
    for uses in map(usage, counting):
        for name in total.keys() & uses.keys():
            total[name] += uses[name]
    return {name: str(amount) for name, amount in total.items()}


def _counted(quota: Json) -> list[str]:
    """Return the limits of a quota towards which some kind of object counts."""
    samples = [{**_POD, "kind": kind} for kind in ("Pod", *KINDS)]
    return [
        name
        for name in quota["spec"].get("hard") or {}
        if name.startswith("count/") or any(is_measured(sample, name) for sample in samples)
    ]


def _objects(reader: Reader, namespace: str) -> Iterator[Json]:
    for pod in reader.pods(namespace):
        if pod.phase not in ("Succeeded", "Failed"):
            yield {**_POD, "spec": dict(pod.spec), "status": {"phase": pod.phase}}
    for kind in KINDS:
        yield from reader.objects(kind, namespace)
