"""Node leases as the API server shows them, told from what the nodes themselves say.

A run does not keep a row for each renewal: a lease is renewed every ten seconds from the node's
creation on, for as long as its Ready condition is True.

Source: kubernetes-sigs/kwok pkg/kwok/controllers/node_lease_controller.go, v0.7.0
"""

from typing import Final

from gpusched.sim.calendar import Calendar
from gpusched.sim.leases import PERIOD
from gpusched.sim.pod import Json

NAMESPACE: Final = "kube-node-lease"
_HOLDER: Final = "kwok-controller"
_SECONDS: Final = 40


def node_lease(node: Json, calendar: Calendar, at: int) -> Json:
    """Return a node's lease as it was at ``at``, microseconds since t = 0."""
    meta = node["metadata"]
    created = calendar.micros(meta["creationTimestamp"])
    renewed = created + max(0, _last_sign(node, calendar, at) - created) // PERIOD * PERIOD
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta.get("uid", "")}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": meta["name"],
            "namespace": NAMESPACE,
            "creationTimestamp": meta["creationTimestamp"],
            "ownerReferences": [owner],
        },
        "spec": {
            "holderIdentity": _HOLDER,
            "leaseDurationSeconds": _SECONDS,
            "renewTime": calendar.micro_stamp(renewed),
        },
    }


def _last_sign(node: Json, calendar: Calendar, at: int) -> int:
    """Return until when the node has renewed its lease: until now, or until it went silent."""
    none: Json = {}
    ready = next((c for c in _conditions(node) if c.get("type") == "Ready"), none)
    if ready.get("status") == "Unknown" and ready.get("lastHeartbeatTime"):
        return min(at, calendar.micros(ready["lastHeartbeatTime"]))
    return at


def _conditions(node: Json) -> list[Json]:
    return (node.get("status") or {}).get("conditions") or []
