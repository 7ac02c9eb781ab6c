"""Which nodes a DaemonSet's pods belong on, and which of its pods are for which node.

Source: kubernetes/kubernetes pkg/controller/daemon/daemon_controller.go (NodeShouldRunDaemonPod,
getNodesToDaemonPods), v1.36.1
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from gpusched.controllers import node_terms
from gpusched.controllers.protocol import Json, PodView, Reader
from gpusched.controllers.taints import taints_of, tolerates

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def judge(found: Json, node: Json) -> tuple[bool, bool]:
    """Return whether a node should get a pod, and whether one that is there may stay."""
    spec = found["spec"]["template"]["spec"]
    if spec.get("nodeName") not in (None, "", node["metadata"]["name"]) or not node_terms.admits(
        spec, node
    ):
        return False, False
    tolerations = [*(spec.get("tolerations") or ()), *own_tolerations(spec)]
    repelled = [
        item["effect"]
        for item in taints_of(node)
        if not any(tolerates(given, item) for given in tolerations)
    ]
    return not {"NoSchedule", "NoExecute"} & set(repelled), "NoExecute" not in repelled


def own_tolerations(spec: Json) -> list[Json]:
    """Return the tolerations that every pod of a DaemonSet has."""
    own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    if spec.get("hostNetwork"):
        own.append(
            {
                "key": "node.kubernetes.io/network-unavailable",
                "operator": "Exists",
                "effect": "NoSchedule",
            }
        )
    return own


def pods_by_node(found: Json, reader: Reader) -> Mapping[str, Sequence[PodView]]:
    """Return a DaemonSet's pods by the node that each is for, bound or not, oldest first.

    Those that have ended and are being deleted are left out.
    """
    pods: defaultdict[str, list[PodView]] = defaultdict(list)
    for pod in reader.pods_of(found["metadata"]["uid"]):
        if pod.deletion is None or pod.phase not in ("Succeeded", "Failed"):
            pods[pod.node or node_terms.target(pod.spec)].append(pod)
    return pods
