"""Node affinity and pod (anti-)affinity.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key, label_value
from gpusched.api.validation.errors import Errors, checked, forbidden, invalid, required
from gpusched.api.validation.selectors import (
    EXISTENCE_OPERATORS,
    NEEDS_VALUES,
    NO_OPERATOR,
    NO_VALUES,
    SET_OPERATORS,
    validate_label_keys,
    validate_selector,
)
from gpusched.api.wire import Json

_COMPARISONS: Final = frozenset({"Gt", "Lt"})
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_LARGEST_WEIGHT: Final = 100


def validate_affinity(affinity: Json, path: str) -> Errors:
    """Check a pod's affinity."""
    node = affinity.get("nodeAffinity") or {}
    if _REQUIRED in node:
        yield from validate_node_selector(node[_REQUIRED], f"{path}.nodeAffinity.{_REQUIRED}")
    for index, term in enumerate(node.get(_PREFERRED) or ()):
        place = f"{path}.nodeAffinity.{_PREFERRED}[{index}]"
        yield from _validate_weight(term, place)
        preference = term.get("preference") or {}
        yield from _validate_node_term(preference, f"{place}.preference", label_values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _validate_pod_terms(affinity.get(kind) or {}, f"{path}.{kind}")


def _validate_weight(term: Json, path: str) -> Errors:
    weight = term.get("weight", 0)
    if not 0 < weight <= _LARGEST_WEIGHT:
        yield invalid(f"{path}.weight", weight, "must be in the range 1-100")


def validate_node_selector(selector: Json, path: str, *, label_values: bool = True) -> Errors:
    """Check a node selector; ``label_values``: its values must be possible label values."""
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        detail = "must have at least one node selector term"
        yield required(f"{path}.nodeSelectorTerms", detail)
        return
    for index, term in enumerate(terms):
        place = f"{path}.nodeSelectorTerms[{index}]"
        yield from _validate_node_term(term, place, label_values=label_values)


def _validate_node_term(term: Json, path: str, *, label_values: bool) -> Errors:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{index}]"
        yield from _validate_node_requirement(requirement, place, label_values=label_values)
    for index, requirement in enumerate(term.get("matchFields") or ()):
        yield from _validate_field_requirement(requirement, f"{path}.matchFields[{index}]")


def _validate_node_requirement(requirement: Json, path: str, *, label_values: bool) -> Errors:
    values = requirement.get("values") or ()
    yield from _validate_node_operator(requirement.get("operator", ""), len(values), path)
    yield from checked(label_key, f"{path}.key", requirement.get("key", ""))
    if label_values:
        for index, value in enumerate(values):
            yield from checked(label_value, f"{path}.values[{index}]", value)


def _validate_node_operator(operator: str, values: int, path: str) -> Errors:
    if operator in SET_OPERATORS:
        if not values:
            yield required(f"{path}.values", NEEDS_VALUES)
    elif operator in EXISTENCE_OPERATORS:
        if values:
            yield forbidden(f"{path}.values", NO_VALUES)
    elif operator in _COMPARISONS:
        if values != 1:
            detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", detail)
    else:
        yield invalid(f"{path}.operator", operator, NO_OPERATOR)


def _validate_field_requirement(requirement: Json, path: str) -> Errors:
    """Check a requirement on a node's field, of which there is one: its name."""
    operator, values = requirement.get("operator", ""), requirement.get("values") or ()
    if operator not in SET_OPERATORS:
        yield invalid(f"{path}.operator", operator, NO_OPERATOR)
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", detail)
    if requirement.get("key", "") != "metadata.name":
        key = requirement.get("key", "")
        yield invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from checked(dns_subdomain, f"{path}.values[{index}]", value)


def _validate_pod_terms(terms: Json, path: str) -> Errors:
    for index, term in enumerate(terms.get(_REQUIRED) or ()):
        yield from _validate_pod_term(term, f"{path}.{_REQUIRED}[{index}]")
    for index, weighted in enumerate(terms.get(_PREFERRED) or ()):
        place = f"{path}.{_PREFERRED}[{index}]"
        yield from _validate_weight(weighted, place)
        term = weighted.get("podAffinityTerm") or {}
        yield from _validate_pod_term(term, f"{place}.podAffinityTerm")


def _validate_pod_term(term: Json, path: str) -> Errors:
    yield from validate_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from validate_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        yield from checked(dns_label, f"{path}.namespace", name)
    yield from validate_label_keys(term, path)
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from checked(label_key, f"{path}.topologyKey", key)
