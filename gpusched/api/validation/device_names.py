"""Names of device attributes and capacities.

Source: kubernetes/kubernetes pkg/apis/resource/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import identifier
from gpusched.api.validation.errors import Errors, checked, invalid, too_long
from gpusched.api.validation.sources import validate_csi_driver

_ID_LENGTH: Final = 32


def validate_attribute_name(name: str, path: str) -> Errors:
    """Check a C identifier with or without a domain; upstream lets more than one slash pass."""
    parts = name.split("/")
    if len(parts) > 2:  # noqa: PLR2004 - domain and identifier
        return
    domain = parts[0] if len(parts) > 1 else None
    if domain == "":
        yield invalid(path, "", "the domain must not be empty")
    elif domain is not None:
        yield from validate_csi_driver(domain, path)
    if domain is not None and not parts[1]:
        yield invalid(path, "", "the name must not be empty")
        return
    if len(parts[-1]) > _ID_LENGTH:
        yield too_long(path, _ID_LENGTH)
    yield from checked(identifier, path, parts[-1])
