"""The admission plugins that are on by default, in upstream's order.

Source: kubernetes/kubernetes pkg/kubeapiserver/options/plugins.go, v1.36.1
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpusched.api.admission.denied import Denied
from gpusched.api.admission.limits import apply_limit_ranges, check_limit_ranges
from gpusched.api.admission.namespace import check_namespace
from gpusched.api.admission.priority import check_priority_class, set_priority
from gpusched.api.admission.quota import Charged, charge
from gpusched.api.admission.storage import set_storage_class
from gpusched.api.admission.tolerations import add_default_tolerations, taint_new_node
from gpusched.api.wire import Json


@dataclass(frozen=True, slots=True)
class ClusterObjects:
    """What admission looks at beside the object itself.

    Attributes:
        namespaces: By name.
        priority_classes: By name.
        storage_classes: By name.
        limit_ranges: Those of the object's namespace.
        quotas: Those of the object's namespace.
    """

    namespaces: Mapping[str, Json] = field(default_factory=dict)
    priority_classes: Mapping[str, Json] = field(default_factory=dict)
    storage_classes: Mapping[str, Json] = field(default_factory=dict)
    limit_ranges: tuple[Json, ...] = ()
    quotas: tuple[Json, ...] = ()


def admit(obj: Json, cluster: ClusterObjects) -> Json | Denied:
    """Return a new object as the mutating plugins leave it, or a refusal; ``obj`` stays as it is.

    Args:
        obj: Decoded and defaulted, its name perhaps still to be generated.
        cluster: The objects around it.
    """
    denied = check_namespace(obj, cluster.namespaces)
    if denied is not None:
        return denied
    if obj["kind"] == "Node":
        return taint_new_node(obj)
    if obj["kind"] == "PersistentVolumeClaim":
        return set_storage_class(obj, cluster.storage_classes)
    if obj["kind"] != "Pod":
        return obj
    pod = set_priority(apply_limit_ranges(obj, cluster.limit_ranges), cluster.priority_classes)
    return pod if isinstance(pod, Denied) else add_default_tolerations(pod)


def check(obj: Json, cluster: ClusterObjects) -> Charged | Denied:
    """Return the quotas with a valid new object counted in, or a validating plugin's refusal."""
    denied = check_limit_ranges(obj, cluster.limit_ranges)
    if denied is None and obj["kind"] == "PriorityClass":
        denied = check_priority_class(obj, cluster.priority_classes)
    return charge(obj, cluster.quotas) if denied is None else denied
