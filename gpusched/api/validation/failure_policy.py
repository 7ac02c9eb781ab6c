"""Pod failure policies of Jobs.

Source: kubernetes/kubernetes pkg/apis/batch/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import label_key
from gpusched.api.validation.errors import (
    Errors,
    FieldError,
    checked,
    duplicate,
    invalid,
    not_supported,
    required,
    too_many,
)
from gpusched.api.wire import Json

_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_STATUSES: Final = ("False", "True", "Unknown")
_MOST_RULES: Final = 20
_MOST_CODES: Final = 255
_MOST_PATTERNS: Final = 20


def validate_failure_policy(spec: Json, path: str) -> Errors:
    """Check what a Job does about pods that failed."""
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > _MOST_RULES:
        yield too_many(f"{path}.rules", len(rules), _MOST_RULES)
    pod = spec["template"]["spec"]
    names = {
        container.get("name", "")
        for kind in ("containers", "initContainers")
        for container in pod.get(kind) or ()
    }
    for index, rule in enumerate(rules):
        place = f"{path}.rules[{index}]"
        yield from _validate_action(rule.get("action", ""), spec, f"{place}.action")
        yield from _validate_rule(rule, names, place)


def _validate_action(action: str, spec: Json, path: str) -> Errors:
    if action == "FailIndex":
        if "backoffLimitPerIndex" not in spec:
            yield invalid(path, action, "requires the backoffLimitPerIndex to be set")
    else:
        yield from _validate_choice(action, _ACTIONS, path)


def _validate_choice(value: str, supported: tuple[str, ...], path: str) -> Errors:
    if not value:
        listed = " ".join(f'"{name}"' for name in supported)
        yield required(path, f"valid values: [{listed}]")
    elif value not in supported:
        yield not_supported(path, value, supported)


def _validate_rule(rule: Json, names: set[str], path: str) -> Errors:
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _validate_codes(codes, names, f"{path}.onExitCodes")
    if len(patterns) > _MOST_PATTERNS:
        yield too_many(f"{path}.onPodConditions", len(patterns), _MOST_PATTERNS)
    for index, pattern in enumerate(patterns):
        place = f"{path}.onPodConditions[{index}]"
        yield from checked(label_key, f"{place}.type", pattern.get("type", ""))
        yield from _validate_choice(pattern.get("status", ""), _STATUSES, f"{place}.status")
    if (codes is None) == (not patterns):
        which, verb = ("both", "not supported") if patterns else ("one of", "required")
        text = f"Invalid value: specifying {which} OnExitCodes and OnPodConditions is {verb}"
        yield FieldError(path, "FieldValueInvalid", text)


def _validate_codes(requirement: Json, names: set[str], path: str) -> Errors:
    operator, values = requirement.get("operator", ""), requirement.get("values") or []
    yield from _validate_choice(operator, ("In", "NotIn"), f"{path}.operator")
    container = requirement.get("containerName")
    if container is not None and container not in names:
        detail = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", container, detail)
    if not values:
        shown = requirement.get("values")
        yield invalid(f"{path}.values", shown, "at least one value is required")
    elif len(values) > _MOST_CODES:
        yield too_many(f"{path}.values", len(values), _MOST_CODES)
    for index, code in enumerate(values):
        if operator == "In" and code == 0:
            detail = "must not be 0 for the In operator"
            yield invalid(f"{path}.values[{index}]", code, detail)
        if code in values[:index]:
            yield duplicate(f"{path}.values[{index}]", code)
    if values != sorted(values):
        yield invalid(f"{path}.values", values, "must be ordered")
