"""NodeName: a pod that names its node fits nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.status import Code, Rejection

REASON: Final = "node(s) didn't match the requested node name"


@dataclass(frozen=True, slots=True)
class NodeName:
    """Turn away every node but the one that ``spec.nodeName`` names.

    Pods from the queue name none, so this shows only where somebody asks directly.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodename/node_name.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeName"

    def filter(self, _state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin."""
        wanted = pod.shape.spec.node_name
        if not wanted:
            return ()
        others = np.ones(len(nodes), np.bool_)
        row = nodes.row_of(wanted)
        if row is not None:
            others[row] = False
        return (Rejection(REASON, others, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),)

    def events_to_register(self) -> Sequence[EventHint]:
        """Any new node may be the one."""
        return (EventHint(ClusterEvent(EventResource.NODE, Action.ADD)),)
