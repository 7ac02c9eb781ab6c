"""Which rules a kind has."""

from collections.abc import Callable
from typing import Final

from gpusched.api.defaulting.creation import NAMESPACED
from gpusched.api.names import path_segment
from gpusched.api.validation import (
    claims,
    configuration,
    device_claims,
    jobs,
    node,
    pod,
    policy,
    quota,
    resource_slices,
    services,
    storage,
    workloads,
)
from gpusched.api.validation.errors import Errors, FieldError
from gpusched.api.validation.meta import validate_any_metadata
from gpusched.api.wire import Json

_BY_KIND: Final[dict[str, Callable[[Json], Errors]]] = {
    "CSINode": storage.validate_csi_node,
    "ConfigMap": configuration.validate_config_map,
    "CronJob": jobs.validate_cron_job,
    "DaemonSet": workloads.validate_daemon_set,
    "Deployment": workloads.validate_deployment,
    "DeviceClass": device_claims.validate_device_class,
    "Job": jobs.validate_job,
    "Lease": services.validate_lease,
    "LimitRange": quota.validate_limit_range,
    "Namespace": node.validate_namespace,
    "Node": node.validate_node,
    "PersistentVolume": storage.validate_persistent_volume,
    "PersistentVolumeClaim": claims.validate_persistent_volume_claim,
    "Pod": pod.validate_pod,
    "PodDisruptionBudget": policy.validate_pod_disruption_budget,
    "PriorityClass": policy.validate_priority_class,
    "ReplicaSet": workloads.validate_replica_set,
    "ResourceClaim": device_claims.validate_resource_claim,
    "ResourceClaimTemplate": device_claims.validate_resource_claim_template,
    "ResourceQuota": quota.validate_resource_quota,
    "ResourceSlice": resource_slices.validate_resource_slice,
    "Service": services.validate_service,
    "ServiceAccount": configuration.validate_service_account,
    "StatefulSet": workloads.validate_stateful_set,
    "StorageClass": storage.validate_storage_class,
}


def validate_object(obj: Json) -> list[FieldError]:
    """Return everything that is wrong with a defaulted object that is to be created.

    The rules that all kinds share come last, and only for what its own rules let pass.
    """
    kind = obj["kind"]
    rules = _BY_KIND.get(kind)
    errors = list(rules(obj)) if rules else []
    if not errors:
        metadata = obj["metadata"]
        errors = list(validate_any_metadata(metadata, path_segment, namespaced=kind in NAMESPACED))
    return errors
