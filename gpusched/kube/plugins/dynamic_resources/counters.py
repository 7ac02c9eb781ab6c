"""Counters that the devices of a pool share: what is left of them during a search.

As upstream, the books are kept by pool name alone, without the driver: pools of two drivers with
one name share an account, and the one that is looked at first says what is available. Devices
that a taint or a constraint turns down after their counters were checked keep them for the rest
of the search.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go (checkAvailableCounters), v0.36.1
"""

from collections.abc import Set as AbstractSet
from typing import TypeAlias

from gpusched.api.resource import Device
from gpusched.kube.plugins.dynamic_resources.claims import DeviceID
from gpusched.kube.plugins.dynamic_resources.pools import Pool

CounterSets: TypeAlias = dict[tuple[str, str], int]
"""(Counter set, counter) to billionths."""


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
        for slice_ in (*pool.slices, *pool.slices_elsewhere):
            for device in slice_.spec.devices:
                if (slice_.spec.driver, slice_.spec.pool.name, device.name) in self._in_use:
                    for key, amount in consumed_by(device):
                        if key in left:
                            left[key] -= amount
        return left


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


def consumed_by(device: Device) -> list[tuple[tuple[str, str], int]]:
    """Return what a device takes of which counter."""
    return [
        ((consumption.counter_set, name), counter.value.nano)
        for consumption in device.consumes_counters
        for name, counter in consumption.counters.items()
    ]
