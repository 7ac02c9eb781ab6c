"""What PreFilter counts and Filter reads: matching pods by topology domain.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity/filtering.go,
v1.36.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import DomainCounts, has_label
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodShape
from gpusched.kube.plugins.inter_pod_affinity.terms import PodTerms, Term, matches_all, pod_terms


@dataclass(slots=True, eq=False)
class TermCounts:
    """How many (pod, term) matches each topology domain has, by topology key."""

    by_key: dict[str, DomainCounts] = field(default_factory=dict)

    @classmethod
    def of_pods(cls, nodes: Nodes, pods: Mapping[str, Ints]) -> "TermCounts":
        """Return the counts of matches that are given for each node, shape (N,), by key."""
        return cls({key: DomainCounts.of_pods(key, nodes, at) for key, at in pods.items()})

    @property
    def is_empty(self) -> bool:
        """Return True if no domain of any key has a match."""
        return not any(counts.total() for counts in self.by_key.values())

    def clone(self) -> "TermCounts":
        """Return a copy whose changes do not show here."""
        return TermCounts({key: counts.clone() for key, counts in self.by_key.items()})

    def change(self, key: str, labels: Mapping[str, str], by: int) -> None:
        """Change the number of matches in the domain of a node with these labels."""
        if key not in self.by_key:
            self.by_key[key] = DomainCounts(key)
        self.by_key[key].change(labels, by)

    def at(self, key: str, nodes: Nodes) -> Ints:
        """Return the matches in each node's domain of one key; shape (N,)."""
        counts = self.by_key.get(key)
        return counts.at(nodes) if counts else np.zeros(len(nodes), np.int64)


@dataclass(slots=True, eq=False)
class AffinityState:
    """PreFilter's data.

    Attributes:
        pod: The incoming pod's shape.
        terms: Its terms, namespaces resolved.
        namespace_labels: The labels of its namespace.
        existing: Matches of placed pods' anti-affinity terms with the incoming pod.
        affinity: Matches of its affinity terms, for placed pods that match all of them.
        anti: Matches of its anti-affinity terms with placed pods.
    """

    pod: PodShape
    terms: PodTerms
    namespace_labels: Mapping[str, str] | None
    existing: TermCounts
    affinity: TermCounts
    anti: TermCounts

    @property
    def is_idle(self) -> bool:
        """Return True if Filter would have nothing to say."""
        return not self.terms.affinity and not self.terms.anti and self.existing.is_empty

    def clone(self) -> "AffinityState":
        """See `StateData`."""
        return AffinityState(
            self.pod,
            self.terms,
            self.namespace_labels,
            self.existing.clone(),
            self.affinity.clone(),
            self.anti.clone(),
        )

    def change(self, other: PodShape, labels: Mapping[str, str], by: int) -> None:
        """Count (or uncount) a pod that comes to (or leaves) a node with these labels."""
        for term in pod_terms(other).anti:
            if term.matches(self.pod, self.namespace_labels):
                self.existing.change(term.key, labels, by)
        if matches_all(self.terms.affinity, other):
            for term in self.terms.affinity:
                self.affinity.change(term.key, labels, by)
        for term in self.terms.anti:
            if term.matches(other):
                self.anti.change(term.key, labels, by)


def count(
    pod: PodShape,
    terms: PodTerms,
    namespace_labels: Mapping[str, str] | None,
    snapshot: Snapshot,
) -> AffinityState:
    """Return the matches of all placed pods, terminating ones included.

    Args:
        pod: The incoming pod's shape.
        terms: Its terms, namespaces resolved.
        namespace_labels: The labels of its namespace.
        snapshot: Who is where.
    """
    existing, affinity, anti = (
        _Tally(snapshot.nodes),
        _Tally(snapshot.nodes),
        _Tally(snapshot.nodes),
    )
    # Those without terms of their own are of interest to who has some.
    others = snapshot.placed if terms.affinity or terms.anti else snapshot.affine
    for shape, by_node in others.items():
        against = [t for t in pod_terms(shape).anti if t.matches(pod, namespace_labels)]
        towards = terms.affinity if matches_all(terms.affinity, shape) else ()
        away = [term for term in terms.anti if term.matches(shape)]
        if not (against or towards or away):
            continue
        column = by_node.column(snapshot.nodes)
        existing.add(against, column)
        affinity.add(towards, column)
        anti.add(away, column)
    return AffinityState(
        pod, terms, namespace_labels, existing.counts(), affinity.counts(), anti.counts()
    )


@dataclass(slots=True, eq=False)
class _Tally:
    """Matches for each node, by topology key."""

    nodes: Nodes
    by_key: dict[str, Ints] = field(default_factory=dict)

    def add(self, terms: Sequence[Term], column: Ints) -> None:
        for term in terms:
            if term.key not in self.by_key:
                self.by_key[term.key] = np.zeros(len(self.nodes), np.int64)
            self.by_key[term.key] += column

    def counts(self) -> TermCounts:
        return TermCounts.of_pods(self.nodes, self.by_key)


def lacks_affinity(state: AffinityState, nodes: Nodes) -> Mask:
    """Return True where required affinity does not hold; shape (N,).

    A pod that matches all its own terms may be the first of its kind, if nobody matches them yet
    anywhere; the node needs all topology keys all the same.
    """
    keys = np.ones(len(nodes), np.bool_)
    company = np.ones(len(nodes), np.bool_)
    for term in state.terms.affinity:
        keys &= has_label(nodes, term.key)
        company &= state.affinity.at(term.key, nodes) > 0
    if state.affinity.is_empty and matches_all(state.terms.affinity, state.pod):
        return ~keys
    return ~(keys & company)


def violates_anti(state: AffinityState, nodes: Nodes) -> Mask:
    """Return True where a placed pod matches one of the pod's anti-affinity terms; shape (N,)."""
    found = np.zeros(len(nodes), np.bool_)
    for term in state.terms.anti:
        found |= state.anti.at(term.key, nodes) > 0
    return found


def violates_existing(state: AffinityState, nodes: Nodes) -> Mask:
    """Return True where the pod matches an anti-affinity term of a placed pod; shape (N,)."""
    found = np.zeros(len(nodes), np.bool_)
    for key in state.existing.by_key:
        found |= state.existing.at(key, nodes) > 0
    return found
