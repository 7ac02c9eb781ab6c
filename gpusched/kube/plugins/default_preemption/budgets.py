"""Which victims break a PodDisruptionBudget.

Source: kubernetes/kubernetes
pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go
(filterPodsWithPDBViolation), v1.36.1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gpusched.api.policy import PodDisruptionBudget
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.selectors import LabelSelector


@dataclass(frozen=True, slots=True)
class Budget:
    """What preemption reads of a PodDisruptionBudget.

    Attributes:
        namespace: Its namespace.
        selector: The pods that it is about.
        allowed: ``status.disruptionsAllowed``.
        disrupted: The names in ``status.disruptedPods``: already accounted for.
    """

    namespace: str
    selector: LabelSelector
    allowed: int
    disrupted: frozenset[str]

    def covers(self, pod: PodInfo) -> bool:
        """Return whether an eviction of this pod counts; an empty selector covers nobody."""
        return (
            bool(pod.shape.labels)
            and self.namespace == pod.namespace
            and not self.selector.is_empty
            and self.selector.matches(pod.shape.labels)
            and pod.name not in self.disrupted
        )


Split: TypeAlias = tuple[list[PodInfo], list[PodInfo]]
"""(those that break a budget, those that do not)"""


def compile_budgets(objects: Iterable[PodDisruptionBudget]) -> tuple[Budget, ...]:
    """Return all budgets, compiled."""
    return tuple(
        Budget(
            namespace=budget.metadata.namespace or "default",
            selector=LabelSelector.compile(budget.spec.selector),
            allowed=budget.status.disruptions_allowed,
            disrupted=frozenset(budget.status.disrupted_pods),
        )
        for budget in objects
    )


def split_by_budgets(pods: Iterable[PodInfo], budgets: Sequence[Budget]) -> Split:
    """Return pods in two groups, each in the given order.

    Every covered pod uses up one disruption of all its budgets, even if one of them has none left.
    """
    left = [budget.allowed for budget in budgets]
    violating: list[PodInfo] = []
    others: list[PodInfo] = []
    for pod in pods:
        covering = [at for at, budget in enumerate(budgets) if budget.covers(pod)]
        for at in covering:
            left[at] -= 1
        (violating if any(left[at] < 0 for at in covering) else others).append(pod)
    return violating, others
