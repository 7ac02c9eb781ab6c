"""The built-in fast stages for nodes, as the patch that ``node-initialize`` makes.

Source: kubernetes-sigs/kwok kustomize/stage/{node,pod}/fast, v0.7.0
"""

from typing import Any

Json = dict[str, Any]
VERSION = "kwok-0.7.0"

_CONDITIONS = (
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("NetworkUnavailable", "False", "RouteCreated", "RouteController created a route"),
)
_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "containerRuntimeVersion": VERSION,
    "kernelVersion": VERSION,
    "kubeProxyVersion": VERSION,
    "kubeletVersion": VERSION,
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "",
    "systemUUID": "",
}
_CAPACITY = {"cpu": "1k", "memory": "1Ti", "pods": "1M"}


def is_ready(node: Json) -> bool:
    """Return whether a node's Ready condition is True."""
    for item in (node.get("status") or {}).get("conditions") or ():
        if item["type"] == "Ready" and item["status"] == "True":
            return True
    return False


def initialized(status: Json | None, created: str, now: str) -> Json:
    """Return the status that ``node-initialize`` gives a node.

    All conditions good, blanks filled, the rest kept.

    Args:
        status: The node's status as it is.
        created: When the node was created, as a stamp.
        now: The present time as a stamp.
    """
    status = status or {}
    info = {name: value for name, value in (status.get("nodeInfo") or {}).items() if value}
    return {
        **status,
        "allocatable": status.get("allocatable") or dict(_CAPACITY),
        "capacity": status.get("capacity") or dict(_CAPACITY),
        "conditions": [
            {
                "type": kind,
                "status": value,
                "lastHeartbeatTime": now,
                "lastTransitionTime": created,
                "reason": reason,
                "message": message,
            }
            for kind, value, reason, message in _CONDITIONS
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {**_NODE_INFO, **info},
        "phase": "Running",
    }
