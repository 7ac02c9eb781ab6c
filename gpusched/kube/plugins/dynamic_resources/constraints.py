"""Constraints between the devices of one claim.

Both keep upstream's books as they are, loose ends included: what `DistinctAttribute` remembers is
one value per request, so devices of one request are compared with the last one only.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
{allocator_incubating,constraint}.go, v0.36.1
"""

from typing import Protocol, TypeAlias

from gpusched.api.resource import Device, DeviceAttribute, DeviceConstraint

AttributeValue: TypeAlias = tuple[str, int | bool | str]
"""Type and value: equal only if both are."""


class Constraint(Protocol):
    """Watches the devices that a claim gets during a search."""

    def add(self, request: str, sub_request: str, driver: str, device: Device) -> bool:
        """Return whether a device may join those that were added; it has joined then."""
        ...

    def remove(self, request: str, sub_request: str) -> None:
        """Undo an `add` that returned True."""
        ...


def attribute_of(driver: str, device: Device, name: str) -> DeviceAttribute | None:
    """Return an attribute by its full name; the driver's own domain may be left out on devices."""
    found = device.attributes.get(name)
    domain, slash, key = name.partition("/")
    if found is None and slash and domain == driver:
        return device.attributes.get(key)
    return found


def _value(attribute: DeviceAttribute) -> AttributeValue | None:
    """Return type and value; None for a type that constraints do not know."""
    if attribute.string is not None:
        return "string", attribute.string
    if attribute.int_ is not None:
        return "int", attribute.int_
    if attribute.bool_ is not None:
        return "bool", attribute.bool_
    return None if attribute.version is None else ("version", attribute.version)


class _OnRequests:
    """What both constraints share: to which requests they apply.

    Args:
        constraint: As the claim spells it.
        attribute: The attribute that is compared.
    """

    def __init__(self, constraint: DeviceConstraint, attribute: str) -> None:
        self._requests = frozenset(constraint.requests)
        self._attribute = attribute
        self._count = 0

    def _applies(self, request: str, sub_request: str) -> bool:
        if not self._requests or request in self._requests:
            return True
        return bool(sub_request) and f"{request}/{sub_request}" in self._requests


class MatchAttribute(_OnRequests):
    """All devices have one value."""

    _value: AttributeValue | None = None

    def add(self, request: str, sub_request: str, driver: str, device: Device) -> bool:
        """See `Constraint`."""
        if not self._applies(request, sub_request):
            return True
        attribute = attribute_of(driver, device, self._attribute)
        if attribute is None:
            return False
        value = _value(attribute)
        if self._count and (value is None or value != self._value):
            return False
        if not self._count:
            self._value = value
        self._count += 1
        return True

    def remove(self, request: str, sub_request: str) -> None:
        """See `Constraint`."""
        if self._applies(request, sub_request):
            self._count -= 1


class DistinctAttribute(_OnRequests):
    """No two requests end with one value, and no two neighbours within a request have one."""

    def __init__(self, constraint: DeviceConstraint, attribute: str) -> None:
        super().__init__(constraint, attribute)
        self._values: dict[str, AttributeValue | None] = {}

    def add(self, request: str, sub_request: str, driver: str, device: Device) -> bool:
        """See `Constraint`."""
        if not self._applies(request, sub_request):
            return True
        attribute = attribute_of(driver, device, self._attribute)
        if attribute is None:
            return False
        value = _value(attribute)
        clash = value is None and bool(self._values)
        if self._count and (clash or value in self._values.values()):
            return False
        self._values[request] = value
        self._count += 1
        return True

    def remove(self, request: str, sub_request: str) -> None:
        """See `Constraint`."""
        if self._applies(request, sub_request):
            self._values.pop(request, None)
            self._count -= 1


def constraints_of(constraints: tuple[DeviceConstraint, ...]) -> list[Constraint]:
    """Return the constraints of a claim, nothing added yet."""
    return [
        DistinctAttribute(constraint, constraint.distinct_attribute or "")
        if constraint.match_attribute is None
        else MatchAttribute(constraint, constraint.match_attribute)
        for constraint in constraints
    ]
