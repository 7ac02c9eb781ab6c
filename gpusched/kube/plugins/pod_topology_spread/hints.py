"""Which changes may cure a rejection by PodTopologySpread.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread/plugin.go, v1.36.1;
specification, section 7.8.
"""

from collections.abc import Mapping, Sequence

from gpusched.cluster.node import NodeInfo
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.plugins.pod_topology_spread.constraints import HARD, Constraint, Defaults


def events(defaults: Defaults) -> tuple[EventHint, ...]:
    """Return the registrations; ``defaults`` are the constraints of pods without their own."""

    def after_pod_change(pod: PodInfo, change: Change) -> bool:
        old: PodInfo | None = change.old
        new: PodInfo | None = change.new
        if not all(_is_involved(other, pod) for other in (old, new) if other is not None):
            return False
        constraints = defaults.of_pod(pod.shape, HARD, change.snapshot.objects)
        if old is not None and new is not None:
            return _updated(pod, old, new, constraints)
        other = new or old
        return other is not None and any(
            c.selector.matches(other.shape.labels) for c in constraints
        )

    def after_node_change(pod: PodInfo, change: Change) -> bool:
        constraints = defaults.of_pod(pod.shape, HARD, change.snapshot.objects)
        return _node_matters(change.old, change.new, constraints)

    pod_actions = (
        Action.ADD | Action.UPDATE_POD_LABEL | Action.UPDATE_POD_TOLERATION | Action.DELETE
    )
    node_actions = Action.ADD | Action.DELETE | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_TAINT
    return (
        EventHint(ClusterEvent(EventResource.POD, pod_actions), after_pod_change, by_shape=True),
        EventHint(ClusterEvent(EventResource.NODE, node_actions), after_node_change, by_shape=True),
    )


def _is_involved(other: PodInfo, waiting: PodInfo) -> bool:
    """It is the waiting pod itself, or one of its namespace with a place."""
    if other.uid == waiting.uid:
        return True
    return bool(other.node_name or other.nominated_node) and other.namespace == waiting.namespace


def _updated(pod: PodInfo, old: PodInfo, new: PodInfo, constraints: Sequence[Constraint]) -> bool:
    tolerates_else = old.shape.spec.tolerations != new.shape.spec.tolerations
    if new.uid == pod.uid and tolerates_else and any(c.honors_taints for c in constraints):
        return True
    return any(
        constraint.selector.matches(old.shape.labels)
        != constraint.selector.matches(new.shape.labels)
        for constraint in constraints
    )


def _node_matters(
    old: NodeInfo | None, new: NodeInfo | None, constraints: Sequence[Constraint]
) -> bool:
    """Return whether a node that counts came, went, or changed in what constraints read."""
    had = old is not None and _has_keys(old.labels, constraints)
    has = new is not None and _has_keys(new.labels, constraints)
    if old is None or new is None or had != has:
        return had or has
    moved = any(old.labels.get(c.key) != new.labels.get(c.key) for c in constraints)
    return has and (moved or old.taints != new.taints)


def _has_keys(labels: Mapping[str, str], constraints: Sequence[Constraint]) -> bool:
    return all(constraint.key in labels for constraint in constraints)
