"""Pod templates, and the selectors that must match them.

Source: kubernetes/kubernetes pkg/apis/{core,apps}/validation/validation.go, v1.36.1
"""

from typing import Any, Final

from gpusched.api.validation.errors import (
    Errors,
    forbidden,
    invalid,
    not_supported,
    required,
)
from gpusched.api.validation.meta import validate_annotations, validate_labels
from gpusched.api.validation.pod import validate_pod_annotations, validate_pod_spec
from gpusched.api.validation.selectors import validate_selector
from gpusched.api.wire import Json, encode_ordered

MISMATCH: Final = "`selector` does not match template `labels`"


def validate_template(template: Json, path: str) -> Errors:
    """Check a pod template by itself."""
    metadata, spec = template.get("metadata") or {}, template["spec"]
    annotations = metadata.get("annotations") or {}
    yield from validate_labels(metadata.get("labels"), f"{path}.labels")
    yield from validate_annotations(annotations, f"{path}.annotations")
    yield from validate_pod_annotations(annotations, spec, f"{path}.annotations")
    yield from validate_pod_spec(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        detail = "ephemeral containers not allowed in pod template"
        yield forbidden(f"{path}.spec.ephemeralContainers", detail)


def validate_restarting(template: Json, path: str, owner: str) -> Errors:
    """Check that the pods of a template run for ever."""
    spec = template["spec"]
    if spec["restartPolicy"] != "Always":
        yield not_supported(f"{path}.spec.restartPolicy", spec["restartPolicy"], ("Always",))
    if "activeDeadlineSeconds" in spec:
        detail = f"activeDeadlineSeconds in {owner} is not Supported"
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", detail)


def validate_own_selector(selector: Json | None, path: str, owner: str) -> Errors:
    """Check that a workload selects something, and by valid requirements."""
    if selector is None:
        yield required(path)
        return
    yield from validate_selector(selector, path)
    if is_empty(selector):
        yield invalid(path, shown_selector(selector), f"empty selector is invalid for {owner}")


def shown_selector(selector: Json) -> Json:
    """Return a selector as messages show it."""
    shown: Json = encode_ordered("meta/v1.LabelSelector", selector)
    return shown


def validate_match(selector: Json | None, template: Json, path: str) -> Errors:
    """Check that a selector selects the pods of its own template."""
    labels = (template.get("metadata") or {}).get("labels")
    if not matches(selector, labels or {}):
        shown = dict(sorted(labels.items())) if labels is not None else None
        yield invalid(f"{path}.metadata.labels", shown, MISMATCH)


def is_empty(selector: Json) -> bool:
    """Return whether a selector has no requirement."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def is_usable(selector: Json | None) -> bool:
    """Return whether a selector can be asked at all."""
    return next(validate_selector(selector, ""), None) is None


def matches(selector: Json | None, labels: Json) -> bool:
    """Return whether a usable selector selects the labels; no selector selects nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(requirement, labels) for requirement in selector.get("matchExpressions") or ()
    )


def _holds(requirement: Json, labels: Json) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    operator = requirement["operator"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    return bool((labels.get(key) in values) == (operator == "In"))


def without_nothing(value: Any) -> Any:
    """Return a value without what Go's semantic equality does not tell from nothing."""
    if isinstance(value, dict):
        return {
            name: kept for name, item in value.items() if _counts(kept := without_nothing(item))
        }
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def _counts(value: Any) -> bool:
    return value not in ([], {}, None)
