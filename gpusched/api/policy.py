"""PodDisruptionBudgets: how many pods of an application may be missing at once.

Source: kubernetes/api policy/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import (
    IntOrString,
    KubeModel,
    KubeObject,
    LabelSelector,
    ObservedCondition,
    Time,
)


class PodDisruptionBudgetSpec(KubeModel):
    """Which pods a budget is about; a nil selector matches none, an empty one all."""

    min_available: IntOrString | None = None
    max_unavailable: IntOrString | None = None
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str | None = None


class PodDisruptionBudgetStatus(KubeModel):
    """How many disruptions a budget still allows."""

    observed_generation: int = 0
    disrupted_pods: dict[str, Time] = Field(default_factory=dict)
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[ObservedCondition, ...] = ()


class PodDisruptionBudget(KubeObject):
    """A bound on voluntary disruptions."""

    spec: PodDisruptionBudgetSpec = Field(default_factory=PodDisruptionBudgetSpec)
    status: PodDisruptionBudgetStatus = Field(default_factory=PodDisruptionBudgetStatus)
