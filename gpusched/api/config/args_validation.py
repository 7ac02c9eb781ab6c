"""Validation of plugin arguments, on defaulted wire fields.

Source: kubernetes/kubernetes pkg/scheduler/apis/config/validation/validation_pluginargs.go, v1.36.1
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from gpusched.api.config.duration import SECOND, format_duration
from gpusched.api.config.field_errors import child
from gpusched.api.config.node_selectors import preferred_term_errors, selector_errors
from gpusched.api.names import label_key
from gpusched.api.validation.errors import (
    FieldError,
    checked,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)

Fields = Mapping[str, Any]

_PERCENT: Final = 100
_LARGEST_WEIGHT: Final = 100
_LARGEST_SHAPE_SCORE: Final = 10
_RATIO: Final = "RequestedToCapacityRatio"
_STRATEGIES: Final = ("LeastAllocated", "MostAllocated", _RATIO)
_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")


def fit_args_errors(args: Fields) -> list[FieldError]:
    """Return the errors of NodeResourcesFitArgs.

    Upstream looks for them only when the plugin is built, so the paths begin at the arguments.
    """
    errors: list[FieldError] = []
    for index, name in enumerate(args.get("ignoredResources") or []):
        errors += checked(label_key, f"ignoredResources[{index}]", name)
    for index, group in enumerate(args.get("ignoredResourceGroups") or []):
        path = f"ignoredResourceGroups[{index}]"
        if "/" in group:
            errors.append(invalid(path, group, "resource group name can't contain '/'"))
        errors += checked(label_key, path, group)
    return errors + _strategy_errors("scoringStrategy", args["scoringStrategy"])


def _strategy_errors(path: str, strategy: Fields) -> list[FieldError]:
    kind: str = strategy["type"]
    ratio: Any = strategy.get("requestedToCapacityRatio")
    ratio_path = child(path, "requestedToCapacityRatio")
    errors = []
    if kind not in _STRATEGIES:
        errors.append(not_supported(child(path, "type"), kind, _STRATEGIES))
    for index, spec in enumerate(strategy["resources"]):
        if not 0 < spec["weight"] <= _LARGEST_WEIGHT:
            detail = f"resource weight of {spec['name']} not in valid range (0, 100]"
            errors.append(invalid(f"{path}.resources[{index}].weight", spec["weight"], detail))
    if kind == _RATIO and ratio is None:
        errors.append(required(ratio_path, f"must be specified when type is {_RATIO}"))
    elif kind == _RATIO:
        errors += _shape_errors(child(ratio_path, "shape"), ratio.get("shape") or [])
    elif ratio is not None:
        errors.append(forbidden(ratio_path, f"must be nil when type is not {_RATIO}"))
    return errors


def _shape_errors(path: str, shape: Sequence[Fields]) -> list[FieldError]:
    if not shape:
        return [required(path, "at least one point must be specified")]
    utilizations = [point.get("utilization", 0) for point in shape]
    errors = []
    for index, (before, after) in enumerate(pairwise(utilizations), 1):
        if before >= after:
            detail = "values must be sorted in increasing order"
            errors.append(invalid(f"{path}[{index}].utilization", after, detail))
            break
    for index, point in enumerate(shape):
        for name, largest in (("utilization", _PERCENT), ("score", _LARGEST_SHAPE_SCORE)):
            errors += _range_error(f"{path}[{index}].{name}", point.get(name, 0), largest)
    return errors


def _range_error(path: str, value: int, largest: int) -> list[FieldError]:
    if 0 <= value <= largest:
        return []
    return [invalid(path, value, f"not in valid range [0, {largest}]")]


def _balanced_allocation(path: str, args: Fields) -> list[FieldError]:
    errors, seen = [], set()
    for index, spec in enumerate(args["resources"]):
        place = f"{path}.resources[{index}]"
        if spec["name"] in seen:
            errors.append(duplicate(f"{place}.name", spec["name"]))
        seen.add(spec["name"])
        if spec["weight"] != 1:
            errors.append(invalid(f"{place}.weight", spec["weight"], "must be 1"))
    return errors


def _default_preemption(path: str, args: Fields) -> list[FieldError]:
    percentage, absolute = "minCandidateNodesPercentage", "minCandidateNodesAbsolute"
    errors = _range_error(child(path, percentage), args[percentage], _PERCENT)
    if args[absolute] < 0:
        detail = "not in valid range [0, inf)"
        errors.append(invalid(child(path, absolute), args[absolute], detail))
    if args[percentage] == args[absolute] == 0:
        for name, other in ((percentage, absolute), (absolute, percentage)):
            detail = f"cannot be zero at the same time as {other}"
            errors.append(invalid(child(path, name), 0, detail))
    return errors


def _inter_pod_affinity(path: str, args: Fields) -> list[FieldError]:
    name = "hardPodAffinityWeight"
    return _range_error(child(path, name), args[name], _LARGEST_WEIGHT)


def _node_affinity(path: str, args: Fields) -> list[FieldError]:
    required_terms = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred_terms = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity = args.get("addedAffinity") or {}
    place = child(path, "addedAffinity")
    errors = selector_errors(f"{place}.{required_terms}", affinity.get(required_terms) or {})
    preferred = affinity.get(preferred_terms) or []
    return errors + preferred_term_errors(f"{place}.{preferred_terms}", preferred)


def _topology_spread(path: str, args: Fields) -> list[FieldError]:
    kind, constraints = args["defaultingType"], args["defaultConstraints"]
    place = child(path, "defaultingType")
    errors = []
    if kind not in ("System", "List"):
        errors.append(not_supported(place, kind, ("System", "List")))
    elif kind == "System" and constraints:
        errors.append(invalid(place, kind, "when .defaultConstraints are not empty"))
    seen = set()
    for index, constraint in enumerate(constraints):
        place = f"{path}.defaultConstraints[{index}]"
        errors += _constraint_errors(place, constraint)
        key = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if key in seen:
            errors.append(duplicate(place, f"{{{key[0]}, {key[1]}}}"))
        seen.add(key)
    return errors


def _constraint_errors(path: str, constraint: Fields) -> list[FieldError]:
    skew, key = constraint.get("maxSkew", 0), constraint.get("topologyKey", "")
    action = constraint.get("whenUnsatisfiable", "")
    errors = [invalid(f"{path}.maxSkew", skew, "not in valid range (0, inf)")] if skew <= 0 else []
    if key:
        errors += checked(label_key, f"{path}.topologyKey", key)
    else:
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    if not action:
        errors.append(required(f"{path}.whenUnsatisfiable", "can not be empty"))
    elif action not in _ACTIONS:
        errors.append(not_supported(f"{path}.whenUnsatisfiable", action, _ACTIONS))
    if "labelSelector" in constraint:
        detail = "constraint must not define a selector, as they deduced for each pod"
        errors.append(forbidden(f"{path}.labelSelector", detail))
    return errors


def _volume_binding(path: str, args: Fields) -> list[FieldError]:
    name, errors = "bindTimeoutSeconds", []
    if args[name] < 0:
        detail = "invalid BindTimeoutSeconds, should not be a negative value"
        errors.append(invalid(child(path, name), args[name], detail))
    if "shape" in args:
        detail = (
            "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring"
        )
        shape = [
            {"Utilization": point.get("utilization", 0), "Score": point.get("score", 0)}
            for point in args["shape"]
        ]
        errors.append(invalid(child(path, "shape"), shape, detail))
    return errors


def _dynamic_resources(path: str, args: Fields) -> list[FieldError]:
    errors = []
    for name, least, detail in (
        ("filterTimeout", 0, "must be zero or positive"),
        ("bindingTimeout", SECOND, "must be at least 1 second"),
    ):
        if args[name] < least:
            errors.append(invalid(child(path, name), format_duration(args[name]), detail))
    return errors


ARGS_VALIDATORS: Final[Mapping[str, Callable[[str, Fields], list[FieldError]]]] = {
    "DefaultPreemption": _default_preemption,
    "DynamicResources": _dynamic_resources,
    "InterPodAffinity": _inter_pod_affinity,
    "NodeAffinity": _node_affinity,
    "NodeResourcesBalancedAllocation": _balanced_allocation,
    "PodTopologySpread": _topology_spread,
    "VolumeBinding": _volume_binding,
}
"""Plugin to the check of its arguments at a path; NodeResourcesFit is checked when it is built."""
