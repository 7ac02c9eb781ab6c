"""What each node has and what its pods hold at the end of a run."""

from collections.abc import Iterable, Mapping

from gpusched.api.core import Node
from gpusched.api.pods import Pod as PodModel
from gpusched.api.quantity import Quantity
from gpusched.cluster.requests import accounted_requests, pod_requests
from gpusched.cluster.resources import ResourceNames
from gpusched.run.replay import Moment

Use = dict[str, dict[str, int]]


def node_use(moment: Moment) -> dict[str, Use]:
    """Return, by node and resource, ``allocatable`` and ``requested``.

    cpu is in milli-CPU, memory and storage in bytes, everything else in whole units. Pods that
    have finished hold nothing.
    """
    names = ResourceNames()
    held: dict[str, dict[str, int]] = {}
    for obj in moment.objects("Pod"):
        node = obj["spec"].get("nodeName")
        if not node or obj["status"]["phase"] in ("Succeeded", "Failed"):
            continue
        pod = PodModel.model_validate(obj)
        requests = accounted_requests(pod, pod_requests(pod.spec, names), names)
        amounts = dict(zip((names.names[r] for r in requests.rows), requests.amounts, strict=True))
        _add(held.setdefault(node, {}), {**amounts, "pods": 1}.items())
    return {
        node.metadata.name: _use(_allocatable(node), held.get(node.metadata.name, {}))
        for node in map(Node.model_validate, moment.objects("Node"))
    }


def _allocatable(node: Node) -> Mapping[str, Quantity]:
    told = node.status.allocatable
    return node.status.capacity if told is None else told


def _add(held: dict[str, int], amounts: Iterable[tuple[str, int]]) -> None:
    for name, amount in amounts:
        held[name] = held.get(name, 0) + amount


def _use(allocatable: Mapping[str, Quantity], held: Mapping[str, int]) -> Use:
    use: Use = {}
    for name, quantity in allocatable.items():
        amount = quantity.milli_value() if name == "cpu" else quantity.value()
        use[name] = {"allocatable": amount, "requested": held.get(name, 0)}
    for name, amount in held.items():
        use.setdefault(name, {"allocatable": 0, "requested": amount})
    return use
