"""Defaults of the kinds around the pods: nodes, volumes, classes, claims, budgets, limits.

Source: kubernetes/kubernetes pkg/apis/{core,scheduling,storage,resource}/v1/defaults.go, v1.36.1
"""

from collections.abc import Iterator
from typing import Final

from gpusched.api.defaulting.resources import round_up
from gpusched.api.defaulting.values import fill
from gpusched.api.defaulting.volumes import (
    default_claim_spec,
    default_claim_status,
    default_source,
)
from gpusched.api.wire import Json

NAME_LABEL: Final = "kubernetes.io/metadata.name"


def default_node(obj: Json) -> None:
    """Fill in a Node's defaults, in place: what is not reserved can be allocated."""
    status = obj.setdefault("status", {})
    if "capacity" in status and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])
    round_up(status, "capacity", "allocatable")
    _share_cidr(obj.setdefault("spec", {}))


def _share_cidr(spec: Json) -> None:
    """Keep the first pod CIDR under its present and its former name."""
    single, several = spec.get("podCIDR"), spec.get("podCIDRs")
    if single and (not several or several[0] != single):
        spec["podCIDRs"] = [single]
    elif several:
        spec["podCIDR"] = several[0]


def default_namespace(obj: Json) -> None:
    """Fill in a Namespace's defaults, in place."""
    metadata = obj.setdefault("metadata", {})
    if metadata.get("name"):
        metadata.setdefault("labels", {})[NAME_LABEL] = metadata["name"]
    fill(obj.setdefault("status", {}), {"phase": "Active"})


def default_persistent_volume(obj: Json) -> None:
    """Fill in a PersistentVolume's defaults, in place."""
    spec = obj.setdefault("spec", {})
    fill(obj.setdefault("status", {}), {"phase": "Pending"})
    fill(spec, {"persistentVolumeReclaimPolicy": "Retain"})
    spec.setdefault("volumeMode", "Filesystem")
    round_up(spec, "capacity")
    default_source(spec)


def default_persistent_volume_claim(obj: Json) -> None:
    """Fill in a PersistentVolumeClaim's defaults, in place."""
    default_claim_spec(obj.setdefault("spec", {}))
    default_claim_status(obj.setdefault("status", {}))


def default_storage_class(obj: Json) -> None:
    """Fill in a StorageClass's defaults, in place."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def default_priority_class(obj: Json) -> None:
    """Fill in a PriorityClass's defaults, in place."""
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def default_config_map(obj: Json) -> None:
    """Fill in a ConfigMap's defaults, in place."""
    obj.setdefault("data", {})


def default_resource_quota(obj: Json) -> None:
    """Fill in a ResourceQuota's defaults, in place."""
    round_up(obj.get("spec", {}), "hard")
    round_up(obj.get("status", {}), "hard", "used")


def default_limit_range(obj: Json) -> None:
    """Fill in a LimitRange's defaults, in place: a container's default follows its bounds."""
    for item in obj.get("spec", {}).get("limits") or ():
        if item.get("type") == "Container":
            _default_container_limits(item)
        round_up(item, "max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def _default_container_limits(item: Json) -> None:
    default = item.setdefault("default", {})
    request = item.setdefault("defaultRequest", {})
    for target, source in ((default, "max"), (request, "default"), (request, "min")):
        for name, text in (item.get(source) or {}).items():
            target.setdefault(name, text)


def default_service(obj: Json) -> None:
    """Fill in a Service's defaults, in place."""
    spec = obj.setdefault("spec", {})
    fill(spec, {"sessionAffinity": "None", "type": "ClusterIP"})
    _default_session_affinity(spec)
    for port in spec.get("ports") or ():
        fill(port, {"protocol": "TCP", "targetPort": port.get("port", 0)})
    kind = spec["type"]
    is_external = kind in {"LoadBalancer", "NodePort"} or (
        kind == "ClusterIP" and spec.get("externalIPs")
    )
    if is_external:
        fill(spec, {"externalTrafficPolicy": "Cluster"})
    if kind in {"LoadBalancer", "NodePort", "ClusterIP"}:
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _default_session_affinity(spec: Json) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = spec.get("sessionAffinityConfig", {}).get("clientIP", {})
        if "timeoutSeconds" not in client:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}


def default_resource_claim(obj: Json) -> None:
    """Fill in a ResourceClaim's defaults, in place."""
    default_claim_requests(obj.setdefault("spec", {}))


def default_resource_claim_template(obj: Json) -> None:
    """Fill in a ResourceClaimTemplate's defaults, in place."""
    default_claim_requests(obj.setdefault("spec", {}).setdefault("spec", {}))


def default_claim_requests(spec: Json) -> None:
    """Fill in how many devices each request of a claim asks for."""
    for request in _device_requests(spec):
        fill(request, {"allocationMode": "ExactCount"})
        if request["allocationMode"] == "ExactCount":
            fill(request, {"count": 1})
        for toleration in request.get("tolerations") or ():
            fill(toleration, {"operator": "Equal"})


def _device_requests(spec: Json) -> Iterator[Json]:
    for request in spec.get("devices", {}).get("requests") or ():
        if "exactly" in request:
            yield request["exactly"]
        yield from request.get("firstAvailable") or ()
