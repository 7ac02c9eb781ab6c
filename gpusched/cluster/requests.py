"""What pods ask for, as the scheduler counts it (specification, section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from gpusched.api.core import Pod, PodSpec
from gpusched.api.quantity import Quantity
from gpusched.cluster.resources import ResourceNames


@dataclass(frozen=True, slots=True)
class Requests:
    """A pod's requests, compiled.

    Attributes:
        rows: Rows of `ResourceNames`, ascending, of every resource named (amount 0 included).
        amounts: The amounts, parallel to ``rows``: cpu in milli, others whole, rounded up.
        nonzero_cpu: cpu with 100m for silent containers, pod-level resources honoured; what
            counts as the node's NonZeroRequested.
        nonzero_memory: memory with 200Mi for silent containers, likewise.
        scored_cpu: As ``nonzero_cpu``, but pod-level resources ignored: what NodeResourcesFit
            scores an incoming pod by.
        scored_memory: Likewise for memory.
        has_scalars: Some scalar resource is named, even with 0.
    """

    rows: tuple[int, ...]
    amounts: tuple[int, ...]
    nonzero_cpu: int
    nonzero_memory: int
    scored_cpu: int
    scored_memory: int
    has_scalars: bool

    def amount(self, row: int) -> int:
        """Return the amount asked of one resource; 0 where it is not named."""
        for known, amount in zip(self.rows, self.amounts, strict=True):
            if known == row:
                return amount
        return 0


def resource_amounts(
    quantities: Mapping[str, Quantity], resources: ResourceNames
) -> tuple[tuple[int, int], ...]:
    """Return (row, amount) of every resource of a node's list except ``pods``."""
    raise NotImplementedError


def pod_requests(spec: PodSpec, resources: ResourceNames) -> Requests:
    """Return what NodeResourcesFit filters an incoming pod by: the spec alone."""
    raise NotImplementedError


def accounted_requests(pod: Pod, requests: Requests, resources: ResourceNames) -> Requests:
    """Return what a pod takes from its node: the spec, and in-place resize status if there is any."""
    raise NotImplementedError
