"""How much of a device's capacities a request takes, and whether that much is left.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
consumable_capacity.go, v0.36.1
"""

from collections.abc import Mapping
from typing import TypeAlias

from gpusched.api.quantity import Format, Quantity
from gpusched.api.resource import (
    CapacityRequestPolicy,
    CapacityRequestPolicyRange,
    DeviceCapacity,
)

Consumed: TypeAlias = dict[str, int]
"""Billionths taken, by the capacity's name."""
Capacities: TypeAlias = Mapping[str, DeviceCapacity]
Wanted: TypeAlias = Mapping[str, Quantity]


def add_consumed(total: Consumed, more: Mapping[str, int], sign: int = 1) -> None:
    """Add what a device gives away to ``total``, or take it back (sign -1)."""
    for name, amount in more.items():
        total[name] = total.get(name, 0) + sign * amount


def fits(capacities: Capacities, wanted: Wanted, taken: Mapping[str, int]) -> bool:
    """Return whether a device has ``wanted`` left and its policies allow just that much.

    Args:
        capacities: The device's.
        wanted: What the request names; of what it does not name it takes the default.
        taken: What others have of it already.
    """
    if wanted.keys() - capacities.keys():
        return False
    for name, capacity in capacities.items():
        amount = consumption(capacity, wanted.get(name))
        if _violates(amount, capacity.request_policy):
            return False
        if taken.get(name, 0) + amount.nano > capacity.value.nano:
            return False
    return True


def consumption(capacity: DeviceCapacity, wanted: Quantity | None) -> Quantity:
    """Return how much a request takes: the policy's default or all, else rounded up."""
    policy = capacity.request_policy
    if wanted is None:
        has_default = policy is not None and policy.default is not None
        return policy.default if has_default else capacity.value  # type: ignore[union-attr,return-value]  # just looked at
    if policy is None:
        return wanted
    if policy.valid_range is not None and policy.valid_range.min is not None:
        return _rounded_up(wanted, policy.valid_range, policy.valid_range.min)
    return next((valid for valid in policy.valid_values if wanted <= valid), wanted)


def _rounded_up(wanted: Quantity, allowed: CapacityRequestPolicyRange, least: Quantity) -> Quantity:
    if wanted < least:
        return least
    if allowed.step is None:
        return wanted
    step, start = allowed.step.value(), least.value()
    steps = -(-(wanted.value() - start) // step)
    return Quantity.from_int(start + step * steps, Format.BINARY_SI)


def _violates(amount: Quantity, policy: CapacityRequestPolicy | None) -> bool:
    if policy is None or amount == policy.default:
        return False
    if policy.valid_range is None:
        return bool(policy.valid_values) and amount not in policy.valid_values
    allowed = policy.valid_range
    if allowed.max is not None and amount > allowed.max:
        return True
    if allowed.step is None:
        return False
    start = allowed.min.value() if allowed.min is not None else 0
    return (amount.value() - start) % allowed.step.value() != 0
