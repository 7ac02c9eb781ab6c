"""What an object counts for in ResourceQuotas, and which quotas look at it.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core, v1.36.1
"""

from collections.abc import Callable, Iterable
from typing import Final

from gpusched.api.admission.denied import resource_of
from gpusched.api.defaulting.qos import qos_class
from gpusched.api.defaulting.resources import Totals, aggregate, is_huge_page, is_pod_level
from gpusched.api.quantity import Quantity
from gpusched.api.validation.resources import COUNTED, is_extended, is_native
from gpusched.api.wire import Json

_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_POD_RESOURCES: Final = (
    frozenset({"count/pods", "pods", *_COMPUTE})
    | {f"requests.{name}" for name in _COMPUTE}
    | {f"limits.{name}" for name in _COMPUTE}
)
_REQUIRED: Final = frozenset(
    {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
)
_ONE: Final = Quantity.from_int(1)
_CLAIM_RESOURCES: Final = ("persistentvolumeclaims", "requests.storage")
_OF_CLASS: Final = ".storageclass.storage.k8s.io/"


def usage(obj: Json) -> Totals:
    """Return how much of each quota resource an object uses."""
    resource = resource_of(obj)
    counted: Totals = {f"count/{resource}": _ONE}
    if obj["kind"] == "Pod":
        return _pod_usage(obj, counted)
    if resource in COUNTED:
        counted[resource] = _ONE
    more = {"PersistentVolumeClaim": _claim_usage, "Service": _service_usage}.get(obj["kind"])
    return counted | more(obj["spec"]) if more is not None else counted


def _claim_usage(spec: Json) -> Totals:
    """Count a claim's storage, and the claim and its storage for its class."""
    requests = (spec.get("resources") or {}).get("requests") or {}
    used = {"persistentvolumeclaims": _ONE}
    if "storage" in requests:
        used["requests.storage"] = Quantity.parse(requests["storage"])
    name = spec.get("storageClassName")
    of_class = {f"{name}{_OF_CLASS}{what}": amount for what, amount in used.items()}
    return used | of_class if name else used


def _service_usage(spec: Json) -> Totals:
    """Count a service's node ports, which a load balancer's may do without."""
    kind, ports = spec.get("type"), spec.get("ports") or ()
    balancer = kind == "LoadBalancer"
    if balancer and spec.get("allocateLoadBalancerNodePorts") is False:
        ports = [port for port in ports if port.get("nodePort")]
    return {
        "services.loadbalancers": Quantity.from_int(int(balancer)),
        "services.nodeports": Quantity.from_int(
            len(ports) if balancer or kind == "NodePort" else 0
        ),
    }


def _pod_usage(pod: Json, counted: Totals) -> Totals:
    if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return counted
    spec = pod["spec"]
    own = spec.get("resources") or {}
    totals = {}
    for which in ("requests", "limits"):
        listed = own.get(which) or {}
        whole = {name: Quantity.parse(listed[name]) for name in listed if is_pod_level(name)}
        totals[which] = aggregate(spec, which) | whole
        for name, text in (spec.get("overhead") or {}).items():
            if which == "requests" or name in totals[which]:
                quantity = Quantity.parse(text)
                found = totals[which].get(name)
                totals[which][name] = quantity if found is None else found + quantity
    return counted | _computed(totals["requests"], totals["limits"])


def _computed(requests: Totals, limits: Totals) -> Totals:
    result: Totals = {"pods": _ONE}
    for name, quantity in requests.items():
        if name in _COMPUTE or is_huge_page(name):
            result[name] = quantity
        if name in _COMPUTE or is_huge_page(name) or is_extended(name):
            result[f"requests.{name}"] = quantity
    result |= {f"limits.{name}": limits[name] for name in _COMPUTE if name in limits}
    return result


def is_measured(obj: Json, resource: str) -> bool:
    """Return whether a quota's limit on a resource concerns objects of this kind."""
    if obj["kind"] == "PersistentVolumeClaim":
        name = resource.rpartition(_OF_CLASS)[2] if _OF_CLASS in resource else resource
        return name in _CLAIM_RESOURCES or resource == "count/persistentvolumeclaims"
    if obj["kind"] != "Pod":
        return resource in usage(obj)
    return (
        resource in _POD_RESOURCES
        or resource.startswith(("hugepages-", "requests.hugepages-"))
        or (resource.startswith("requests.") and not is_native(resource))
    )


def missing(pod: Json, resources: Iterable[str]) -> str:
    """Return what a pod must state for a quota to be able to count it, or an empty text."""
    spec = pod["spec"]
    if (spec.get("resources") or {}).keys() & {"requests", "limits"}:
        return ""
    lacking: dict[str, set[str]] = {}
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        own = container.get("resources") or {}
        listed = [
            {name: Quantity.parse(text) for name, text in (own.get(which) or {}).items()}
            for which in ("requests", "limits")
        ]
        for name in (_REQUIRED & set(resources)) - _computed(*listed).keys():
            lacking.setdefault(name, set()).add(container.get("name", ""))
    texts = [f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking)]
    return f"must specify {'; '.join(texts)}" if texts else ""


def is_in_scope(quota: Json, obj: Json) -> bool:
    """Return whether an object lies in all the scopes of a quota."""
    spec = quota.get("spec") or {}
    requirements = [
        *({"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()),
        *((spec.get("scopeSelector") or {}).get("matchExpressions") or ()),
    ]
    if obj["kind"] != "Pod":
        return not requirements
    return all(_matches_scope(requirement, obj["spec"]) for requirement in requirements)


def _matches_scope(requirement: Json, spec: Json) -> bool:
    scope = requirement.get("scopeName", "")
    if scope == "PriorityClass":
        return _matches_class(requirement, spec.get("priorityClassName", ""))
    rule = _SCOPES.get(scope)
    return rule is not None and rule(spec)


def _matches_class(requirement: Json, name: str) -> bool:
    operator: str = requirement.get("operator", "")
    values: list[str] = requirement.get("values") or []
    if operator in {"Exists", "DoesNotExist"}:
        return bool(name) == (operator == "Exists")
    is_listed = bool(name) and name in values
    return is_listed is (operator == "In")


def _is_terminating(spec: Json) -> bool:
    return bool(spec.get("activeDeadlineSeconds", -1) >= 0)


def _is_best_effort(spec: Json) -> bool:
    return qos_class(spec) == "BestEffort"


def _crosses_namespaces(spec: Json) -> bool:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        weighted = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        listed = [
            *(terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()),
            *(one.get("podAffinityTerm") or {} for one in weighted),
        ]
        if any(term.get("namespaces") or "namespaceSelector" in term for term in listed):
            return True
    return False


_SCOPES: Final[dict[str, Callable[[Json], bool]]] = {
    "Terminating": _is_terminating,
    "NotTerminating": lambda spec: not _is_terminating(spec),
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda spec: not _is_best_effort(spec),
    "CrossNamespacePodAffinity": _crosses_namespaces,
}
