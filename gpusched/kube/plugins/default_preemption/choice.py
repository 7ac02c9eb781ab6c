"""The node whose victims are missed least.

Source: kubernetes/kubernetes pkg/scheduler/framework/preemption/preemption.go
(pickOneNodeForPreemption), v1.36.1.
"""

from collections.abc import Callable, Sequence
from typing import Final

from gpusched.kube.framework.interface import Victims
from gpusched.kube.plugins.default_preemption.victims import started

_LOWEST_PRIORITY_SHIFT: Final = 2**31


def best_candidates(candidates: Sequence[Victims]) -> list[Victims]:
    """Return all candidates that are best by every rule in turn, in the given order."""
    best = list(candidates)
    for cost in _COSTS:
        if len(best) == 1:
            break
        costs = [cost(candidate) for candidate in best]
        least = min(costs)
        best = [c for c, paid in zip(best, costs, strict=True) if paid == least]
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


_COSTS: Final[tuple[Callable[[Victims], int], ...]] = (
    _violations,
    _highest_priority,
    _sum_of_priorities,
    _count,
    _earliest_start,
)
