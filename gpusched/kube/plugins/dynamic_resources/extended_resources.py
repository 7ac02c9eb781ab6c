"""Extended resources that devices satisfy: the claim that the scheduler makes of plain requests.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/
extendeddynamicresources.go; pkg/apis/core/v1/helper/helpers.go (IsExtendedResourceName), v1.36.1
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gpusched.api.meta import ObjectMeta, OwnerReference
from gpusched.api.pods import Container
from gpusched.api.resource import (
    DeviceClaim,
    DeviceClass,
    DeviceRequest,
    ExactDeviceRequest,
    ResourceClaim,
    ResourceClaimSpec,
)
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.objects import IMPLICIT_RESOURCE_PREFIX, ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.resources import ResourceNames, is_extended

IN_MEMORY_NAME: Final = "<extended-resources>"
ANNOTATION: Final = "resource.kubernetes.io/extended-resource-claim"
ClassOf: TypeAlias = Callable[[str], DeviceClass | None]


@dataclass(frozen=True, slots=True)
class RequestMapping:
    """Which request of the claim serves a container's resource."""

    container: str
    resource: str
    request: str


@dataclass(frozen=True, slots=True, eq=False)
class ExtendedResources:
    """A pod's extended resources where a class maps at least one of them.

    Attributes:
        claim: The claim of an earlier attempt, or one that exists in memory only.
        amounts: Non-zero requests of extended resources by name, with their rows.
    """

    claim: ResourceClaim
    amounts: Mapping[str, tuple[int, int]]

    @property
    def is_left_over(self) -> bool:
        """Return whether the claim was written in an earlier attempt."""
        return self.claim.metadata.name != IN_MEMORY_NAME

    @property
    def is_final(self) -> bool:
        """Return whether the claim has requests already, which no node may change."""
        return bool(self.claim.spec.devices.requests)

    def by_devices(self, node: NodeInfo, class_of: ClassOf) -> list[str] | None:
        """Return the resources that a node must provide by devices; None if it lacks one.

        A resource that the node's device plugin provides is left to NodeResourcesFit.
        """
        allocatable = dict(node.allocatable)
        found = []
        for name, (row, _) in self.amounts.items():
            if not allocatable.get(row) and class_of(name) is not None:
                found.append(name)
            elif row not in allocatable:
                return None
        return sorted(found)


def extended_resources(
    pod: PodInfo, objects: ClusterObjects, names: ResourceNames
) -> ExtendedResources | None:
    """Return a pod's extended resources, or None if no class maps any of them."""
    if not len(objects.device_classes):
        return None
    requests = pod.shape.requests
    amounts = {
        names.names[row]: (row, amount)
        for row, amount in zip(requests.rows, requests.amounts, strict=True)
        if amount and _may_be_devices(names.names[row])
    }
    if all(objects.class_of_resource(name) is None for name in amounts):
        return None
    return ExtendedResources(_left_over(pod, objects) or _in_memory(pod), amounts)


def _may_be_devices(resource: str) -> bool:
    return is_extended(resource) or resource.startswith(IMPLICIT_RESOURCE_PREFIX)


def _left_over(pod: PodInfo, objects: ClusterObjects) -> ResourceClaim | None:
    for claim in objects.resource_claims:
        if claim.metadata.annotations.get(ANNOTATION) == "true" and any(
            owner.name == pod.name and owner.controller and owner.uid == pod.uid
            for owner in claim.metadata.owner_references
        ):
            return claim
    return None


def _in_memory(pod: PodInfo) -> ResourceClaim:
    owner = OwnerReference(
        api_version="v1", kind="Pod", name=pod.name, uid=pod.uid, controller=True
    )
    metadata = ObjectMeta(
        name=IN_MEMORY_NAME,
        generate_name=f"{pod.name}-extended-resources-",
        namespace=pod.namespace,
        uid=f"{pod.uid}/{IN_MEMORY_NAME}",
        annotations={ANNOTATION: "true"},
        owner_references=(owner,),
    )
    return ResourceClaim(api_version="resource.k8s.io/v1", kind="ResourceClaim", metadata=metadata)


def with_requests(
    claim: ResourceClaim, pod: PodInfo, resources: Iterable[str], class_of: ClassOf
) -> tuple[ResourceClaim, tuple[RequestMapping, ...]]:
    """Return the claim as one node needs it, and which request serves which container.

    Args:
        claim: The claim in memory.
        pod: The pod.
        resources: What the node provides by devices, sorted.
        class_of: The class behind a resource.
    """
    builders = []
    for resource in resources:
        device_class = class_of(resource)
        if device_class is not None:
            builders.append(_ForResource(pod, resource, device_class.metadata.name))
    requests = sorted(
        (request for builder in builders for request in builder.requests()),
        key=lambda request: request.name.encode(),
    )
    spec = ResourceClaimSpec(devices=DeviceClaim(requests=tuple(requests)))
    mappings = tuple(mapping for builder in builders for mapping in builder.mappings())
    return claim.model_copy(update={"spec": spec}), mappings


class _ForResource:
    """The requests for one resource.

    Containers that live as long as the pod get a request each. A plain init container uses the
    requests of those that come later, and asks only for the excess; of all such excesses the
    largest serves all plain init containers.
    """

    def __init__(self, pod: PodInfo, resource: str, class_name: str) -> None:
        spec = pod.shape.spec
        self._containers: Sequence[Container] = (*spec.init_containers, *spec.containers)
        self._resource = resource
        self._class_name = class_name
        plain = [c.restart_policy != "Always" for c in spec.init_containers]
        self._plain = [at for at, is_plain in enumerate(plain) if is_plain]
        self._long = {
            at: amount
            for at in range(len(self._containers))
            if at not in self._plain and (amount := self._amount(at))
        }
        excess = {at: self._excess(at) for at in self._plain}
        self._largest = max(excess, key=lambda at: excess[at], default=-1)
        self._excesses = {at: amount for at, amount in excess.items() if amount}

    def _amount(self, at: int) -> int:
        quantity = self._containers[at].resources.requests.get(self._resource)
        return quantity.value() if quantity is not None and quantity.is_integer else 0

    def _excess(self, at: int) -> int:
        reusable = sum(amount for later, amount in self._long.items() if later > at)
        return max(0, self._amount(at) - reusable)

    def _name(self, at: int) -> str:
        names = sorted(self._containers[at].resources.requests, key=str.encode)
        return f"container-{at}-request-{names.index(self._resource)}"

    def requests(self) -> list[DeviceRequest]:
        """Return the requests, in no particular order."""
        wanted = dict(self._long)
        if self._excesses:
            wanted[self._largest] = self._excesses[self._largest]
        return [
            DeviceRequest(
                name=self._name(at),
                exactly=ExactDeviceRequest(
                    device_class_name=self._class_name, allocation_mode="ExactCount", count=amount
                ),
            )
            for at, amount in wanted.items()
        ]

    def mappings(self) -> list[RequestMapping]:
        """Return which requests serve which container, long-lived containers first."""
        found = [self._mapping(at, self._name(at)) for at in self._long]
        for at in self._plain:
            left = self._amount(at)
            for later, amount in self._long.items():
                if later > at and left > 0:
                    found.append(self._mapping(at, self._name(later)))
                    left -= amount
            if left > 0:
                found.append(self._mapping(at, self._name(self._largest)))
        return found

    def _mapping(self, at: int, request: str) -> RequestMapping:
        return RequestMapping(self._containers[at].name, self._resource, request)
