"""Devices that their drivers make ready only after they were allocated.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(hasBindingConditions, isClaimReadyForBinding), v1.36.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpusched.controllers.protocol import Json
from gpusched.sim.scheduler.binding import PreBindError

_PLUGIN: Final = "DynamicResources"


def wait_for_conditions(claim: Json) -> bool:
    """Return whether any device of a claim has to become ready first."""
    return any(result.get("bindingConditions") for result in _results(claim))


def are_ready(claim: Json) -> bool:
    """Return whether all devices of a claim are ready.

    Raises:
        PreBindError: A driver says that it has failed.
    """
    return all(
        _is_ready(claim, result) for result in _results(claim) if result.get("bindingConditions")
    )


def _results(claim: Json) -> Sequence[Json]:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    results: Sequence[Json] = (allocation.get("devices") or {}).get("results") or ()
    return results


def _is_ready(claim: Json, result: Json) -> bool:
    conditions = _conditions(claim, result)
    for name in result.get("bindingFailureConditions") or ():
        failed = conditions.get(name, {})
        if failed.get("status") == "True":
            what = f"claim={claim['metadata']['name']}, reason={failed.get('reason', '')}"
            why = f'{what}, message="{failed.get("message", "")}"'
            raise PreBindError(_PLUGIN, f"device binding failed: {why}")
    return all(conditions.get(name, {}).get("status") == "True"
               for name in result["bindingConditions"])  # fmt: skip


def _conditions(claim: Json, result: Json) -> Mapping[str, Mapping[str, Any]]:
    for device in (claim.get("status") or {}).get("devices") or ():
        if all(device.get(part) == result.get(part) for part in ("driver", "pool", "device")):
            return {each["type"]: each for each in device.get("conditions") or ()}
    return {}
