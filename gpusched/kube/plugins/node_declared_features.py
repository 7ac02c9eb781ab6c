"""NodeDeclaredFeatures: a pod that needs a feature of the kubelet goes where it is declared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.api.pods import Container
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.cycle_state import PREPARED, CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import SKIP, Code, Rejection

REASON: Final = "node(s) didn't match Pod's required features"
RESTART_ALL: Final = "RestartAllContainersOnContainerExits"
USER_NAMESPACES: Final = "UserNamespacesHostNetworkSupport"
_PRE_FILTER: Final = "PreFilterNodeDeclaredFeatures"
_NOT_FOUND: Final = f'error reading "{_PRE_FILTER}" from cycle-state: not found'


@dataclass(frozen=True, slots=True)
class NodeDeclaredFeatures:
    """Turn away nodes that do not declare every feature that follows from the pod's spec.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodedeclaredfeatures/
    nodedeclaredfeatures.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeDeclaredFeatures"

    def pre_filter(self, state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        if not required_features(pod.shape):
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, PREPARED)
        return PreFilterResult()

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin."""
        if state.read(_PRE_FILTER) is None:
            return (Rejection(_NOT_FOUND, np.ones(len(nodes), np.bool_), Code.ERROR),)
        required = required_features(pod.shape)
        classes = nodes.classes("declared features", _features)
        lacking = [value for value in classes.values if not required <= value]
        rejected = classes.among(lacking)
        return (Rejection(REASON, rejected, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),)

    def events_to_register(self) -> Sequence[EventHint]:
        """A node whose features are enough now, or a pod that needs others."""
        node = Action.ADD | Action.UPDATE_NODE_DECLARED_FEATURE
        return (
            EventHint(ClusterEvent(EventResource.NODE, node), _node_suits_now),
            EventHint(ClusterEvent(EventResource.POD, Action.UPDATE), _needs_changed),
        )


def _features(info: NodeInfo) -> frozenset[str]:
    return info.features


def required_features(shape: PodShape) -> frozenset[str]:
    """Return the features that a pod needs of its node."""
    return shape.memo(required_features, _infer)


def _infer(shape: PodShape) -> frozenset[str]:
    """See the register in kubernetes/component-helpers nodedeclaredfeatures, v0.36.1."""
    spec = shape.spec
    features = set()
    if any(_restarts_all(container) for container in (*spec.init_containers, *spec.containers)):
        features.add(RESTART_ALL)
    if spec.host_network and spec.host_users is False:
        features.add(USER_NAMESPACES)
    return frozenset(features)


def _restarts_all(container: Container) -> bool:
    return any(rule.action == "RestartAllContainers" for rule in container.restart_policy_rules)


def _node_suits_now(pod: PodInfo, change: Change) -> bool:
    required = required_features(pod.shape)
    suited = change.old is not None and required <= change.old.features
    return not suited and required <= change.new.features


def _needs_changed(pod: PodInfo, change: Change) -> bool:
    if change.new.uid != pod.uid:
        return False
    return required_features(change.old.shape) != required_features(change.new.shape)
