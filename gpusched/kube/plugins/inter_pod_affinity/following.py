"""What Filter and Score say of a shape, kept up to date pod by pod.

The same rules as in `counts` and `scoring`, on counts that follow pods as they come and go. Which
placed shapes have terms must stay the same meanwhile, and so must the namespaces.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodShape
from gpusched.cluster.tally import Counting, Tally
from gpusched.kube.framework.interface import OpenDomains
from gpusched.kube.plugins.inter_pod_affinity.scoring import Preferences, normalise
from gpusched.kube.plugins.inter_pod_affinity.terms import PodTerms, Term, matches_all, pod_terms

TermsOf = Callable[[PodShape], Iterable[Term]]
"""The terms by which a placed pod and the incoming one match."""


@dataclass(frozen=True, slots=True, eq=False)
class FollowedAffinity:
    """The required terms of a shape, and those of placed pods that bear on it.

    Attributes:
        company: By topology key: matches of its affinity terms.
        enemies: By topology key: matches of anti-affinity terms, its own and those of others.
        is_own: Whether it matches all its own affinity terms.
    """

    company: Sequence[Tally]
    enemies: Sequence[Tally]
    is_own: bool

    def open_domains(self) -> Iterable[OpenDomains]:
        """Yield the domains that the pod may go to, by topology key."""
        company = [tally.sums for tally in self.company]
        is_first = self.is_own and not any(sums.any() for sums in company)
        for tally, sums in zip(self.company, company, strict=True):
            is_open = tally.labelled if is_first else tally.labelled & (sums > 0)
            yield OpenDomains(tally.classes.ids, is_open)
        for tally in self.enemies:
            yield OpenDomains(tally.classes.ids, tally.sums <= 0)


def follow(
    pod: PodShape, terms: PodTerms, namespace_labels: Mapping[str, str] | None, snapshot: Snapshot
) -> FollowedAffinity:
    """Return the required terms on the nodes and with the placed shapes as they are.

    Args:
        pod: The incoming pod's shape.
        terms: Its terms, namespaces resolved.
        namespace_labels: The labels of its namespace.
        snapshot: Who is where.
    """

    def existing(shape: PodShape) -> Iterable[Term]:
        return (t for t in pod_terms(shape).anti if t.matches(pod, namespace_labels))

    def own(shape: PodShape) -> Iterable[Term]:
        return (term for term in terms.anti if term.matches(shape))

    def towards(shape: PodShape) -> Iterable[Term]:
        return terms.affinity if matches_all(terms.affinity, shape) else ()

    theirs = {term.key for shape in snapshot.affine for term in existing(shape)}
    return FollowedAffinity(
        [_tally(snapshot, key, towards) for key in sorted({t.key for t in terms.affinity})],
        [
            *(_tally(snapshot, key, own) for key in sorted({term.key for term in terms.anti})),
            *(_tally(snapshot, key, existing) for key in sorted(theirs)),
        ],
        matches_all(terms.affinity, pod),
    )


def _tally(snapshot: Snapshot, key: str, terms: TermsOf) -> Tally:
    """Count (pod, term) matches with one topology key."""
    counting = Counting(lambda shape: sum(term.key == key for term in terms(shape)))
    return snapshot.tallies.by_label(key, counting)


@dataclass(frozen=True, slots=True, eq=False)
class FollowedPreferences:
    """The preferences of a shape, and those of placed pods that bear on it.

    Attributes:
        tallies: By topology key: the sums of weights.
    """

    tallies: Sequence[Tally]

    def scores(self, rows: Ints) -> Ints:
        """Return the normalised scores of feasible rows; shape (K,)."""
        weights = np.zeros(len(rows), np.int64)
        for tally in self.tallies:
            weights += tally.sums[tally.classes.ids[rows]]
        return normalise(weights)


def follow_preferences(preferences: Preferences, snapshot: Snapshot) -> FollowedPreferences:
    """Return the weights on the nodes and with the placed shapes as they are."""
    keys = {term.key for term in preferences.preferred}
    for shape in snapshot.affine:
        keys.update(key for key, _ in preferences.matching(shape))

    def weights(key: str) -> Counting:
        return Counting(lambda shape: sum(w for k, w in preferences.matching(shape) if k == key))

    tallies = snapshot.tallies
    return FollowedPreferences([tallies.by_label(key, weights(key)) for key in sorted(keys)])
