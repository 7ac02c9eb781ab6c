"""Nodes and namespaces.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key
from gpusched.api.validation.addresses import family, validate_cidr
from gpusched.api.validation.errors import Errors, checked, duplicate, internal, invalid, quote
from gpusched.api.validation.meta import validate_finalizer_domain, validate_metadata
from gpusched.api.validation.resources import validate_quantity
from gpusched.api.validation.tolerations import validate_taints
from gpusched.api.wire import Json

_FEATURE: Final = "[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*"
_FEATURE_RULE: Final = (
    "start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g.,"
    " MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)
_FEATURE_LENGTH: Final = 253
_FAMILIES: Final = 2


def validate_node(obj: Json) -> Errors:
    """Check a Node; upstream reports taints as if they stood in the metadata."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=False)
    yield from validate_taints(spec.get("taints") or [], "metadata.taints")
    yield from validate_node_status(status)
    swap = (status.get("nodeInfo") or {}).get("swap") or {}
    if swap.get("capacity", 1) <= 0:
        detail = "must be greater than zero"
        yield invalid("metadata.nodeSwapStatus.capacity", swap["capacity"], detail)
    yield from _validate_networks(spec.get("podCIDRs") or [])


def validate_node_status(status: Json) -> Errors:
    """Check a node's resources and declared features."""
    for name in ("capacity", "allocatable"):
        for resource, text in (status.get(name) or {}).items():
            yield from validate_quantity(resource, text, f"status.{name}.{resource}")
    yield from _validate_features(status.get("declaredFeatures") or [])


def _validate_features(features: list[str]) -> Errors:
    for index, feature in enumerate(features):
        place = f"status.declaredFeatures[{index}]"
        if index and feature == features[index - 1]:
            yield duplicate(place, feature)
        elif index and feature < features[index - 1]:
            yield invalid(place, feature, "list must be sorted alphabetically")
        problem = f"invalid feature name {quote(feature)}: must"
        if len(feature) > _FEATURE_LENGTH:
            yield invalid(place, feature, f"{problem} be no more than {_FEATURE_LENGTH} characters")
        elif not re.fullmatch(_FEATURE, feature):
            yield invalid(place, feature, f"{problem} {_FEATURE_RULE}")


def _validate_networks(networks: list[str]) -> Errors:
    for index, network in enumerate(networks):
        yield from validate_cidr(network, f"spec.podCIDRs[{index}]")
    if len(networks) < _FAMILIES:
        return
    for index, network in enumerate(networks):
        if family(network) is None:
            problem = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {network})"
            detail = "invalid PodCIDRs. failed to check with dual stack with error:"
            yield internal("spec.podCIDRs", f"{detail}{problem}")
            break
    families = {family(network) for network in networks}
    if None in families or len(families) != _FAMILIES or len(networks) > _FAMILIES:
        detail = "may specify no more than one CIDR for each IP family"
        yield invalid("spec.podCIDRs", networks, detail)


def validate_namespace(obj: Json) -> Errors:
    """Check a Namespace."""
    yield from validate_metadata(obj["metadata"], dns_label, namespaced=False)
    for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
        yield from checked(label_key, "spec.finalizers", finalizer)
        yield from validate_finalizer_domain(finalizer, "spec.finalizers")
