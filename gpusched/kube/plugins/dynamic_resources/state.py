"""What the plugin remembers: within one attempt, and between attempts of different pods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gpusched.api.resource import ResourceClaim
from gpusched.cluster.selectors import NodeSelector
from gpusched.kube.plugins.dynamic_resources.allocator import Allocator, ClaimAllocation
from gpusched.kube.plugins.dynamic_resources.extended_resources import (
    ExtendedResources,
    RequestMapping,
)


@dataclass(frozen=True, slots=True, eq=False)
class NodeAllocation:
    """What Filter found for one node.

    Attributes:
        claims: One allocation for each claim that had none, in order.
        mappings: Which request of the extended-resource claim serves which container.
    """

    claims: tuple[ClaimAllocation, ...]
    mappings: tuple[RequestMapping, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ClaimWrite:
    """A change of a claim that the API server must be told.

    Attributes:
        claim: The claim as it is from now on, or was.
        created: It is new; its name is still to be generated.
        deleted: It goes.
        mappings: For a new one: which request serves which container, for the pod's status.
    """

    claim: ResourceClaim
    created: bool = False
    deleted: bool = False
    mappings: tuple[RequestMapping, ...] = ()


@dataclass(slots=True, eq=False)
class DraState:
    """The data of one attempt; shared by its dry runs, as upstream.

    Attributes:
        claims: The pod's claims in order, the one for extended resources last.
        extended: The pod's extended resources, if a class maps any.
        selectors: Where each allocated claim is available; None for everywhere.
        allocator: Allocates the claims that need it; None if none does.
        allocations: What Filter found, by node.
        unavailable: The claims that are not available on a node, by node.
        writes: What PostFilter wants changed.
    """

    claims: Sequence[ResourceClaim] = ()
    extended: ExtendedResources | None = None
    selectors: Sequence[NodeSelector | None] = ()
    allocator: Allocator | None = None
    allocations: dict[str, NodeAllocation] = field(default_factory=dict)
    unavailable: dict[str, tuple[int, ...]] = field(default_factory=dict)
    writes: tuple[ClaimWrite, ...] = ()

    def clone(self) -> "DraState":
        """Return the same data."""
        return self

    @property
    def has_user_claims(self) -> bool:
        """Return whether the pod names claims itself."""
        return len(self.claims) > (self.extended is not None)

    def is_extended(self, claim: ResourceClaim) -> bool:
        """Return whether a claim is the one for extended resources."""
        return self.extended is not None and claim is self.extended.claim

    def to_allocate(self) -> list[ResourceClaim]:
        """Return the claims that have no allocation."""
        return [claim for claim in self.claims if claim.status.allocation is None]


class InFlight:
    """Allocations between Reserve and PreBind: taken in memory, written nowhere yet.

    Attributes:
        version: Grows with every change.
    """

    def __init__(self) -> None:
        self._claims: dict[str, ResourceClaim] = {}
        self.version = 0

    def __contains__(self, uid: str) -> bool:
        """Return whether a claim is being allocated."""
        return uid in self._claims

    def claims(self) -> Iterable[ResourceClaim]:
        """Return the claims with their allocations."""
        return self._claims.values()

    def get(self, uid: str) -> ResourceClaim | None:
        """Return a claim with its allocation, or None."""
        return self._claims.get(uid)

    def add(self, claim: ResourceClaim) -> None:
        """Take what a claim is to get; of a claim that a pod names twice the first one counts."""
        self._claims.setdefault(claim.metadata.uid, claim)
        self.version += 1

    def remove(self, uid: str) -> None:
        """Forget a claim; nothing happens if it is not there."""
        if self._claims.pop(uid, None) is not None:
            self.version += 1
