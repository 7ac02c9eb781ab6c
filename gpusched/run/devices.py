"""Devices at the end of a run: how many the drivers publish, and how many claims hold."""

from collections.abc import Iterable
from typing import Any

from gpusched.run.replay import Moment

Json = dict[str, Any]
_Device = tuple[str, str, str]
"""Driver, pool and name."""


def device_use(moment: Moment) -> dict[str, dict[str, int]]:
    """Return, by driver, ``published`` and ``claimed``; a device that is shared counts once.

    Access as an administrator claims nothing.
    """
    published = _published(moment.objects("ResourceSlice"))
    claimed = _claimed(moment.objects("ResourceClaim"))
    return {
        driver: {
            "published": sum(device[0] == driver for device in published),
            "claimed": sum(device[0] == driver for device in claimed),
        }
        for driver in sorted({device[0] for device in published | claimed})
    }


def _published(slices: Iterable[Json]) -> set[_Device]:
    """Return the devices of each pool's newest generation; older slices are about to go."""
    specs = [item["spec"] for item in slices]
    newest: dict[tuple[str, str], int] = {}
    for spec in specs:
        pool = spec["driver"], spec["pool"]["name"]
        newest[pool] = max(newest.get(pool, 0), spec["pool"].get("generation", 0))
    return {
        (*pool, device["name"])
        for spec in specs
        if spec["pool"].get("generation", 0)
        == newest[pool := (spec["driver"], spec["pool"]["name"])]
        for device in spec.get("devices") or ()
    }


def _claimed(claims: Iterable[Json]) -> set[_Device]:
    allocations = [(claim.get("status") or {}).get("allocation") or {} for claim in claims]
    return {
        (result["driver"], result["pool"], result["device"])
        for allocation in allocations
        for result in (allocation.get("devices") or {}).get("results") or ()
        if not result.get("adminAccess")
    }
