"""PodDisruptionBudgets and PriorityClasses.

Source: kubernetes/kubernetes pkg/apis/{policy,scheduling}/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_subdomain
from gpusched.api.validation.counts import validate_count, validate_not_over_whole
from gpusched.api.validation.errors import Errors, forbidden, invalid, not_supported, one_of
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.selectors import validate_selector
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

SYSTEM_PRIORITIES: Final = {
    "system-node-critical": 2000001000,
    "system-cluster-critical": 2000000000,
}
HIGHEST_USER_PRIORITY: Final = 1000000000
_PREEMPTION: Final = ("PreemptLowerPriority", "Never")
_EVICTION: Final = ("AlwaysAllow", "IfHealthyBudget")


def validate_pod_disruption_budget(obj: Json) -> Errors:
    """Check a PodDisruptionBudget; its metadata is left to the check that all kinds share."""
    spec = obj.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        shown = internal("policy.PodDisruptionBudgetSpec", spec)
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from validate_count(spec[name], f"spec.{name}")
            yield from validate_not_over_whole(spec[name], f"spec.{name}")
    yield from validate_selector(spec.get("selector"), "spec.selector")
    eviction = spec.get("unhealthyPodEvictionPolicy")
    if eviction is not None and eviction not in _EVICTION:
        yield not_supported("spec.unhealthyPodEvictionPolicy", eviction, _EVICTION)


def validate_priority_class(obj: Json) -> Errors:
    """Check a PriorityClass: the system's names and the values above users' are taken."""
    metadata, value = obj["metadata"], obj.get("value", 0)
    yield from validate_metadata(metadata, dns_subdomain, namespaced=False)
    name = metadata.get("name", "")
    if name.startswith("system-"):
        problem = _system_problem(name, value, is_default=obj.get("globalDefault", False))
        if problem:
            yield forbidden(
                "metadata.name",
                "priority class names with 'system-' prefix are reserved for system use only."
                f" error: {problem}",
            )
    elif value > HIGHEST_USER_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
        yield forbidden("value", detail)
    yield from one_of("preemptionPolicy", obj["preemptionPolicy"], _PREEMPTION)


def _system_problem(name: str, value: int, *, is_default: bool) -> str:
    if name not in SYSTEM_PRIORITIES:
        return f"{name} is not a known system priority class"
    if value != SYSTEM_PRIORITIES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_PRIORITIES[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else ""
