"""What changed between two versions of a pod or a node, as cluster events in upstream's order.

Source: kubernetes/kubernetes pkg/scheduler/framework/events.go, v1.36.1; specification, 7.7.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gpusched.cluster.node import NodeInfo
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.events import Action, ClusterEvent, EventResource

_NODE = EventResource.NODE
_ASSIGNED = EventResource.ASSIGNED_POD
_UNSCHEDULED = EventResource.UNSCHEDULED_POD

NODE_ADD = ClusterEvent(_NODE, Action.ADD, "NodeAdd")
NODE_DELETE = ClusterEvent(_NODE, Action.DELETE, "NodeDelete")
ASSIGNED_ADD = ClusterEvent(_ASSIGNED, Action.ADD, "AssignedPodAdd")
ASSIGNED_UPDATE = ClusterEvent(_ASSIGNED, Action.UPDATE, "AssignedPodUpdate")
ASSIGNED_DELETE = ClusterEvent(_ASSIGNED, Action.DELETE, "AssignedPodDelete")

_NODE_CHANGES: tuple[tuple[Callable[[NodeInfo, NodeInfo], bool], Action, str], ...] = (
    (
        lambda old, new: old.unschedulable and not new.unschedulable,
        Action.UPDATE_NODE_TAINT,
        "NodeUpdateNodeTaint",
    ),
    (
        lambda old, new: (old.allocatable, old.allowed_pods) != (new.allocatable, new.allowed_pods),
        Action.UPDATE_NODE_ALLOCATABLE,
        "NodeUpdateNodeAllocatable",
    ),
    (
        lambda old, new: old.labels != new.labels,
        Action.UPDATE_NODE_LABEL,
        "NodeUpdateNodeLabel",
    ),
    (
        lambda old, new: old.taints != new.taints,
        Action.UPDATE_NODE_TAINT,
        "NodeUpdateNodeTaint",
    ),
    (
        lambda old, new: old.conditions != new.conditions,
        Action.UPDATE_NODE_CONDITION,
        "NodeUpdateNodeCondition",
    ),
    (
        lambda old, new: old.annotations != new.annotations,
        Action.UPDATE_NODE_ANNOTATION,
        "NodeUpdateNodeAnnotation",
    ),
    (
        lambda old, new: old.features != new.features,
        Action.UPDATE_NODE_DECLARED_FEATURE,
        "NodeUpdateNodeDeclaredFeature",
    ),
)


def node_changes(old: NodeInfo, new: NodeInfo) -> list[ClusterEvent]:
    """Return one event per kind of change."""
    return [
        ClusterEvent(_NODE, action, label)
        for differs, action, label in _NODE_CHANGES
        if differs(old, new)
    ]


def _scaled_down(old: PodInfo, new: PodInfo) -> bool:
    before = zip(old.accounted.rows, old.accounted.amounts, strict=True)
    return any(new.accounted.amount(row) < amount for row, amount in before)


def _ungated(old: PodInfo, new: PodInfo) -> bool:
    return bool(old.shape.spec.scheduling_gates) and not new.shape.spec.scheduling_gates


def _claims(pod: PodInfo) -> Sequence[Any]:
    return pod.status.resource_claim_statuses if pod.status is not None else ()


_POD_CHANGES: tuple[tuple[Callable[[PodInfo, PodInfo], bool], Action, str], ...] = (
    (
        lambda old, new: old.shape.labels != new.shape.labels,
        Action.UPDATE_POD_LABEL,
        "UpdatePodLabel",
    ),
    (_scaled_down, Action.UPDATE_POD_SCALE_DOWN, "UpdatePodScaleDown"),
    (
        _ungated,
        Action.UPDATE_POD_SCHEDULING_GATES_ELIMINATED,
        "UpdatePodSchedulingGatesEliminated",
    ),
    (
        lambda old, new: len(old.shape.spec.tolerations) != len(new.shape.spec.tolerations),
        Action.UPDATE_POD_TOLERATION,
        "UpdatePodToleration",
    ),
    (
        lambda old, new: _claims(old) != _claims(new),
        Action.UPDATE_POD_GENERATED_RESOURCE_CLAIM,
        "UpdatePodGeneratedResourceClaim",
    ),
)


def pod_changes(old: PodInfo, new: PodInfo, *, assigned: bool) -> list[ClusterEvent]:
    """Return one event per kind of change, or a plain update if none of them happened."""
    resource = _ASSIGNED if assigned else _UNSCHEDULED
    if old.shape is new.shape and old.accounted is new.accounted and old.status is new.status:
        found = []
    else:
        found = [(action, label) for differs, action, label in _POD_CHANGES if differs(old, new)]
    found = found or [(Action.UPDATE, "Update")]
    return [ClusterEvent(resource, action, resource.value + label) for action, label in found]
