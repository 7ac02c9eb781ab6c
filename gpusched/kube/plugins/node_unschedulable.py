"""NodeUnschedulable: a cordoned node takes no pods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from gpusched.cluster.node import NodeInfo, Taint
from gpusched.cluster.nodes import Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.tolerations import NO_SCHEDULE, tolerates, tolerations_of
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.status import Code, Rejection

REASON: Final = "node(s) were unschedulable"
_TAINT: Final = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)


@dataclass(frozen=True, slots=True)
class NodeUnschedulable:
    """Turn away cordoned nodes, unless the pod tolerates the taint that a cordon leaves.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodeunschedulable/
    node_unschedulable.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeUnschedulable"

    def filter(self, _state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin."""
        cordoned = nodes.memo(_cordoned, _cordoned)
        if cordoned is None or tolerates(tolerations_of(pod.shape), _TAINT):
            return ()
        return (Rejection(REASON, cordoned, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),)

    def events_to_register(self) -> Sequence[EventHint]:
        """A node that comes uncordoned or is uncordoned helps; so does a new toleration."""
        node, pod = EventResource.NODE, EventResource.POD
        return (
            EventHint(
                ClusterEvent(node, Action.ADD | Action.UPDATE_NODE_TAINT), _opens, by_shape=True
            ),
            EventHint(
                ClusterEvent(pod, Action.UPDATE_POD_TOLERATION), _tolerates_now, by_shape=True
            ),
        )


def _cordoned(nodes: Nodes) -> Mask | None:
    """Return True for cordoned nodes, or None if there are none."""
    found = nodes.classes("unschedulable", _is_cordoned).among((True,))
    return found if found.any() else None


def _is_cordoned(info: NodeInfo) -> bool:
    return info.unschedulable


def _opens(_pod: PodInfo, change: Change) -> bool:
    was_closed = change.old is None or change.old.unschedulable
    return was_closed and not change.new.unschedulable


def _tolerates_now(pod: PodInfo, change: Change) -> bool:
    return change.new.uid == pod.uid and tolerates(tolerations_of(change.new.shape), _TAINT)
