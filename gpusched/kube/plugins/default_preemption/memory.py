"""Dry runs remembered: what came of one tells of every node that is like it.

A dry run hangs on the node's amounts, its pods and the pods nominated to it alone, if no filter
looks further. Then nodes with equal amounts and equal pods, in the same order of importance, give
the same victims, and a node that has not changed since gives the very same ones again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gpusched.cluster.nodes import Nodes, NodeState
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.status import Status
from gpusched.kube.plugins.default_preemption.victims import by_importance

LOCAL_FILTERS: Final = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
)
"""Filters that look at one node alone, in an order in which those that eviction cannot change come
first: a node that was turned away resolvably has passed them."""

_MOST: Final = 200_000
_Likeness: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Node:
    """What is known of a node until it changes.

    Attributes:
        stamp: The node's stamp and the version of all node objects when this was worked out.
        likeness: Equal for nodes that fare alike.
        potential: Its less important pods, the most important first.
    """

    stamp: tuple[int, int]
    likeness: _Likeness
    potential: tuple[PodInfo, ...]


class Memory:
    """Answers of dry runs, by the preemptor's shape."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[PodShape, NodeState], _Node] = {}
        self._positions: dict[tuple[PodShape, _Likeness], tuple[int, ...] | Status] = {}
        self._victims: dict[tuple[PodShape, NodeState], tuple[_Node, _Likeness, Victims]] = {}

    def recall(
        self, pod: PodInfo, nodes: Nodes, row: int, rivals: Sequence[PodInfo]
    ) -> Victims | Status | None:
        """Return what a dry run on a node would say, or None if it has to be made."""
        node, likeness = self._known(pod, nodes, row, rivals)
        key = (pod.shape, nodes.states[row])
        last = self._victims.get(key)
        if last is not None and last[0] is node and last[1] == likeness:
            return last[2]
        positions = self._positions.get((pod.shape, likeness))
        if positions is None or isinstance(positions, Status):
            return positions
        chosen = tuple(node.potential[at] for at in positions)
        victims = Victims(nodes.info(row).name, chosen, 0)
        self._victims[key] = (node, likeness, victims)
        return victims

    def keep(
        self,
        pod: PodInfo,
        nodes: Nodes,
        row: int,
        rivals: Sequence[PodInfo],
        found: Victims | Status,
    ) -> None:
        """Remember what a dry run said."""
        self._forget_some()
        node, likeness = self._known(pod, nodes, row, rivals)
        if isinstance(found, Status):
            self._positions[pod.shape, likeness] = found
            return
        places = {id(other): at for at, other in enumerate(node.potential)}
        positions = tuple(places[id(victim)] for victim in found.pods)
        self._positions[pod.shape, likeness] = positions

    def _forget_some(self) -> None:
        for table in (self._nodes, self._positions, self._victims):
            if len(table) >= _MOST:
                table.clear()

    def _known(
        self, pod: PodInfo, nodes: Nodes, row: int, rivals: Sequence[PodInfo]
    ) -> tuple[_Node, _Likeness]:
        state = nodes.states[row]
        key, stamp = (pod.shape, state), (state.stamp, nodes.version)
        node = self._nodes.get(key)
        if node is None or node.stamp != stamp:
            node = self._nodes[key] = _look_at(pod, nodes, row, stamp)
        if not rivals:
            return node, node.likeness
        crowd = tuple((rival.shape, rival.accounted) for rival in rivals)
        return node, (*node.likeness, crowd)


def _look_at(pod: PodInfo, nodes: Nodes, row: int, stamp: tuple[int, int]) -> _Node:
    """Work out what a node is like, for a preemptor of this priority."""
    state, columns = nodes.states[row], nodes.columns
    lower = by_importance(other for other in state.pods if other.priority < pod.priority)
    amounts = (columns.allocatable, columns.requested, columns.nonzero, columns.counts)
    likeness = (
        *(amount[:, row].tobytes() for amount in amounts),
        state.ports,
        tuple((other.shape, other.accounted) for other in lower),
    )
    return _Node(stamp, likeness, tuple(lower))
