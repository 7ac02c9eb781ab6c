"""SchedulingGates: a pod with gates stays outside of the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.status import SUCCESS, Status, unresolvable


@dataclass(frozen=True, slots=True)
class SchedulingGates:
    """Keep a pod out of the queue until its last gate is removed.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/schedulinggates/
    scheduling_gates.go, v1.36.1.
    """

    name: ClassVar[str] = "SchedulingGates"

    def pre_enqueue(self, pod: PodInfo, _snapshot: Snapshot) -> Status:
        """See PreEnqueuePlugin."""
        gates = pod.shape.spec.scheduling_gates
        if not gates:
            return SUCCESS
        names = " ".join(gate.name for gate in gates)
        return unresolvable(f"waiting for scheduling gates: [{names}]")

    def lets_in(self, shape: PodShape) -> bool:
        """See GateByShape."""
        return not shape.spec.scheduling_gates

    def events_to_register(self) -> Sequence[EventHint]:
        """Only the removal of the pod's own last gate helps."""
        eliminated = ClusterEvent(EventResource.POD, Action.UPDATE_POD_SCHEDULING_GATES_ELIMINATED)
        return (EventHint(eliminated, _is_same_pod, by_shape=True),)


def _is_same_pod(pod: PodInfo, change: Change) -> bool:
    return bool(change.new.uid == pod.uid)
