"""Taints and tolerations, compiled: which nodes have a taint that a pod does not bear.

Source: kubernetes/api core/v1/toleration.go (ToleratesTaint) and
kubernetes/component-helpers scheduling/corev1/helpers.go, v0.36.1.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from gpusched.api.placement import Toleration as ApiToleration
from gpusched.cluster.node import Taint
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodShape

NO_SCHEDULE: Final = "NoSchedule"
PREFER_NO_SCHEDULE: Final = "PreferNoSchedule"
NO_EXECUTE: Final = "NoExecute"
HARD_EFFECTS: Final = frozenset({NO_SCHEDULE, NO_EXECUTE})
"""The effects that keep a pod from a node."""


class Toleration(NamedTuple):
    """One toleration; an empty key or effect stands for any."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, taint: Taint) -> bool:
        """Return whether this bears ``taint``; ``Lt`` and ``Gt`` never do (gate off in 1.36)."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator in ("", "Equal"):
            return self.value == taint.value
        return self.operator == "Exists"


Tolerations: TypeAlias = tuple[Toleration, ...]


def compile_tolerations(tolerations: Iterable[ApiToleration]) -> Tolerations:
    """Return tolerations as plain values."""
    return tuple(Toleration(t.key, t.operator, t.value, t.effect) for t in tolerations)


def tolerations_of(shape: PodShape) -> Tolerations:
    """Return a pod's tolerations, compiled once per shape."""
    return shape.memo(tolerations_of, lambda it: compile_tolerations(it.spec.tolerations))


def tolerates(tolerations: Tolerations, taint: Taint) -> bool:
    """Return whether one of ``tolerations`` bears ``taint``.

    >>> tolerates((Toleration("", "Exists", "", ""),), Taint("gpu", "h100", "NoSchedule"))
    True
    """
    return any(toleration.tolerates(taint) for toleration in tolerations)


def untolerated(tolerations: Tolerations, taints: Iterable[Taint], effects: frozenset[str]) -> int:
    """Return how many of the taints with one of ``effects`` are not borne."""
    return sum(t.effect in effects and not tolerates(tolerations, t) for t in taints)


def untolerated_counts(nodes: Nodes, tolerations: Tolerations, effects: frozenset[str]) -> Ints:
    """Return `untolerated` of every node; shape (N,). Kept until a node changes: do not write."""

    def count(table: Nodes) -> Ints:
        classes = table.classes("taints", lambda info: info.taints)
        counts = [untolerated(tolerations, taints, effects) for taints in classes.values]
        return np.array(counts, np.int64)[classes.ids] if counts else classes.ids

    return nodes.memo(("untolerated", tolerations, effects), count)


def repelled(nodes: Nodes, tolerations: Tolerations) -> Mask:
    """Return True where a NoSchedule or NoExecute taint is not borne; shape (N,)."""
    return untolerated_counts(nodes, tolerations, HARD_EFFECTS) > 0
