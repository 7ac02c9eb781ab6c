"""ConfigMaps and ServiceAccounts.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import config_key, dns_subdomain
from gpusched.api.validation.errors import Errors, checked, invalid, too_long
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.wire import Json

_SIZE: Final = 1024 * 1024


def validate_config_map(obj: Json) -> Errors:
    """Check a ConfigMap."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for name, values in (("data", data), ("binaryData", binary)):
        for key in values:
            yield from checked(config_key, f"{name}[{key}]", key)
            if name == "data" and key in binary:
                yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    texts = sum(len(value.encode()) for value in data.values())
    if texts + sum(len(value) * 3 // 4 for value in binary.values()) > _SIZE:
        yield too_long("", _SIZE)


def validate_service_account(obj: Json) -> Errors:
    """Check a ServiceAccount."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
