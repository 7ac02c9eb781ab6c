"""Which defaults a kind has."""

from collections.abc import Callable
from typing import Final

from gpusched.api.defaulting import cluster_objects, pod, workloads
from gpusched.api.wire import Json

_BY_KIND: Final[dict[str, Callable[[Json], None]]] = {
    "ConfigMap": cluster_objects.default_config_map,
    "CronJob": workloads.default_cron_job,
    "DaemonSet": workloads.default_daemon_set,
    "Deployment": workloads.default_deployment,
    "Job": workloads.default_job,
    "LimitRange": cluster_objects.default_limit_range,
    "Namespace": cluster_objects.default_namespace,
    "Node": cluster_objects.default_node,
    "PersistentVolume": cluster_objects.default_persistent_volume,
    "PersistentVolumeClaim": cluster_objects.default_persistent_volume_claim,
    "Pod": pod.default_pod,
    "PriorityClass": cluster_objects.default_priority_class,
    "ReplicaSet": workloads.default_replica_set,
    "ResourceClaim": cluster_objects.default_resource_claim,
    "ResourceClaimTemplate": cluster_objects.default_resource_claim_template,
    "ResourceQuota": cluster_objects.default_resource_quota,
    "Service": cluster_objects.default_service,
    "StatefulSet": workloads.default_stateful_set,
    "StorageClass": cluster_objects.default_storage_class,
}


def set_defaults(obj: Json) -> None:
    """Fill in the defaults of a decoded object, in place."""
    default = _BY_KIND.get(obj["kind"])
    if default is not None:
        default(obj)
