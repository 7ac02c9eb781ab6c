"""Devices that become ready only after they were allocated.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(isClaimReadyForBinding, isClaimTimeout), v1.36.1
"""

from collections.abc import Mapping

from gpusched.api.resource import DeviceRequestAllocationResult, ResourceClaim


def is_hopeless(claim: ResourceClaim, deadline: int) -> bool:
    """Return whether the conditions of an allocated claim have failed or come too late.

    Args:
        claim: The claim.
        deadline: An allocation made before this time, in microseconds, has timed out.
    """
    allocation = claim.status.allocation
    if allocation is None:
        return False
    waiting = False
    for result in allocation.devices.results:
        if result.binding_conditions:
            conditions = _conditions(claim, result)
            if conditions is not None and _has_failed(result, conditions):
                return True
            if conditions is None or not _is_ready(result, conditions):
                waiting = True
                break
    allocated = allocation.allocation_timestamp
    return waiting and allocated is not None and allocated < deadline


def _conditions(
    claim: ResourceClaim, result: DeviceRequestAllocationResult
) -> Mapping[str, str] | None:
    for device in claim.status.devices:
        if (device.driver, device.pool, device.device) == (
            result.driver,
            result.pool,
            result.device,
        ):
            return {condition.type: condition.status for condition in device.conditions}
    return None


def _has_failed(result: DeviceRequestAllocationResult, conditions: Mapping[str, str]) -> bool:
    return any(conditions.get(name) == "True" for name in result.binding_failure_conditions)


def _is_ready(result: DeviceRequestAllocationResult, conditions: Mapping[str, str]) -> bool:
    return all(conditions.get(name) == "True" for name in result.binding_conditions)
