"""What the scheduler itself finds wrong with node selectors; the API server's texts differ.

Source: kubernetes/component-helpers scheduling/corev1/nodeaffinity/nodeaffinity.go and
kubernetes/apimachinery pkg/labels/selector.go (NewRequirement), v0.36.1
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpusched.api.names import label_key, label_value
from gpusched.api.validation.errors import FieldError, invalid, not_supported

_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_FIELD_OPERATORS: Final = ("In", "NotIn")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def selector_errors(path: str, selector: Mapping[str, Any]) -> list[FieldError]:
    """Return the errors of a NodeSelector; empty terms match nothing and are not looked at."""
    terms = selector.get("nodeSelectorTerms") or []
    return [
        error
        for index, term in enumerate(terms)
        for error in _term_errors(f"{path}.nodeSelectorTerms[{index}]", term)
    ]


def preferred_term_errors(path: str, terms: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Return the errors of PreferredSchedulingTerms; terms of weight 0 are not looked at."""
    return [
        error
        for index, term in enumerate(terms)
        if term.get("weight", 0) != 0
        for error in _term_errors(f"{path}[{index}]", term.get("preference") or {})
    ]


def _term_errors(path: str, term: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    for index, requirement in enumerate(term.get("matchExpressions") or []):
        errors += _label_errors(f"{path}.matchExpressions[{index}]", requirement)
    for index, requirement in enumerate(term.get("matchFields") or []):
        errors += _field_errors(f"{path}.matchFields[{index}]", requirement)
    return errors


def _label_errors(path: str, requirement: Mapping[str, Any]) -> list[FieldError]:
    key, operator = requirement.get("key", ""), requirement.get("operator", "")
    values = requirement.get("values")
    if operator not in _OPERATORS:
        return [not_supported(f"{path}.operator", operator, _OPERATORS)]
    faults = label_key(key)
    errors = [invalid(f"{path}.key", key, "; ".join(faults))] if faults else []
    errors += _count_errors(f"{path}.values", operator, values)
    for index, value in enumerate(values or []):
        value_faults = label_value(value)
        if value_faults:
            place = f"{path}.values[{index}][{key}]"
            errors.append(invalid(place, value, "; ".join(value_faults)))
    return errors


def _count_errors(path: str, operator: str, values: list[str] | None) -> list[FieldError]:
    """Return what is wrong with the number of values, and with values that have to be numbers."""
    given = values or []
    if operator in _FIELD_OPERATORS:
        empty = "for 'in', 'notin' operators, values set can't be empty"
        return [] if given else [invalid(path, values, empty)]
    if operator in ("Exists", "DoesNotExist"):
        surplus = "values set must be empty for exists and does not exist"
        return [invalid(path, values, surplus)] if given else []
    one = "for 'Gt', 'Lt' operators, exactly one value is required"
    number = "for 'Gt', 'Lt' operators, the value must be an integer"
    errors = [] if len(given) == 1 else [invalid(path, values, one)]
    return errors + [
        invalid(f"{path}[{index}]", value, number)
        for index, value in enumerate(given)
        if not _is_int64(value)
    ]


def _is_int64(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text)) and -(1 << 63) <= int(text) < 1 << 63


def _field_errors(path: str, requirement: Mapping[str, Any]) -> list[FieldError]:
    operator, values = requirement.get("operator", ""), requirement.get("values")
    if operator not in _FIELD_OPERATORS:
        return [not_supported(f"{path}.operator", operator, _FIELD_OPERATORS)]
    if len(values or []) != 1:
        return [invalid(f"{path}.values", values, "must have one element")]
    return []
