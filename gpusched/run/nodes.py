"""What each node has and what its pods hold at the end of a run."""

from collections.abc import Iterable, Mapping

from gpusched.api.core import Node
from gpusched.api.pods import Pod as PodModel
from gpusched.api.quantity import Quantity
from gpusched.cluster.requests import accounted_requests, pod_requests
from gpusched.cluster.resources import ResourceNames
from gpusched.run.replay import Moment
from gpusched.sim.pod import Pod, PodTemplate

Use = dict[str, dict[str, int]]


def node_use(moment: Moment) -> dict[str, Use]:
    """Return, by node and resource, ``allocatable`` and ``requested``.

    cpu is in milli-CPU, memory and storage in bytes, everything else in whole units. Pods that
    have finished hold nothing.
    """
    amounts = _Amounts(moment)
    held: dict[str, dict[str, int]] = {}
    for pod in moment.pods():
        if pod.node and not pod.terminal:
            _add(held.setdefault(pod.node, {}), amounts.of(pod).items())
    return {
        node.metadata.name: _use(_allocatable(node), held.get(node.metadata.name, {}))
        for node in map(Node.model_validate, moment.objects("Node"))
    }


class _Amounts:
    """What pods hold; siblings hold the same unless their status speaks of resources."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._names = ResourceNames()
        self._known: dict[PodTemplate, Mapping[str, int]] = {}

    def of(self, pod: Pod) -> Mapping[str, int]:
        """Return how much of each resource a pod holds."""
        if isinstance(pod.detail, dict):
            return self._read(pod)
        known = self._known.get(pod.template)
        if known is None:
            known = self._known[pod.template] = self._read(pod)
        return known

    def _read(self, pod: Pod) -> Mapping[str, int]:
        model, names = PodModel.model_validate(self._moment.manifest(pod)), self._names
        requests = accounted_requests(model, pod_requests(model.spec, names), names)
        amounts = dict(zip((names.names[r] for r in requests.rows), requests.amounts, strict=True))
        return {**amounts, "pods": 1}


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
