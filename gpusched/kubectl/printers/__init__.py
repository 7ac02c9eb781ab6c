"""The API server's tables, one module per family of kinds.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from typing import Final

from gpusched.kubectl.fields import JsonObject, dig, name_of
from gpusched.kubectl.printers.batch import CRON_JOB, JOB
from gpusched.kubectl.printers.core import EVENT, LEASE, NAMESPACE, NODE, SERVICE
from gpusched.kubectl.printers.plain import (
    CONFIG_MAP,
    PRIORITY_CLASS,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE_ACCOUNT,
)
from gpusched.kubectl.printers.pods import POD
from gpusched.kubectl.printers.workloads import (
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
    "Job": JOB,
    "CronJob": CRON_JOB,
    "PodDisruptionBudget": POD_DISRUPTION_BUDGET,
    "PriorityClass": PRIORITY_CLASS,
    "ResourceQuota": RESOURCE_QUOTA,
    "ConfigMap": CONFIG_MAP,
    "Secret": SECRET,
    "ServiceAccount": SERVICE_ACCOUNT,
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
