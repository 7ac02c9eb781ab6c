"""Score: the weights of all terms, in both directions, summed by topology domain.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity/scoring.go, v1.36.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import has_label, sum_by_class
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodShape
from gpusched.kube.framework.interface import MAX_NODE_SCORE
from gpusched.kube.plugins.inter_pod_affinity.terms import Term, pod_terms


@dataclass(frozen=True, slots=True, eq=False)
class ScoreState:
    """PreScore's data.

    Attributes:
        weights: The sum of weights for every row; shape (N,).
    """

    weights: Ints

    def clone(self) -> "ScoreState":
        """See `StateData`; nobody writes to it."""
        return self


@dataclass(frozen=True, slots=True)
class Preferences:
    """Who counts with which weight.

    Attributes:
        pod: The incoming pod's shape.
        namespace_labels: The labels of its namespace.
        preferred: Its preferred terms, namespaces resolved.
        hard_weight: The weight of placed pods' required affinity terms.
    """

    pod: PodShape
    namespace_labels: Mapping[str, str] | None
    preferred: Sequence[Term]
    hard_weight: int

    def matching(self, other: PodShape) -> Iterator[tuple[str, int]]:
        """Yield topology key and weight of every match between the incoming and other pods."""
        for term in self.preferred:
            if term.matches(other):
                yield term.key, term.weight
        theirs = pod_terms(other)
        if self.hard_weight:
            for term in theirs.affinity:
                if term.matches(self.pod, self.namespace_labels):
                    yield term.key, self.hard_weight
        for term in theirs.preferred:
            if term.matches(self.pod, self.namespace_labels):
                yield term.key, term.weight


def weigh(preferences: Preferences, snapshot: Snapshot) -> ScoreState | None:
    """Return the weights of all rows, or None if no placed pod has any say.

    Weights that cancel each other still are a say.
    """
    nodes = snapshot.nodes
    by_key: dict[str, Ints] = {}
    heard = False
    others = snapshot.placed if preferences.preferred else snapshot.affine
    for shape, by_node in others.items():
        matches = list(preferences.matching(shape))
        if not matches:
            continue
        pods = by_node.column(nodes)
        for key, weight in matches:
            if key not in by_key:
                by_key[key] = np.zeros(len(nodes), np.int64)
            by_key[key] += weight * pods
            heard = heard or bool((has_label(nodes, key) & (pods > 0)).any())
    if not heard:
        return None
    weights = np.zeros(len(nodes), np.int64)
    for key, at_node in by_key.items():
        classes = nodes.label(key)
        sums = sum_by_class(classes, at_node)[classes.ids]
        weights += np.where(has_label(nodes, key), sums, 0)
    return ScoreState(weights)


def normalise(scores: Ints) -> Ints:
    """Return scores stretched to [0, 100]; all 0 if they are equal.

    The float steps are upstream's: divided first, then multiplied, then cut off.

    >>> normalise(np.array([-5, 0, 5])).tolist()
    [0, 50, 100]
    """
    least = int(scores.min())
    span = int(scores.max()) - least
    if not span:
        return np.zeros_like(scores)
    shares = (scores - least).astype(np.float64) / span
    return (float(MAX_NODE_SCORE) * shares).astype(np.int64)
