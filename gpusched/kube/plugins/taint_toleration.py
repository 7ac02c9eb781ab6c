"""TaintToleration: nodes with a taint that the pod does not tolerate are no place for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.tolerations import (
    HARD_EFFECTS,
    PREFER_NO_SCHEDULE,
    Tolerations,
    repelled,
    tolerations_of,
    untolerated,
    untolerated_counts,
)
from gpusched.kube.framework.cycle_state import PREPARED, CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.normalize import default_normalize
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status, error

REASON: Final = "node(s) had untolerated taint(s)"
_SOFT: Final = frozenset({PREFER_NO_SCHEDULE})
_PRE_SCORE: Final = "PreScoreTaintToleration"


@dataclass(frozen=True, slots=True)
class TaintToleration:
    """Turn away nodes by hard taints, rate the others by their ``PreferNoSchedule`` taints.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/tainttoleration/
    taint_toleration.go, v1.36.1.
    """

    name: ClassVar[str] = "TaintToleration"

    def filter(self, _state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; the words name no taint since 1.34."""
        tolerations = tolerations_of(pod.shape)
        mask = nodes.memo((REASON, tolerations), lambda table: _some(repelled(table, tolerations)))
        if mask is None:
            return ()
        return (Rejection(REASON, mask, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),)

    def pre_score(
        self, state: CycleState, _pod: PodInfo, _snapshot: Snapshot, _rows: Ints
    ) -> Status:
        """See PreScorePlugin; never skips."""
        state.write(_PRE_SCORE, PREPARED)
        return SUCCESS

    def score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Ints | Status:
        """Return the number of soft taints that the pod does not tolerate."""
        if state.read(_PRE_SCORE) is None:
            return error(f'failed to read "{_PRE_SCORE}" from cycleState: not found')
        soft = pod.shape.memo(_soft_tolerations, _soft_tolerations)
        return untolerated_counts(snapshot.nodes, soft, _SOFT)[rows]

    def normalize_score(self, _state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        """See NormalizeScorePlugin; the fewer the better."""
        return default_normalize(scores, reverse=True)

    def events_to_register(self) -> Sequence[EventHint]:
        """A node whose taints the pod tolerates now helps, and any new toleration."""
        node, pod = EventResource.NODE, EventResource.POD
        return (
            EventHint(
                ClusterEvent(node, Action.ADD | Action.UPDATE_NODE_TAINT), _opens, by_shape=True
            ),
            EventHint(ClusterEvent(pod, Action.UPDATE_POD_TOLERATION), _is_same_pod, by_shape=True),
        )


def _some(mask: Mask) -> Mask | None:
    return mask if mask.any() else None


def _soft_tolerations(shape: PodShape) -> Tolerations:
    return tuple(t for t in tolerations_of(shape) if t.effect in ("", PREFER_NO_SCHEDULE))


def _repels(pod: PodInfo, node: NodeInfo) -> bool:
    return untolerated(tolerations_of(pod.shape), node.taints, HARD_EFFECTS) > 0


def _opens(pod: PodInfo, change: Change) -> bool:
    was_closed = change.old is None or _repels(pod, change.old)
    return was_closed and not _repels(pod, change.new)


def _is_same_pod(pod: PodInfo, change: Change) -> bool:
    return bool(change.new.uid == pod.uid)
