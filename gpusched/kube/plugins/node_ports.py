"""NodePorts: two pods cannot have the same host port on one node."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.ports import any_conflict, host_ports
from gpusched.kube.framework.cycle_state import PREPARED, CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import SKIP, Code, Rejection

REASON: Final = "node(s) didn't have free ports for the requested pod ports"
_PRE_FILTER: Final = "PreFilterNodePorts"
_NOT_FOUND: Final = f'reading "{_PRE_FILTER}" from cycleState: not found'


@dataclass(frozen=True, slots=True)
class NodePorts:
    """Turn away nodes where a host port that the pod asks for is taken.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodeports/node_ports.go, v1.36.1.
    """

    name: ClassVar[str] = "NodePorts"

    def pre_filter(self, state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        if not host_ports(pod.shape):
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, PREPARED)
        return PreFilterResult()

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; looks only at nodes on which some port is taken."""
        if state.read(_PRE_FILTER) is None:
            return (Rejection(_NOT_FOUND, np.ones(len(nodes), np.bool_), Code.ERROR),)
        wanted = host_ports(pod.shape)
        taken = (bool(each.ports) and any_conflict(wanted, each.ports) for each in nodes.states)
        return (Rejection(REASON, np.fromiter(taken, np.bool_, len(nodes))),)

    def events_to_register(self) -> Sequence[EventHint]:
        """A pod that goes and held one of the ports, or any new node."""
        return (
            EventHint(ClusterEvent(EventResource.POD, Action.DELETE), _frees_a_port, by_shape=True),
            EventHint(ClusterEvent(EventResource.NODE, Action.ADD)),
        )


def _frees_a_port(pod: PodInfo, change: Change) -> bool:
    gone = change.old
    if not gone.node_name and not gone.nominated_node:
        return False
    return any_conflict(host_ports(pod.shape), set(host_ports(gone.shape)))
