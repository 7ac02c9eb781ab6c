"""NodeAffinity: nodes by what the pod, or the scheduler's configuration, asks of their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

import numpy as np

from gpusched.api.config import NodeAffinityArgs
from gpusched.api.placement import NodeAffinity as ApiNodeAffinity
from gpusched.api.placement import PreferredSchedulingTerm
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.node_affinity import RequiredNodeAffinity, required_node_affinity
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.requirements import aggregate
from gpusched.cluster.selectors import NodeSelector, NodeTerm
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.normalize import default_normalize
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
)

REASON: Final = "node(s) didn't match Pod's node affinity/selector"
REASON_ENFORCED: Final = "node(s) didn't match scheduler-enforced node affinity"
REASON_CONFLICT: Final = "pod affinity terms conflict"

WeightedTerms: TypeAlias = tuple[tuple[int, NodeTerm], ...]


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferred terms, compiled.

    Attributes:
        terms: Weight and term, of the terms that ask for something.
        error: What is wrong with some of them, or an empty string.
    """

    terms: WeightedTerms = ()
    error: str = ""


class NodeAffinity:
    """Turn away nodes that are not asked for, rate the others by the terms that they match.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go,
    v1.36.1.
    """

    name: ClassVar[str] = "NodeAffinity"

    def __init__(self, args: NodeAffinityArgs | None = None) -> None:
        given = args.added_affinity if args is not None else None
        added = ApiNodeAffinity.model_validate(given or {})
        required = added.required_during_scheduling_ignored_during_execution
        preferred = added.preferred_during_scheduling_ignored_during_execution
        self._added_required = NodeSelector.compile(required) if required is not None else None
        self._added_preferred = _compile_preferred(preferred) if preferred else None

    def pre_filter(self, _state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin; narrows the search where every term names its nodes."""
        required = required_node_affinity(pod.shape)
        if required.is_open:
            return PreFilterResult(SKIP if self._added_required is None else SUCCESS)
        names = required.selector.names if required.selector is not None else None
        if names is not None and not names:
            return PreFilterResult(unresolvable(REASON_CONFLICT))
        return PreFilterResult(node_names=names)

    def filter(self, _state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """See FilterPlugin; what the configuration adds is asked first."""
        wrong = _misses(nodes, required_node_affinity(pod.shape))
        if self._added_required is None:
            return () if wrong is None else (_rejection(REASON, wrong),)
        enforced = ~self._added_required.matches(nodes)
        if wrong is None:
            return (_rejection(REASON_ENFORCED, enforced),)
        return _rejection(REASON_ENFORCED, enforced), _rejection(REASON, wrong & ~enforced)

    def pre_score(
        self, _state: CycleState, pod: PodInfo, _snapshot: Snapshot, _rows: Ints
    ) -> Status:
        """See PreScorePlugin; a preferred term that cannot be parsed is an error."""
        preferred = pod.shape.memo(_preferences, _preferences)
        if preferred is None:
            return SKIP if self._added_preferred is None else SUCCESS
        return error(preferred.error) if preferred.error else SUCCESS

    def score(
        self,
        _state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """Return the sum of the weights of the preferred terms that match."""
        preferred = pod.shape.memo(_preferences, _preferences)
        if preferred is not None and preferred.error:
            return error(preferred.error)
        scores = np.zeros(len(rows), np.int64)
        for preferences in (self._added_preferred, preferred):
            if preferences is not None:
                scores += _weights(snapshot.nodes, preferences.terms)[rows]
        return scores

    def normalize_score(self, _state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        """See NormalizeScorePlugin."""
        return default_normalize(scores)

    def events_to_register(self) -> Sequence[EventHint]:
        """A node that comes, or whose labels change, so that it matches now."""
        pattern = ClusterEvent(EventResource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL)
        return (EventHint(pattern, self._matches_now, by_shape=True),)

    def _matches_now(self, pod: PodInfo, change: Change) -> bool:
        matched = change.old is not None and self._matches(pod, change.old)
        return not matched and self._matches(pod, change.new)

    def _matches(self, pod: PodInfo, node: NodeInfo) -> bool:
        added = self._added_required
        return (added is None or added.matches_one(node.labels, node.name)) and (
            required_node_affinity(pod.shape).matches_one(node.labels, node.name)
        )


def _rejection(reason: str, mask: Mask) -> Rejection:
    return Rejection(reason, mask, Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


def _misses(nodes: Nodes, required: RequiredNodeAffinity) -> Mask | None:
    """Return True where a node is not asked for, or None if all are."""
    if required.is_open:
        return None

    def find(table: Nodes) -> Mask | None:
        found = ~required.matches(table)
        return found if found.any() else None

    return nodes.memo((REASON, required), find)


def _preferences(shape: PodShape) -> Preferences | None:
    """Return a pod's preferred terms, or None if it has no list of them, not even an empty one."""
    affinity = shape.spec.affinity
    if affinity is None or affinity.node_affinity is None:
        return None
    terms = affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    return None if terms is None else _compile_preferred(terms)


def _compile_preferred(preferred: Sequence[PreferredSchedulingTerm]) -> Preferences:
    """Terms of weight 0 and terms that ask for nothing count for nothing, whatever they say."""
    terms = []
    for at, term in enumerate(preferred):
        compiled = NodeTerm.compile(term.preference, f"[{at}]")
        if term.weight and not compiled.is_empty:
            terms.append((term.weight, compiled))
    errors = [text for _, term in terms for text in term.errors]
    return Preferences(tuple(terms), aggregate(errors) if errors else "")


def _weights(nodes: Nodes, terms: WeightedTerms) -> Ints:
    def add_up(table: Nodes) -> Ints:
        sums = np.zeros(len(table), np.int64)
        for weight, term in terms:
            sums[term.matches(table)] += weight
        return sums

    return nodes.memo(("preferred", terms), add_up)
