"""CEL selectors over devices, compiled once per text; what a device looks like to them.

celpy is imported when the first selector is evaluated, not before.

Source: kubernetes/dynamic-resource-allocation cel/{compile,cache}.go, v0.36.1
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gpusched.api.resource import Device, DeviceAttribute
from gpusched.kube.plugins.dynamic_resources.cel_values import (
    CelError,
    DomainMap,
    Semver,
    Value,
    verdict,
)


@dataclass(frozen=True, slots=True)
class Selector:
    """A compiled device selector.

    Attributes:
        run: Gives the expression's value, or None if it does not compile.
        compile_error: Why it does not.
    """

    run: Callable[[Mapping[str, Value]], Value] | None
    compile_error: str = ""

    def matches(self, driver: str, device: Device) -> bool:
        """Return whether a device is selected.

        Raises:
            CelError: The text that follows the selector's name in the scheduler's message.
        """
        if self.run is None:
            raise CelError(f"CEL compile error: {self.compile_error}")
        try:
            return verdict(self.run({"device": device_value(driver, device)}))
        except CelError as error:
            raise CelError(f"CEL runtime error: {error}") from None


@lru_cache(maxsize=4096)
def compile_selector(expression: str) -> Selector:
    """Return an expression compiled; a mistake in it shows when it is evaluated."""
    from gpusched.kube.plugins.dynamic_resources.cel_program import (  # noqa: PLC0415 - celpy takes a tenth of a second
        compile_expression,
    )
    from gpusched.kube.plugins.dynamic_resources.cel_syntax import (  # noqa: PLC0415 - as above
        CelCompileError,
    )

    try:
        return Selector(compile_expression(expression))
    except CelCompileError as error:
        return Selector(None, str(error))


def device_value(driver: str, device: Device) -> dict[str, Value]:
    """Return the ``device`` variable: names without a domain belong to the driver's.

    Raises:
        CelError: An attribute has no value that CEL knows.
    """
    attributes, capacity = DomainMap(), DomainMap()
    for name, attribute in device.attributes.items():
        domain, key = _qualified(name, driver)
        attributes.setdefault(domain, {})[key] = _attribute_value(name, attribute)
    for name, amount in device.capacity.items():
        domain, key = _qualified(name, driver)
        capacity.setdefault(domain, {})[key] = amount.value
    return {
        "driver": driver,
        "allowMultipleAllocations": bool(device.allow_multiple_allocations),
        "attributes": attributes,
        "capacity": capacity,
    }


def _qualified(name: str, driver: str) -> tuple[str, str]:
    domain, slash, key = name.partition("/")
    return (domain, key) if slash else (driver, name)


def _attribute_value(name: str, attribute: DeviceAttribute) -> Value:
    for value in (attribute.int_, attribute.bool_, attribute.string):
        if value is not None:
            return value
    if attribute.version is None:
        raise CelError(f"attribute {name}: unsupported attribute value")
    try:
        return Semver.parse(attribute.version)
    except CelError as error:
        raise CelError(f"attribute {name}: parse semantic version: {error}") from None
