"""Topology spread constraints.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.validation.errors import (
    Errors,
    duplicate,
    invalid,
    not_supported,
    positive,
    required,
)
from gpusched.api.validation.selectors import validate_label_keys, validate_selector
from gpusched.api.wire import Json

_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES: Final = ("Honor", "Ignore")


def validate_spread(constraints: list[Json], path: str) -> Errors:
    """Check a pod's topology spread constraints."""
    for index, constraint in enumerate(constraints):
        place, action = f"{path}[{index}]", constraint.get("whenUnsatisfiable", "")
        yield from _validate_constraint(constraint, action, place)
        if _identity(constraint) in map(_identity, constraints[index + 1 :]):
            shown = f"{{{constraint.get('topologyKey', '')}, {action}}}"
            yield duplicate(f"{place}.{{topologyKey, whenUnsatisfiable}}", shown)
        yield from validate_label_keys(constraint, place)
        yield from validate_selector(constraint.get("labelSelector"), f"{place}.labelSelector")


def _identity(constraint: Json) -> tuple[str, str]:
    return constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")


def _validate_constraint(constraint: Json, action: str, path: str) -> Errors:
    yield from positive(f"{path}.maxSkew", constraint.get("maxSkew", 0))
    if not constraint.get("topologyKey"):
        yield required(f"{path}.topologyKey", "can not be empty")
    if action not in _ACTIONS:
        yield not_supported(f"{path}.whenUnsatisfiable", action, _ACTIONS)
    least = constraint.get("minDomains")
    if least is not None:
        yield from positive(f"{path}.minDomains", least)
        if action != "DoNotSchedule":
            detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not"
            yield invalid(f"{path}.minDomains", least, f"{detail} {action}")
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if name in constraint and constraint[name] not in _POLICIES:
            yield not_supported(f"{path}.{name}", constraint[name], _POLICIES)
