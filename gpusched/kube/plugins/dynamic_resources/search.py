"""Depth-first search over devices: claims in order, requests in order, devices in order.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go (allocateOne, allocateDevice), v0.36.1
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gpusched.api.quantity import Quantity
from gpusched.api.resource import DeviceClass, DeviceConstraint
from gpusched.kube.plugins.dynamic_resources.capacity import (
    Consumed,
    add_consumed,
    consumption,
    fits,
)
from gpusched.kube.plugins.dynamic_resources.cel_values import CelError
from gpusched.kube.plugins.dynamic_resources.claims import DeviceID, DevicesInUse
from gpusched.kube.plugins.dynamic_resources.constraints import Constraint, constraints_of
from gpusched.kube.plugins.dynamic_resources.counters import AvailableCounters, CounterAccount
from gpusched.kube.plugins.dynamic_resources.pools import Candidate
from gpusched.kube.plugins.dynamic_resources.requests import ALL, WantedDevices

MAX_RESULTS: Final = 32
MAX_STEPS: Final = 1_000_000
"""Upstream gives up a node after ten seconds; here, where no clock runs, after so many steps."""


class SearchTooLongError(Exception):
    """The search was given up."""


class _TooManyDevicesError(Exception):
    """This branch would give a claim more than `MAX_RESULTS` devices."""


@dataclass(slots=True, eq=False)
class Alternative:
    """One way to satisfy a request.

    Attributes:
        claim: The claim, as messages name it.
        wanted: What is asked for.
        device_class: The class's object.
        number: How many devices that is.
        devices: All of them, if all are wanted.
    """

    claim: str
    wanted: WantedDevices
    device_class: DeviceClass
    number: int = field(init=False)
    devices: list[Candidate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.number = self.wanted.count


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A device that a search took.

    Attributes:
        alternative: For what.
        candidate: The device.
        consumed: How much of its capacities, if it is shared; else empty.
    """

    alternative: Alternative
    candidate: Candidate
    consumed: dict[str, Quantity]


class ClaimSearch:
    """One claim during a search.

    Args:
        key: ``namespace/name``.
        requests: The alternatives of each request.
        constraints: The claim's constraints.

    Attributes:
        placed: The devices taken so far.
        picks: The alternative taken, by request.
    """

    def __init__(
        self,
        key: str,
        requests: Sequence[Sequence[Alternative]],
        constraints: tuple[DeviceConstraint, ...],
    ) -> None:
        self.key = key
        self.requests = requests
        self.constraints: list[Constraint] = constraints_of(constraints)
        self.placed: list[Placed] = []
        self.picks: dict[int, int] = {}

    def chosen(self) -> Iterator[Alternative]:
        """Yield the alternative that was taken of each request."""
        for at, alternatives in enumerate(self.requests):
            yield alternatives[self.picks.get(at, 0)]


