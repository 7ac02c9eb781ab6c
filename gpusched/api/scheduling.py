"""Priorities of pods, and the leases by which nodes and leaders show that they live.

Source: kubernetes/api scheduling/v1/types.go, coordination/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import KubeModel, KubeObject, MicroTime


class PriorityClass(KubeObject):
    """A name for a priority."""

    value: int = 0
    global_default: bool = False
    description: str = ""
    preemption_policy: str | None = None


class LeaseSpec(KubeModel):
    """Who holds a lease, and since when."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: int | None = None


class Lease(KubeObject):
    """A claim that must be renewed."""

    spec: LeaseSpec = Field(default_factory=LeaseSpec)
