"""Label selectors.

Source: kubernetes/apimachinery pkg/apis/meta/v1/validation/validation.go, v0.36.1
"""

from typing import Final

from gpusched.api.names import label_key, label_value
from gpusched.api.validation.errors import Errors, checked, forbidden, invalid, required
from gpusched.api.validation.meta import validate_labels
from gpusched.api.wire import Json

SET_OPERATORS: Final = frozenset({"In", "NotIn"})
EXISTENCE_OPERATORS: Final = frozenset({"Exists", "DoesNotExist"})
NEEDS_VALUES: Final = "must be specified when `operator` is 'In' or 'NotIn'"
NO_VALUES: Final = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
NO_OPERATOR: Final = "not a valid selector operator"


def validate_selector(selector: Json | None, path: str) -> Errors:
    """Check a label selector."""
    if not selector:
        return
    yield from validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, requirement in enumerate(selector.get("matchExpressions") or ()):
        yield from _validate_requirement(requirement, f"{path}.matchExpressions[{index}]")


def _validate_requirement(requirement: Json, path: str) -> Errors:
    operator, values = requirement.get("operator", ""), requirement.get("values") or ()
    if operator in SET_OPERATORS:
        if not values:
            yield required(f"{path}.values", NEEDS_VALUES)
    elif operator in EXISTENCE_OPERATORS:
        if values:
            yield forbidden(f"{path}.values", NO_VALUES)
    else:
        yield invalid(f"{path}.operator", operator, NO_OPERATOR)
    yield from checked(label_key, f"{path}.key", requirement.get("key", ""))
    for index, value in enumerate(values):
        yield from checked(label_value, f"{path}.values[{index}]", value)


def validate_label_keys(holder: Json, path: str) -> Errors:
    """Check matchLabelKeys and mismatchLabelKeys, against each other and the selector too."""
    selector = holder.get("labelSelector")
    for name in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = holder.get(name)
        if not keys:
            continue
        if selector is None:
            detail = "must not be specified when labelSelector is not set"
            yield forbidden(f"{path}.{name}", detail)
            continue
        for index, key in enumerate(keys):
            yield from checked(label_key, f"{path}.{name}[{index}]", key)
    yield from _validate_merged(holder.get("matchLabelKeys") or [], selector or {}, path)
    mismatched = holder.get("mismatchLabelKeys") or ()
    for index, key in enumerate(holder.get("matchLabelKeys") or ()):
        if key in mismatched:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{path}.matchLabelKeys[{index}]", key, detail)


def _validate_merged(keys: list[str], selector: Json, path: str) -> Errors:
    """Find keys that the selector had before the pod's own value was merged into it."""
    places = {key: index for index, key in enumerate(keys)}
    seen = set(selector.get("matchLabels") or ())
    for requirement in selector.get("matchExpressions") or ():
        key = requirement.get("key", "")
        if key in places and key in seen:
            detail = "exists in both matchLabelKeys and labelSelector"
            yield invalid(f"{path}[{places[key]}]", key, detail)
        seen.add(key)
