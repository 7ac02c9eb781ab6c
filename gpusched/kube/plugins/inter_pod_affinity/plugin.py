"""The plugin itself: what each extension point answers.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity, v1.36.1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from gpusched.api.config import InterPodAffinityArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.requirements import aggregate
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import EventHint
from gpusched.kube.framework.interface import OpenDomains, PreFilterResult
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
)
from gpusched.kube.plugins.inter_pod_affinity.counts import (
    AffinityState,
    count,
    lacks_affinity,
    violates_anti,
    violates_existing,
)
from gpusched.kube.plugins.inter_pod_affinity.following import follow, follow_preferences
from gpusched.kube.plugins.inter_pod_affinity.hints import EVENTS
from gpusched.kube.plugins.inter_pod_affinity.scoring import (
    Preferences,
    ScoreState,
    normalise,
    weigh,
)
from gpusched.kube.plugins.inter_pod_affinity.terms import PodTerms, Term, pod_terms

AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"

_PRE_FILTER = "PreFilterInterPodAffinity"
_PRE_SCORE = "PreScoreInterPodAffinity"
_NOT_PREPARED = f'error reading "{_PRE_FILTER}" from cycleState: not found'
_NOT_WEIGHED = f'failed to read "{_PRE_SCORE}" from cycleState: not found'


@dataclass(slots=True)
class InterPodAffinity:
    """Keeps pods near to, or away from, pods that match a term within a topology domain.

    Attributes:
        args: The arguments.
        keeps_namespace_selector: Whether a resolved ``namespaceSelector`` of an incoming pod goes
            on matching, as by mistake it does in 1.36.1 (`Term.resolved`).
    """

    args: InterPodAffinityArgs
    keeps_namespace_selector: bool = True
    name: ClassVar[str] = "InterPodAffinity"

    @classmethod
    def create(cls, args: InterPodAffinityArgs | None) -> Self:
        """Return the plugin for typed arguments; None for their defaults."""
        return cls(args or InterPodAffinityArgs())

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """Count who matches whom; Skip if no required term bears on the pod."""
        terms = pod_terms(pod.shape)
        if terms.errors:
            return PreFilterResult(unresolvable(f"parsing pod: {aggregate(terms.errors)}"))
        counted = count(
            pod.shape,
            self._resolved(terms, snapshot),
            snapshot.objects.namespace_labels(pod.namespace),
            snapshot,
        )
        if counted.is_idle:
            return PreFilterResult(SKIP)
        state.write(_PRE_FILTER, counted)
        return PreFilterResult()

    def _resolved(self, terms: PodTerms, snapshot: Snapshot) -> PodTerms:
        if not (terms.affinity or terms.anti):
            return terms
        return replace(
            terms,
            affinity=self._with_namespaces(terms.affinity, snapshot),
            anti=self._with_namespaces(terms.anti, snapshot),
        )

    def _with_namespaces(self, terms: Sequence[Term], snapshot: Snapshot) -> tuple[Term, ...]:
        keep = self.keeps_namespace_selector
        return tuple(term.resolved(snapshot.objects, keep_selector=keep) for term in terms)

    def add_pod(self, state: CycleState, _pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `PreFilterExtensions`."""
        return self._change(state, other, nodes, 1)

    def remove_pod(self, state: CycleState, _pod: PodInfo, other: PodInfo, nodes: Nodes) -> Status:
        """See `PreFilterExtensions`."""
        return self._change(state, other, nodes, -1)

    def _change(self, state: CycleState, other: PodInfo, nodes: Nodes, by: int) -> Status:
        counted = state.read(_PRE_FILTER)
        if not isinstance(counted, AffinityState):
            return error(_NOT_PREPARED)
        counted.change(other.shape, nodes.info(0).labels, by)
        return SUCCESS

    def filter(self, state: CycleState, _pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        """Turn nodes away by the first of the three rules that they break."""
        counted = state.read(_PRE_FILTER)
        if not isinstance(counted, AffinityState):
            return [Rejection(_NOT_PREPARED, np.ones(len(nodes), np.bool_), Code.ERROR)]
        lonely = lacks_affinity(counted, nodes)
        crowded = violates_anti(counted, nodes) & ~lonely
        unwelcome = violates_existing(counted, nodes) & ~lonely & ~crowded
        return [
            Rejection(AFFINITY, lonely, Code.UNSCHEDULABLE_AND_UNRESOLVABLE),
            Rejection(ANTI_AFFINITY, crowded),
            Rejection(EXISTING_ANTI_AFFINITY, unwelcome),
        ]

    def follow_filter(
        self, shape: PodShape, snapshot: Snapshot
    ) -> Callable[[], Iterable[OpenDomains]] | None:
        """See `FollowingFilterPlugin`."""
        terms = self._resolved(pod_terms(shape), snapshot)
        labels = snapshot.objects.namespace_labels(shape.namespace)
        return follow(shape, terms, labels, snapshot).open_domains

    def follow_score(self, shape: PodShape, snapshot: Snapshot) -> Callable[[Ints], Ints]:
        """See `FollowingScorePlugin`."""
        preferences = self._preferences(shape, snapshot)
        if preferences is None:
            return lambda rows: np.zeros(len(rows), np.int64)
        return follow_preferences(preferences, snapshot).scores

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, _rows: Ints) -> Status:
        """Weigh all terms; Skip if there is none that any node has to do with.

        ``ignorePreferredTermsOfExistingPods`` only matters for pods without preferred terms.
        """
        preferences = self._preferences(pod.shape, snapshot)
        if preferences is None:
            return SKIP
        weighed = weigh(preferences, snapshot)
        if weighed is None:
            return SKIP
        state.write(_PRE_SCORE, weighed)
        return SUCCESS

    def _preferences(self, shape: PodShape, snapshot: Snapshot) -> Preferences | None:
        preferred = pod_terms(shape).preferred
        if self.args.ignore_preferred_terms_of_existing_pods and not preferred:
            return None
        return Preferences(
            shape,
            snapshot.objects.namespace_labels(shape.namespace),
            self._with_namespaces(preferred, snapshot),
            self.args.hard_pod_affinity_weight,
        )

    def score(
        self, state: CycleState, _pod: PodInfo, _snapshot: Snapshot, rows: Ints
    ) -> Ints | Status:
        """Return the sums of weights; they may be negative."""
        weighed = state.read(_PRE_SCORE)
        return weighed.weights[rows] if isinstance(weighed, ScoreState) else error(_NOT_WEIGHED)

    def normalize_score(self, _state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        """Stretch the scores to [0, 100]."""
        return normalise(scores)

    def reading(self, shape: PodShape, snapshot: Snapshot) -> PodShape | None:
        """See `LabelReader`: a shape with terms, or that placed pods mean, is like no other."""
        if shape.has_pod_affinity:
            return shape
        labels = snapshot.objects.namespace_labels(shape.namespace)
        is_meant = any(
            term.matches(shape, labels)
            for other in snapshot.affine
            for term in pod_terms(other).everything
        )
        return shape if is_meant else None

    def events_to_register(self) -> Sequence[EventHint]:
        """See `hints`."""
        return EVENTS
