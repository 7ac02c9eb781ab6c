"""The node whose victims are missed least.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/preemption.go
(pickOneNodeForPreemption), v1.36.1.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from gpusched.cluster.nodes import Ints
from gpusched.kube.framework.interface import Victims
from gpusched.kube.plugins.default_preemption.victims import started

_LOWEST_PRIORITY_SHIFT: Final = 2**31


def best_candidates(candidates: Sequence[Victims]) -> list[Victims]:
    """Return all candidates that are best by every rule in turn, in the given order."""
    costs = np.array([costs_of(candidate) for candidate in candidates], np.int64).T
    return [candidates[at] for at in best_of(costs).tolist()]


def costs_of(candidate: Victims) -> tuple[int, ...]:
    """Return what a candidate costs by each of the `COSTS`; the less, the better."""
    return tuple(cost(candidate) for cost in COSTS)


def best_of(costs: Ints) -> Ints:
    """Return which of K candidates are best by every rule in turn.

    Args:
        costs: By rule and candidate; shape (len(COSTS), K).
    """
    best = np.arange(costs.shape[1])
    for paid in costs:
        if len(best) == 1:
            break
        left = paid[best]
        best = best[left == left.min()]
    return best


def _violations(candidate: Victims) -> int:
    return candidate.violations


def _highest_priority(candidate: Victims) -> int:
    """The first victim is the most important one."""
    return candidate.pods[0].priority


def _sum_of_priorities(candidate: Victims) -> int:
    """Shifted, so that fewer victims of a negative priority are better than more of them."""
    return sum(pod.priority + _LOWEST_PRIORITY_SHIFT for pod in candidate.pods)


def _count(candidate: Victims) -> int:
    return len(candidate.pods)


def _earliest_start(candidate: Victims) -> int:
    """The later the oldest of the most important victims has started, the better."""
    highest = max(pod.priority for pod in candidate.pods)
    return -min(started(pod) for pod in candidate.pods if pod.priority == highest)


COSTS: Final[tuple[Callable[[Victims], int], ...]] = (
    _violations,
    _highest_priority,
    _sum_of_priorities,
    _count,
    _earliest_start,
)
"""The rules, the most important first."""

VIOLATIONS: Final = 0
"""Where among the costs broken budgets stand."""
