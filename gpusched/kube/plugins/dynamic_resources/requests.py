"""The requests of a claim, exact and alternative ones in one shape.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go (requestAccessor), v0.36.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.api.resource import (
    CapacityRequirements,
    DeviceRequest,
    DeviceSelector,
    DeviceSubRequest,
    DeviceTaint,
    DeviceToleration,
    ExactDeviceRequest,
)

EXACT_COUNT: Final = "ExactCount"
ALL: Final = "All"
_REPELLING: Final = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True, eq=False)
class WantedDevices:
    """One request, or one alternative of a request.

    Attributes:
        request: The request's name.
        sub_request: The alternative's name; empty for an exact request.
        class_name: The device class.
        selectors: Further conditions.
        mode: ``ExactCount`` or ``All``.
        count: How many devices ``ExactCount`` wants.
        admin_access: Devices in use may be taken as well.
        tolerations: Device taints that it bears.
        capacity: How much of each capacity it names.
    """

    request: str
    sub_request: str
    class_name: str
    selectors: tuple[DeviceSelector, ...]
    mode: str
    count: int
    admin_access: bool
    tolerations: tuple[DeviceToleration, ...]
    capacity: Mapping[str, Quantity]

    @property
    def name(self) -> str:
        """Return the name that messages about selectors and counts use."""
        return self.sub_request or self.request

    @property
    def reference(self) -> str:
        """Return the name that results and configurations use."""
        return f"{self.request}/{self.sub_request}" if self.sub_request else self.request

    def tolerates(self, taint: DeviceTaint) -> bool:
        """Return whether a device taint does not keep this request away."""
        if taint.effect not in _REPELLING:
            return True
        return any(_tolerates(toleration, taint) for toleration in self.tolerations)


def _tolerates(toleration: DeviceToleration, taint: DeviceTaint) -> bool:
    """Source: dynamic-resource-allocation resourceclaim/devicetoleration.go (ToleratesTaint)."""
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and toleration.value == taint.value


def wanted_devices(request: DeviceRequest) -> tuple[WantedDevices, ...]:
    """Return a request's alternatives, in order of preference; an exact one has one."""
    if request.exactly is not None:
        admin = bool(request.exactly.admin_access)
        return (_wanted(request.name, "", request.exactly, admin_access=admin),)
    return tuple(
        _wanted(request.name, each.name, each, admin_access=False)
        for each in request.first_available
    )


def _wanted(
    request: str,
    sub_request: str,
    spec: ExactDeviceRequest | DeviceSubRequest,
    *,
    admin_access: bool,
) -> WantedDevices:
    capacity = spec.capacity or CapacityRequirements()
    return WantedDevices(
        request=request,
        sub_request=sub_request,
        class_name=spec.device_class_name,
        selectors=spec.selectors,
        mode=spec.allocation_mode or EXACT_COUNT,
        count=spec.count or 1,
        admin_access=admin_access,
        tolerations=spec.tolerations,
        capacity=capacity.requests,
    )