Selects: TypeAlias = Callable[[Alternative, Candidate], bool]


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where the search stands: a claim, a request of it, and the alternative being tried."""

    claim: int
    request: int
    alternative: Alternative


class Search:
    """One search for one node.

    Args:
        candidates: The node's devices, in order.
        in_use: What is taken already.
        counters: What is left of the pools' counters.
        selects: Whether the selectors of a request take a device.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        in_use: DevicesInUse,
        counters: AvailableCounters,
        selects: Selects,
    ) -> None:
        self._candidates = candidates
        self._in_use = in_use
        self._counters = CounterAccount(counters)
        self._selects = selects
        self._claims: Sequence[ClaimSearch] = ()
        self._takers: dict[DeviceID, set[int]] = {}
        self._taking: dict[DeviceID, Consumed] = {}
        self._steps = 0

    def run(self, claims: Sequence[ClaimSearch]) -> Sequence[ClaimSearch] | None:
        """Return the claims with their devices, or None if there is no solution.

        Raises:
            CelError: A selector or an "all" request with constraints fails for good.
            SearchTooLongError: There are too many combinations.
        """
        self._claims = claims
        try:
            return claims if self._from(0, 0) else None
        except _TooManyDevicesError:
            return None

    def taken_of(self, candidate: Candidate) -> Consumed:
        """Return how much of a device's capacities others have, this search included."""
        taken = dict(self._in_use.consumed.get(candidate.id, {}))
        add_consumed(taken, self._taking.get(candidate.id, {}))
        return taken

    def _from(self, claim: int, request: int) -> bool:
        """Satisfy all requests from this one on."""
        if claim == len(self._claims):
            return True
        requests = self._claims[claim].requests
        if request == len(requests):
            try:
                return self._from(claim + 1, 0)
            except _TooManyDevicesError:
                return False
        alternatives = requests[request]
        if not alternatives[0].wanted.sub_request:
            return self._fill(_Slot(claim, request, alternatives[0]), 0, 0)
        return self._first_available(claim, request, alternatives)

    def _first_available(
        self, claim: int, request: int, alternatives: Sequence[Alternative]
    ) -> bool:
        all_too_many = True
        for at, alternative in enumerate(alternatives):
            try:
                found = self._fill(_Slot(claim, request, alternative), 0, 0)
            except _TooManyDevicesError:
                continue
            all_too_many = False
            if found:
                self._claims[claim].picks[request] = at
                return True
        if all_too_many:
            raise _TooManyDevicesError
        return False

    def _fill(self, slot: _Slot, already: int, start: int) -> bool:
        """Take the remaining devices of a slot, and then those of all that follows.

        Args:
            slot: Whose devices are looked for.
            already: How many it has.
            start: The first candidate to try: combinations are tried, not permutations.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise SearchTooLongError
        alternative = slot.alternative
        wants_all = alternative.wanted.mode == ALL
        if wants_all and not alternative.devices:
            return False
        if already >= alternative.number:
            return self._from(slot.claim, slot.request + 1)
        results = len(self._claims[slot.claim].placed)
        if results + alternative.number - already > MAX_RESULTS:
            raise _TooManyDevicesError
        if wants_all:
            return self._try(slot, alternative.devices[already], already, start)
        return any(
            self._try(slot, self._candidates[at], already, at + 1)
            for at in range(start, len(self._candidates))
            if self._is_eligible(slot, self._candidates[at])
        )

    def _is_eligible(self, slot: _Slot, candidate: Candidate) -> bool:
        alternative = slot.alternative
        return (
            not self._is_taken(slot, candidate)
            and self._selects(alternative, candidate)
            and self._has_capacity(alternative, candidate)
        )

    def _try(self, slot: _Slot, candidate: Candidate, already: int, start: int) -> bool:
        """Take one device and go on; on failure everything is as before."""
        if not self._take(slot, candidate):
            return False
        done = False
        try:
            done = self._fill(slot, already + 1, start)
        finally:
            if not done:
                self._give_back(slot)
        return done

    def _is_taken(self, slot: _Slot, candidate: Candidate) -> bool:
        takers = self._takers.get(candidate.id, ())
        if slot.alternative.wanted.admin_access:
            return slot.claim in takers
        return bool(takers) or candidate.id in self._in_use.devices

    def _has_capacity(self, alternative: Alternative, candidate: Candidate) -> bool:
        capacities, wanted = candidate.device.capacity, alternative.wanted.capacity
        if not capacities:
            return not wanted
        return fits(capacities, wanted, self.taken_of(candidate))

    def _take(self, slot: _Slot, candidate: Candidate) -> bool:
        """Book a device unless something speaks against it.

        As upstream, a refusal does not take back what was booked before it: counters where a taint
        or constraint refuses, and constraints too where a shared device has too little left.
        """
        alternative, device = slot.alternative, candidate.device
        if self._is_taken(slot, candidate) or not self._take_counters(candidate):
            return False
        if not all(alternative.wanted.tolerates(taint) for taint in device.taints):
            return False
        if not self._join_constraints(slot, candidate):
            return False
        if candidate.is_shared and not self._has_capacity(alternative, candidate):
            return False
        consumed: dict[str, Quantity] = {}
        if candidate.is_shared:
            requested = alternative.wanted.capacity
            consumed = {n: consumption(c, requested.get(n)) for n, c in device.capacity.items()}
            self._share(candidate, consumed, 1)
        else:
            self._takers.setdefault(candidate.id, set()).add(slot.claim)
        self._claims[slot.claim].placed.append(Placed(alternative, candidate, consumed))
        return True

    def _take_counters(self, candidate: Candidate) -> bool:
        """A shared device takes its counters when its first part is given away."""
        if not candidate.device.consumes_counters:
            return True
        shares = candidate.id in self._in_use.consumed or candidate.id in self._taking
        if candidate.is_shared and shares:
            return True
        return self._counters.take(candidate.pool, candidate.device)

    def _join_constraints(self, slot: _Slot, candidate: Candidate) -> bool:
        wanted, constraints = slot.alternative.wanted, self._claims[slot.claim].constraints
        driver, device = candidate.id[0], candidate.device
        for at, constraint in enumerate(constraints):
            if constraint.add(wanted.request, wanted.sub_request, driver, device):
                continue
            if wanted.mode == ALL:
                where = f"claim {self._claims[slot.claim].key}, request {wanted.name}"
                text = f"cannot add device {'/'.join(candidate.id)} because"
                raise CelError(f"{where}: {text} a claim constraint would not be satisfied")
            for joined in constraints[:at]:
                joined.remove(wanted.request, wanted.sub_request)
            return False
        return True

    def _give_back(self, slot: _Slot) -> None:
        """Undo the last `_take` of a claim; a shared device's counters stay taken, as upstream."""
        placed = self._claims[slot.claim].placed.pop()
        candidate, wanted = placed.candidate, slot.alternative.wanted
        for constraint in self._claims[slot.claim].constraints:
            constraint.remove(wanted.request, wanted.sub_request)
        if candidate.is_shared:
            self._share(candidate, placed.consumed, -1)
            return
        self._takers[candidate.id].discard(slot.claim)
        if candidate.device.consumes_counters:
            self._counters.give_back(candidate.pool, candidate.device)

    def _share(self, candidate: Candidate, consumed: dict[str, Quantity], sign: int) -> None:
        taking = self._taking.setdefault(candidate.id, {})
        add_consumed(taking, {name: amount.nano for name, amount in consumed.items()}, sign)
        if sign < 0 and not any(taking.values()):
            del self._taking[candidate.id]
