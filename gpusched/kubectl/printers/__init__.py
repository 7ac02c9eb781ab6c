"""The API server's tables, one module per family of kinds.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from typing import Final

from gpusched.kubectl.fields import JsonObject, dig, name_of
from gpusched.kubectl.printers.batch import CRON_JOB, JOB
from gpusched.kubectl.printers.core import EVENT, LEASE, NAMESPACE, NODE, SERVICE
from gpusched.kubectl.printers.plain import (
    CONFIG_MAP,
    NAME_ONLY,
    PRIORITY_CLASS,
    RESOURCE_QUOTA,
    SECRET,
)
from gpusched.kubectl.printers.pods import POD
from gpusched.kubectl.printers.storage import (
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    RESOURCE_CLAIM,
    RESOURCE_SLICE,
    STORAGE_CLASS,
)
from gpusched.kubectl.printers.workloads import (
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
)
from gpusched.kubectl.table import Cells, Column, TableDefinition

_TABLES: Final = {
    "Pod": POD,
    "Node": NODE,
    "Namespace": NAMESPACE,
    "Event": EVENT,
    "Service": SERVICE,
    "Lease": LEASE,
    "Deployment": DEPLOYMENT,
    "ReplicaSet": REPLICA_SET,
    "ReplicationController": REPLICATION_CONTROLLER,
    "StatefulSet": STATEFUL_SET,
    "DaemonSet": DAEMON_SET,
    "ControllerRevision": CONTROLLER_REVISION,
    "Job": JOB,
    "CronJob": CRON_JOB,
    "PodDisruptionBudget": POD_DISRUPTION_BUDGET,
    "PriorityClass": PRIORITY_CLASS,
    "ResourceQuota": RESOURCE_QUOTA,
    "ConfigMap": CONFIG_MAP,
    "Secret": SECRET,
    "ServiceAccount": NAME_ONLY,
    "PersistentVolume": PERSISTENT_VOLUME,
    "PersistentVolumeClaim": PERSISTENT_VOLUME_CLAIM,
    "StorageClass": STORAGE_CLASS,
    "DeviceClass": NAME_ONLY,
    "ResourceClaim": RESOURCE_CLAIM,
    "ResourceClaimTemplate": NAME_ONLY,
    "ResourceSlice": RESOURCE_SLICE,
}


def _name_and_creation(obj: JsonObject, now: int) -> Cells:
    del now  # a time, not an age: this is what the API server's fallback table shows
    return [name_of(obj), dig(obj, "metadata", "creationTimestamp")]


_FALLBACK: Final = TableDefinition(
    (Column("Name", is_name=True), Column("Created At")), _name_and_creation
)


def table_of(kind: str) -> TableDefinition:
    """Return how objects of ``kind`` become rows; a kind without table shows two columns."""
    return _TABLES.get(kind, _FALLBACK)


__all__ = ["table_of"]
