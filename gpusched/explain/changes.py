"""What would have to change on a node, or in a pod, for the pod to fit there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.node_affinity import required_node_affinity
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.requirements import DOES_NOT_EXIST, IN, NOT_IN, Requirement
from gpusched.cluster.selectors import NodeTerm
from gpusched.cluster.tolerations import HARD_EFFECTS, tolerates, tolerations_of

HARD: Final = frozenset({"grow", "other"})
"""Changes that nobody can make by evicting pods or editing labels and tolerations."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to change.

    Attributes:
        kind: ``free`` (a resource held by pods), ``grow`` (the node is too small), ``tolerate``,
            ``label``, ``uncordon`` or ``other``.
        text: In words.
        subject: The resource, the taint or the label's key.
        amount: How much of a resource is missing: cpu in milli, others whole.
    """

    kind: str
    text: str
    subject: str = ""
    amount: int = 0


def changes_for(
    pod: PodInfo, snapshot: Snapshot, row: int, refusals: Mapping[str, Sequence[str]]
) -> tuple[Change, ...]:
    """Return everything that would have to change for ``pod`` to fit the node of ``row``.

    Args:
        pod: The pod.
        snapshot: The cluster.
        row: The node.
        refusals: Reasons by plugin, of every plugin that would turn the node away.
    """
    found: list[Change] = []
    for plugin, reasons in refusals.items():
        known = _REMEDIES.get(plugin)
        remedies = list(known(pod, snapshot, row)) if known else []
        found += remedies or [Change("other", reason) for reason in reasons]
    return tuple(found)


def effort(changes: Sequence[Change]) -> tuple[int, int, int, int]:
    """Return what changes are ranked by: the impossible ones first, then how many, how much."""
    hard = [change for change in changes if change.kind in HARD]
    return (
        len(hard),
        sum(change.amount for change in hard),
        len(changes),
        sum(change.amount for change in changes),
    )


def _tolerations(pod: PodInfo, snapshot: Snapshot, row: int) -> Iterator[Change]:
    borne = tolerations_of(pod.shape)
    for taint in snapshot.nodes.info(row).taints:
        if taint.effect in HARD_EFFECTS and not tolerates(borne, taint):
            value = f"={taint.value}" if taint.value else ""
            name = f"{taint.key}{value}:{taint.effect}"
            yield Change("tolerate", f"tolerate the taint {name}", name)


def _uncordon(_pod: PodInfo, _snapshot: Snapshot, _row: int) -> Iterator[Change]:
    yield Change("uncordon", "uncordon the node")


def _labels(pod: PodInfo, snapshot: Snapshot, row: int) -> Iterator[Change]:
    """Yield the labels that nodeSelector misses and those of the nearest affinity term."""
    node = snapshot.nodes.info(row)
    required = required_node_affinity(pod.shape)
    yield from _missing(required.labels, node)
    selector = required.selector
    if selector is None or selector.matches_one(node.labels, node.name):
        return
    terms = [list(_missing(term.labels, node)) for term in selector.terms if _open(term, node)]
    if terms:
        yield from min(terms, key=len)


def _open(term: NodeTerm, node: NodeInfo) -> bool:
    """Return whether labels alone could make a term match a node."""
    fields = all(field.holds(node.name) for field in term.fields)
    return fields and bool(term.labels) and not term.errors


def _missing(requirements: Sequence[Requirement], node: NodeInfo) -> Iterator[Change]:
    for requirement in requirements:
        if not requirement.holds(node.labels.get(requirement.key)):
            yield Change("label", _label_text(requirement), requirement.key)


def _label_text(requirement: Requirement) -> str:
    key, values = requirement.key, requirement.values
    if requirement.operator == IN:
        return f"label the node {key}={'|'.join(values)}"
    if requirement.operator in (NOT_IN, DOES_NOT_EXIST):
        return f"remove the node's label {key}"
    return f"label the node so that {' '.join((key, requirement.operator, *values))}"


def _resources(pod: PodInfo, snapshot: Snapshot, row: int) -> Iterator[Change]:
    nodes = snapshot.nodes
    if nodes.pod_counts[row] >= nodes.allowed_pods[row]:
        yield Change("free", "free 1 pod slot", "pods", 1)
    requests = pod.shape.requests
    for resource, wanted in zip(requests.rows, requests.amounts, strict=True):
        has = int(nodes.allocatable[resource, row])
        name, growth = nodes.resources.names[resource], max(0, wanted - has)
        taken = wanted - growth - (has - int(nodes.requested[resource, row]))
        if growth:
            words = f"the node has {_amount(name, has)} {name}, the pod asks for "
            yield Change("grow", words + _amount(name, wanted), name, growth)
        if wanted and taken > 0:
            yield Change("free", f"free {_amount(name, taken)} {name}", name, taken)


def _amount(resource: str, amount: int) -> str:
    return f"{amount}m" if resource == "cpu" else str(amount)


_REMEDIES: Final[Mapping[str, Callable[[PodInfo, Snapshot, int], Iterator[Change]]]] = {
    "NodeAffinity": _labels,
    "NodeResourcesFit": _resources,
    "NodeUnschedulable": _uncordon,
    "TaintToleration": _tolerations,
}
