"""Counters that the devices of a pool share: what is left of them during a search.

As upstream, the books are kept by pool name alone, without the driver: pools of two drivers with
one name share an account, and the one that is looked at first says what is available. Devices
that a taint or a constraint turns down after their counters were checked keep them for the rest
of the search.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go (checkAvailableCounters), v0.36.1
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from gpusched.api.resource import Device
from gpusched.kube.plugins.dynamic_resources.claims import DeviceID
from gpusched.kube.plugins.dynamic_resources.pools import Pool

CounterKey: TypeAlias = tuple[str, str]
"""Counter set and counter."""
CounterSets: TypeAlias = dict[CounterKey, int]
"""Billionths by counter."""


class AvailableCounters:
    """What allocated devices leave of each pool's counters; worked out once for an attempt."""

    def __init__(self, in_use: AbstractSet[DeviceID]) -> None:
        self._in_use = in_use
        self._by_pool: dict[str, CounterSets] = {}

    def of(self, pool: Pool) -> CounterSets:
        """Return the counters that are left to be allocated."""
        found = self._by_pool.get(pool.name)
        if found is None:
            found = self._by_pool[pool.name] = self._count(pool)
        return found

    def _count(self, pool: Pool) -> CounterSets:
        left = {
            (counter_set.name, name): counter.value.nano
            for counter_set in pool.counter_sets
            for name, counter in counter_set.counters.items()
        }
        for key, amount in self._consumed(pool):
            if key in left:
                left[key] -= amount
        return left

    def _consumed(self, pool: Pool) -> Iterator[tuple[CounterKey, int]]:
        """Yield what the pool's devices in use take, on any node."""
        for slice_ in (*pool.slices, *pool.slices_elsewhere):
            spec = slice_.spec
            for device in spec.devices:
                if (spec.driver, spec.pool.name, device.name) in self._in_use:
                    yield from consumed_by(device)


class CounterAccount:
    """What one search has taken so far."""

    def __init__(self, available: AvailableCounters) -> None:
        self._available = available
        self._taken: dict[str, CounterSets] = {}

    def take(self, pool: Pool, device: Device) -> bool:
        """Take a device's counters; return False, and take nothing, if any counter runs short."""
        taken = self._taken.setdefault(pool.name, {})
        self._book(pool, device, 1)
        if all(left >= taken.get(key, 0) for key, left in self._available.of(pool).items()):
            return True
        self._book(pool, device, -1)
        return False

    def give_back(self, pool: Pool, device: Device) -> None:
        """Undo a `take` that returned True."""
        self._book(pool, device, -1)

    def _book(self, pool: Pool, device: Device, sign: int) -> None:
        taken = self._taken[pool.name]
        for key, amount in consumed_by(device):
            taken[key] = taken.get(key, 0) + sign * amount


def consumed_by(device: Device) -> list[tuple[CounterKey, int]]:
    """Return what a device takes of which counter."""
    return [
        ((consumption.counter_set, name), counter.value.nano)
        for consumption in device.consumes_counters
        for name, counter in consumption.counters.items()
    ]
