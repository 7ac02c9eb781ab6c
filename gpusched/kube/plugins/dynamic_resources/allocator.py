"""The search for devices: depth first, the first solution wins.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go, v0.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.api.resource import DeviceClass, DeviceSelector, ResourceClaim
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.objects import Lister
from gpusched.kube.plugins.dynamic_resources.capacity import fits
from gpusched.kube.plugins.dynamic_resources.cel_values import CelError
from gpusched.kube.plugins.dynamic_resources.claims import DevicesInUse
from gpusched.kube.plugins.dynamic_resources.counters import AvailableCounters
from gpusched.kube.plugins.dynamic_resources.pools import (
    Candidate,
    NodePools,
    PoolIndex,
    device_matches,
)
from gpusched.kube.plugins.dynamic_resources.requests import (
    ALL,
    EXACT_COUNT,
    WantedDevices,
    wanted_devices,
)
from gpusched.kube.plugins.dynamic_resources.search import (
    MAX_RESULTS,
    Alternative,
    ClaimSearch,
    Placed,
    Search,
    SearchTooLongError,
)

INVALID_POOLS: Final = "invalid resource pools were encountered"


class AllocationError(Exception):
    """Something is wrong with a claim or a class; the scheduling attempt ends with this text."""


class NodeError(Exception):
    """No allocation on this node, for a reason of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class ClaimAllocation:
    """What one claim gets on one node.

    Attributes:
        claim: The claim.
        placed: Its devices, in the order in which they were taken.
        chosen: For each request the alternative that was taken.
    """

    claim: ResourceClaim
    placed: tuple[Placed, ...]
    chosen: tuple[Alternative, ...]


class Allocator:
    """Allocates claims of one pod; serves one scheduling attempt.

    Args:
        index: All devices.
        classes: All device classes.
        in_use: What is taken already, in-flight allocations included.
    """

    def __init__(
        self, index: PoolIndex, classes: Lister[str, DeviceClass], in_use: DevicesInUse
    ) -> None:
        self._index = index
        self._classes = classes
        self._in_use = in_use
        self._counters = AvailableCounters(in_use.devices)

    def allocate(
        self, node: NodeInfo, claims: Sequence[ResourceClaim]
    ) -> tuple[ClaimAllocation, ...] | None:
        """Return one allocation per claim on a node, or None if there is no solution.

        Raises:
            AllocationError: The attempt as a whole must end.
            NodeError: There is no solution, and this is why.
        """
        pools = self._index.pools_of(node)
        preparation = _Preparation(self._index, self._classes, node, pools)
        search = Search(pools.candidates, self._in_use, self._counters, preparation.selects)
        try:
            found = search.run([preparation.claim(claim, search) for claim in claims])
        except CelError as error:
            raise AllocationError(str(error)) from None
        except SearchTooLongError:
            text = f"node {node.name}: timed out trying to allocate devices"
            raise AllocationError(text) from None
        if found is not None:
            return tuple(
                ClaimAllocation(claim, tuple(result.placed), tuple(result.chosen()))
                for claim, result in zip(claims, found, strict=True)
            )
        if any(pool.invalid for pool in pools.pools):
            raise NodeError(INVALID_POOLS)
        return None


class _Preparation:
    """Looks at claims before the search: classes exist, sizes are possible, "all" is counted."""

    def __init__(
        self,
        index: PoolIndex,
        classes: Lister[str, DeviceClass],
        node: NodeInfo,
        pools: NodePools,
    ) -> None:
        self._index = index
        self._classes = classes
        self._node = node
        self._pools = pools
        self._selected: dict[tuple[int, int], bool] = {}

    def claim(self, claim: ResourceClaim, search: Search) -> ClaimSearch:
        """Return what a search needs to know of a claim.

        Raises:
            AllocationError: The claim cannot be satisfied whatever the devices.
        """
        key = f"{claim.metadata.namespace}/{claim.metadata.name}"
        requests = []
        for request in claim.spec.devices.requests:
            alternatives = [
                self._alternative(key, wanted, search) for wanted in wanted_devices(request)
            ]
            requests.append(alternatives)
        least = sum(min(each.number for each in alternatives) for alternatives in requests)
        if least > MAX_RESULTS:
            text = f"number of requested devices {least} exceeds the claim limit of {MAX_RESULTS}"
            raise AllocationError(f"claim {key}: {text}")
        for at, constraint in enumerate(claim.spec.devices.constraints):
            if constraint.match_attribute is None and constraint.distinct_attribute is None:
                text = "empty constraint (unsupported constraint type?)"
                raise AllocationError(f"claim {key}, constraint #{at}: {text}")
        return ClaimSearch(key, requests, claim.spec.devices.constraints)

    def _alternative(self, claim: str, wanted: WantedDevices, search: Search) -> Alternative:
        where = f"claim {claim}, request {wanted.name}"
        for at, selector in enumerate(wanted.selectors):
            if selector.cel is None:
                text = "CEL expression empty (unsupported selector type?)"
                raise AllocationError(f"{where}, selector #{at}: {text}")
        device_class = self._classes.get(wanted.class_name)
        if device_class is None:
            raise AllocationError(
                f"{where}: could not retrieve device class {wanted.class_name}: "
                f'deviceclass.resource.k8s.io "{wanted.class_name}" not found'
            )
        alternative = Alternative(claim, wanted, device_class)
        if wanted.mode == ALL:
            alternative.devices = self._all_devices(where, alternative, search)
            alternative.number = len(alternative.devices)
        elif wanted.mode != EXACT_COUNT:
            raise AllocationError(f"{where}: unsupported count mode {wanted.mode}")
        return alternative

    def _all_devices(self, where: str, alternative: Alternative, search: Search) -> list[Candidate]:
        found = []
        for pool in self._pools.pools:
            if pool.incomplete or pool.invalid:
                state = "being updated" if pool.incomplete else "invalid"
                text = f"asks for all devices, but resource pool {pool} is currently {state}"
                raise AllocationError(f"{where}: {text}")
            of_pool = (each for each in self._pools.candidates if each.pool is pool)
            found += [each for each in of_pool if self.selects(alternative, each)]
        wanted = alternative.wanted.capacity
        return [each for each in found if fits(each.device.capacity, wanted, search.taken_of(each))]

    def selects(self, alternative: Alternative, candidate: Candidate) -> bool:
        """Return whether the class's and the request's selectors take a device; kept.

        Raises:
            CelError: A selector fails.
        """
        key = (id(alternative), id(candidate))
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = self._select(alternative, candidate)
        return found

    def _select(self, alternative: Alternative, candidate: Candidate) -> bool:
        device_class = alternative.device_class
        of_class = f"class {device_class.metadata.name}"
        if not self._all_match(of_class, device_class.spec.selectors, candidate):
            return False
        of_claim = f"claim {alternative.claim}"
        if not self._all_match(of_claim, alternative.wanted.selectors, candidate):
            return False
        if not candidate.slice.spec.per_device_node_selection:
            return True
        return device_matches(self._node, candidate.device)

    def _all_match(
        self, owner: str, selectors: Sequence[DeviceSelector], candidate: Candidate
    ) -> bool:
        for at, selector in enumerate(selectors):
            expression = selector.cel.expression if selector.cel is not None else ""
            try:
                if not self._index.selects(expression, candidate.id[0], candidate.device):
                    return False
            except CelError as error:
                raise CelError(f"{owner}: selector #{at}: {error}") from None
        return True
