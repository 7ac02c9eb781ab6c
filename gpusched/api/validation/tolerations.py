"""Tolerations of pods and taints of nodes.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import label_key, label_value
from gpusched.api.validation.errors import (
    Errors,
    FieldError,
    checked,
    invalid,
    not_supported,
    one_of,
    show,
)
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS: Final = ("Equal", "Exists")
_COMPARISONS: Final = ("Lt", "Gt")


def validate_tolerations(tolerations: list[Json], path: str) -> Errors:
    """Check a pod's tolerations."""
    for index, toleration in enumerate(tolerations):
        yield from _validate_toleration(toleration, f"{path}[{index}]")


def _validate_toleration(toleration: Json, path: str) -> Errors:
    key, effect = toleration.get("key", ""), toleration.get("effect", "")
    operator = toleration.get("operator", "")
    if key:
        yield from checked(label_key, f"{path}.key", key)
    elif operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and'
        yield invalid(f"{path}.operator", operator, f'{detail} all keys"')
    if "tolerationSeconds" in toleration and effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", effect, detail)
    yield from _validate_operator(operator, toleration.get("value", ""), f"{path}.operator")
    if effect:
        yield from one_of(f"{path}.effect", effect, EFFECTS)


def _validate_operator(operator: str, value: str, path: str) -> Errors:
    """Check operator and value together; upstream reports both at the operator."""
    if operator in {"Equal", ""}:
        problems = label_value(value)
        if problems:
            yield invalid(path, value, ";".join(problems))
    elif operator == "Exists":
        if value:
            yield invalid(path, value, "value must be empty when `operator` is 'Exists'")
    else:
        # The comparisons are known but, with their feature gate off, not accepted.
        shown = _OPERATORS + (_COMPARISONS if operator in _COMPARISONS else ())
        yield not_supported(path, operator, shown)


def validate_taints(taints: list[Json], path: str) -> Errors:
    """Check a node's taints."""
    seen = set()
    for index, taint in enumerate(taints):
        place, effect = f"{path}[{index}]", taint.get("effect", "")
        key, value = taint.get("key", ""), taint.get("value", "")
        yield from checked(label_key, f"{place}.key", key)
        problems = label_value(value)
        if problems:
            yield invalid(f"{place}.value", value, ";".join(problems))
        yield from one_of(f"{place}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            yield _repeated(taint, place)
        seen.add((key, effect))


def _repeated(taint: Json, path: str) -> FieldError:
    """Return the error for a second taint; the value is upstream's internal struct."""
    shown = show(internal("core.Taint", taint))
    message = f"Duplicate value: {shown}: taints must be unique by key and effect pair"
    return FieldError(path, "FieldValueDuplicate", message)
