"""DefaultTolerationSeconds and TaintNodesByCondition: what new pods and nodes get.

Source: kubernetes/kubernetes plugin/pkg/admission/{defaulttolerationseconds,nodetaint}, v1.36.1
"""

from typing import Final

from gpusched.api.wire import Json

_NOT_READY: Final = "node.kubernetes.io/not-ready"
_UNREACHABLE: Final = "node.kubernetes.io/unreachable"
_SECONDS: Final = 300


def add_default_tolerations(pod: Json) -> Json:
    """Return the pod with five minutes' patience for nodes that fail."""
    tolerations = pod["spec"].get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS}
        for key in (_NOT_READY, _UNREACHABLE)
        if not any(_covers(toleration, key) for toleration in tolerations)
    ]
    return {**pod, "spec": {**pod["spec"], "tolerations": [*tolerations, *added]}} if added else pod


def _covers(toleration: Json, key: str) -> bool:
    has_key = toleration.get("key", "") in {"", key}
    return has_key and toleration.get("effect", "") in {"", "NoExecute"}


def taint_new_node(node: Json) -> Json:
    """Return the node with the taint that keeps pods away until it is known to be ready."""
    taint = {"key": _NOT_READY, "effect": "NoSchedule"}
    spec = node.get("spec") or {}
    taints = spec.get("taints") or []
    if any(one.get("key") == _NOT_READY and one.get("effect") == "NoSchedule" for one in taints):
        return node
    return {**node, "spec": {**spec, "taints": [*taints, taint]}}
