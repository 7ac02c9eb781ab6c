"""What may still change in a pod.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go (ValidatePodUpdate), v1.36.1
"""

import difflib
from typing import Final

from gpusched.api.names import out_of_range
from gpusched.api.validation.errors import (
    Errors,
    FieldError,
    forbidden,
    go_json,
    invalid,
    required,
)
from gpusched.api.validation.pod import validate_pod_rules
from gpusched.api.validation.templates import without_nothing
from gpusched.api.validation.tolerations import validate_tolerations
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal, internal_pod_spec

_MAY_CHANGE: Final = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_LARGEST_DEADLINE: Final = 2**31 - 1
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def validate_pod_update(new: Json, old: Json) -> Errors:
    """Check an update of a pod but for its metadata's identity."""
    spec, before = new["spec"], old["spec"]
    yield from validate_pod_rules(new)
    for kind in ("containers", "initContainers"):
        errors, same_number = _check_containers(spec, before, kind)
        yield from errors
        if not same_number:
            return
    errors = list(_check_deadline(spec, before))
    yield from errors
    if errors and "activeDeadlineSeconds" in spec:
        return
    yield from _check_tolerations(spec, before)
    yield from _check_gates(spec, before)
    if spec != before:
        yield from _check_rest(spec, before)


def _check_containers(spec: Json, before: Json, kind: str) -> tuple[list[FieldError], bool]:
    containers, path = spec.get(kind) or [], f"spec.{kind}"
    if len(containers) != len(before.get(kind) or []):
        return [forbidden(path, "pod updates may not add or remove containers")], False
    errors = []
    for index, container in enumerate(containers):
        image = container.get("image", "")
        if not image:
            errors.append(required(f"{path}[{index}].image"))
        if image != image.strip():
            detail = "must not have leading or trailing whitespace"
            errors.append(invalid(f"{path}[{index}].image", image, detail))
    return errors, True


def _check_deadline(spec: Json, before: Json) -> Errors:
    path = "spec.activeDeadlineSeconds"
    deadline, previous = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if deadline is None:
        if previous is not None:
            detail = "must not update from a positive integer to nil value"
            yield invalid(path, None, detail)
    elif not 0 <= deadline <= _LARGEST_DEADLINE:
        yield invalid(path, deadline, out_of_range(0, _LARGEST_DEADLINE))
    elif previous is not None and previous < deadline:
        yield invalid(path, deadline, "must be less than or equal to previous value")


def _check_tolerations(spec: Json, before: Json) -> Errors:
    """Tolerations may be added; of those there only the seconds may change."""
    tolerations = spec.get("tolerations") or []
    known = [_without_seconds(toleration) for toleration in tolerations]
    for toleration in before.get("tolerations") or ():
        if _without_seconds(toleration) not in known:
            detail = "existing toleration can not be modified except its tolerationSeconds"
            yield forbidden("spec.tolerations", detail)
            return
    yield from validate_tolerations(tolerations, "spec.tolerations")


def _without_seconds(toleration: Json) -> Json:
    return {name: item for name, item in toleration.items() if name != "tolerationSeconds" and item}


def _check_gates(spec: Json, before: Json) -> Errors:
    known = {gate.get("name", "") for gate in before.get("schedulingGates") or ()}
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name", "") not in known:
            detail = (
                f"only deletion is allowed, but found new scheduling gate '{gate.get('name', '')}'"
            )
            yield forbidden(f"spec.schedulingGates[{index}].name", detail)


def _check_rest(spec: Json, before: Json) -> Errors:
    """Check that nothing else changes, and print what does."""
    left = dict(spec)
    for kind in ("containers", "initContainers"):
        if kind in left:
            left[kind] = [
                {**container, "image": previous.get("image", "")}
                for container, previous in zip(
                    left[kind] or (), before.get(kind) or (), strict=True
                )
            ]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _take(left, before, name)
    if before.get("schedulingGates"):
        yield from _check_gated(left, before)
    if without_nothing(left) != without_nothing(before):
        texts = [go_json(internal_pod_spec(one), indent=1) for one in (before, left)]
        detail = f"pod updates may not change fields other than {_MAY_CHANGE}"
        yield forbidden("spec", f"{detail}\n{_difference(*texts)}")


def _take(left: Json, before: Json, name: str) -> None:
    if name in before:
        left[name] = before[name]
    else:
        left.pop(name, None)


def _check_gated(left: Json, before: Json) -> Errors:
    """A gated pod may narrow down where it can go."""
    selector, previous = left.get("nodeSelector"), before.get("nodeSelector") or {}
    if any((selector or {}).get(key) != value for key, value in previous.items()):
        detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        shown = dict(sorted(selector.items())) if selector is not None else None
        yield invalid("spec.nodeSelector", shown, detail)
    _take(left, before, "nodeSelector")
    affinity, node = left.get("affinity") or {}, (before.get("affinity") or {}).get("nodeAffinity")
    if affinity.get("nodeAffinity") == node:
        return
    yield from _check_node_affinity(affinity.get("nodeAffinity") or {}, node or {})
    merged = {name: item for name, item in affinity.items() if name != "nodeAffinity"}
    if node is not None:
        merged["nodeAffinity"] = node
    if merged or "affinity" in before:
        left["affinity"] = merged
    else:
        left.pop("affinity", None)


def _check_node_affinity(new: Json, old: Json) -> Errors:
    path = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"
    previous = (old.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    terms = (new.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    if previous and len(previous) != len(terms or []):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield invalid(path, internal("[]core.NodeSelectorTerm", terms), detail)
        return
    for index, (term, before) in enumerate(zip(terms or [], previous, strict=False)):
        if not _only_adds(term, before):
            detail = "only additions are allowed (no mutations or deletions)"
            yield invalid(f"{path}[{index}]", internal("core.NodeSelectorTerm", term), detail)


def _only_adds(term: Json, before: Json) -> bool:
    lists = [(term.get(n) or [], before.get(n) or []) for n in ("matchExpressions", "matchFields")]
    if not any(old for _, old in lists):
        # A term without requirements matches nothing; with some it could match.
        return not any(new for new, _ in lists)
    return all(new[: len(old)] == old for new, old in lists)


def _difference(before: str, after: str) -> str:
    """Return a unified diff without file names, as upstream's library prints it."""
    old, new = ([f"{line}\n" for line in text.split("\n")] for text in (before, after))
    return "".join(list(difflib.unified_diff(old, new))[2:])
