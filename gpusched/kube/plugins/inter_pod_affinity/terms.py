"""Pod affinity terms, compiled once per shape.

Source: kubernetes/kube-scheduler framework/types.go (AffinityTerm, GetAffinityTerms), v0.36.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gpusched.api.placement import PodAffinity, PodAffinityTerm, WeightedPodAffinityTerm
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodShape
from gpusched.cluster.selectors import NOTHING, LabelSelector

_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Term:
    """One affinity or anti-affinity term.

    Attributes:
        key: The topology key.
        namespaces: Namespaces by name.
        namespace_selector: Namespaces by label.
        selector: Pods by label.
        weight: 0 for required terms; preferred anti-affinity terms have a negative one.
    """

    key: str
    namespaces: frozenset[str]
    namespace_selector: LabelSelector
    selector: LabelSelector
    weight: int = 0

    def matches(self, shape: PodShape, namespace_labels: Mapping[str, str] | None = None) -> bool:
        """Return whether the term means these pods.

        Args:
            shape: The pods.
            namespace_labels: The labels of their namespace; None where upstream does not look
                them up, in which case the selector is asked about no labels at all.
        """
        if shape.namespace not in self.namespaces and not self.namespace_selector.matches(
            namespace_labels or _NO_LABELS
        ):
            return False
        return self.selector.matches(shape.labels)

    def resolved(self, objects: ClusterObjects, *, keep_selector: bool) -> "Term":
        """Return the term of an incoming pod with the namespaces that its selector finds.

        Upstream adds them and means to drop the selector then, but drops it from a copy: it stays
        and is asked about no labels, so that one with only NotIn and DoesNotExist requirements
        means every namespace (kubernetes#141526).

        Args:
            objects: The namespaces.
            keep_selector: True for 1.36.1; False as it is meant.
        """
        if self.namespace_selector.is_empty or self.namespace_selector.matches_nothing:
            return self
        found = frozenset(
            namespace.metadata.name
            for namespace in objects.namespaces
            if self.namespace_selector.matches(namespace.metadata.labels)
        )
        selector = self.namespace_selector if keep_selector else NOTHING
        return replace(self, namespaces=self.namespaces | found, namespace_selector=selector)


@dataclass(frozen=True, slots=True)
class PodTerms:
    """All terms of a shape.

    Attributes:
        affinity: Required affinity.
        anti: Required anti-affinity.
        preferred: Preferred affinity, then preferred anti-affinity (with negative weights).
        errors: Why a term cannot be parsed; the API server lets no such pod pass.
    """

    affinity: tuple[Term, ...] = ()
    anti: tuple[Term, ...] = ()
    preferred: tuple[Term, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def everything(self) -> tuple[Term, ...]:
        """Return the terms of all kinds."""
        return (*self.affinity, *self.anti, *self.preferred)


_NONE = PodTerms()


def pod_terms(shape: PodShape) -> PodTerms:
    """Return the terms of a shape."""
    return shape.memo(_compile, _compile)


def matches_all(terms: Sequence[Term], shape: PodShape) -> bool:
    """Return whether there are terms and all of them mean these pods."""
    return bool(terms) and all(term.matches(shape) for term in terms)


def _compile(shape: PodShape) -> PodTerms:
    affinity = shape.spec.affinity
    if affinity is None or not (affinity.pod_affinity or affinity.pod_anti_affinity):
        return _NONE
    near, far = affinity.pod_affinity, affinity.pod_anti_affinity
    required = _terms(shape, _required(near))
    anti = _terms(shape, _required(far))
    preferred = (*_weighted(shape, _preferred(near), 1), *_weighted(shape, _preferred(far), -1))
    errors = [
        f"{place}: {selector.error}"
        for place, terms in (
            ("requiredAffinityTerms", required),
            ("requiredAntiAffinityTerms", anti),
            ("preferredAffinityTerms", preferred),
        )
        for term in terms
        for selector in (term.selector, term.namespace_selector)
        if selector.error
    ]
    return PodTerms(required, anti, preferred, tuple(errors))


def _required(affinity: PodAffinity | None) -> Sequence[PodAffinityTerm]:
    found = affinity and affinity.required_during_scheduling_ignored_during_execution
    return found or ()


def _preferred(affinity: PodAffinity | None) -> Sequence[WeightedPodAffinityTerm]:
    found = affinity and affinity.preferred_during_scheduling_ignored_during_execution
    return found or ()


def _terms(shape: PodShape, terms: Iterable[PodAffinityTerm]) -> tuple[Term, ...]:
    return tuple(_term(shape, term, 0) for term in terms)


def _weighted(
    shape: PodShape, terms: Iterable[WeightedPodAffinityTerm], sign: int
) -> Iterable[Term]:
    return (_term(shape, term.pod_affinity_term, sign * term.weight) for term in terms)


def _term(shape: PodShape, term: PodAffinityTerm, weight: int) -> Term:
    own = not term.namespaces and term.namespace_selector is None
    return Term(
        key=term.topology_key,
        namespaces=frozenset((shape.namespace,) if own else term.namespaces),
        namespace_selector=LabelSelector.compile(term.namespace_selector),
        selector=LabelSelector.compile(term.label_selector),
        weight=weight,
    )
