"""Which claims a pod has, and which devices the claims of the cluster hold.

Source: kubernetes/dynamic-resource-allocation resourceclaim/resourceclaim.go, v0.36.1;
kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/allocateddevices.go, v1.36.1
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from gpusched.api.pods import PodResourceClaim
from gpusched.api.resource import DeviceRequestAllocationResult, ResourceClaim
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.kube.plugins.dynamic_resources.capacity import Consumed, add_consumed

DeviceID: TypeAlias = tuple[str, str, str]
"""Driver, pool and device."""


class ClaimError(Exception):
    """A pod's claims are not as they must be; the message is the scheduler's."""


def pod_claims(pod: PodInfo, objects: ClusterObjects) -> list[ResourceClaim]:
    """Return the claims of a pod, in the order of its spec.

    Raises:
        ClaimError: One is missing, is being deleted, or belongs to another pod; the first counts.
    """
    claims = []
    for entry in pod.shape.spec.resource_claims:
        name, generated = _claim_name(pod, entry)
        if name is not None:
            claims.append(_claim(pod, name, objects, must_own=generated))
    return claims


def _claim_name(pod: PodInfo, entry: PodResourceClaim) -> tuple[str | None, bool]:
    """Return the claim's name (None where none is needed) and whether it was made for the pod."""
    if entry.resource_claim_name is not None:
        return entry.resource_claim_name, False
    if entry.resource_claim_template_name is None:
        where = f'pod "{pod.key}", spec.resourceClaim "{entry.name}"'
        raise ClaimError(f"{where}: none of the supported fields are set")
    for status in pod.status.resource_claim_statuses if pod.status is not None else ():
        if status.name == entry.name:
            return status.resource_claim_name, True
    raise ClaimError(f'pod "{pod.key}": ResourceClaim not created yet')


def _claim(pod: PodInfo, name: str, objects: ClusterObjects, *, must_own: bool) -> ResourceClaim:
    claim = objects.resource_claims.get((pod.namespace, name))
    if claim is None:
        raise ClaimError(f'could not find ResourceClaim "{pod.namespace}/{name}"')
    if claim.metadata.deletion_timestamp is not None:
        raise ClaimError(f'resourceclaim "{name}" is being deleted')
    if must_own and not is_controlled_by(claim, pod):
        shown = f"ResourceClaim {pod.namespace}/{name} was not created for Pod {pod.key}"
        raise ClaimError(f"{shown} (Pod is not owner)")
    return claim


def is_controlled_by(claim: ResourceClaim, pod: PodInfo) -> bool:
    """Return whether a pod is a claim's controller."""
    owners = claim.metadata.owner_references
    return any(owner.controller and owner.uid == pod.uid for owner in owners)


def is_reserved_for(claim: ResourceClaim, pod: PodInfo) -> bool:
    """Return whether a claim is kept for a pod already."""
    return any(consumer.uid == pod.uid for consumer in claim.status.reserved_for)


@dataclass(slots=True)
class DevicesInUse:
    """What is taken of the cluster's devices.

    Attributes:
        devices: Devices that belong to one claim alone.
        consumed: How much of the capacities of shared devices is taken.
        shared: Devices of which somebody has a part.
    """

    devices: set[DeviceID] = field(default_factory=set)
    consumed: dict[DeviceID, Consumed] = field(default_factory=dict)
    shared: set[DeviceID] = field(default_factory=set)

    @classmethod
    def of(cls, claims: Iterable[ResourceClaim]) -> "DevicesInUse":
        """Return what the allocations of ``claims`` take; admin access takes nothing."""
        found = cls()
        allocations = (claim.status.allocation for claim in claims)
        for allocation in filter(None, allocations):
            for result in allocation.devices.results:
                if not result.admin_access:
                    found._take(result)
        return found

    def _take(self, result: DeviceRequestAllocationResult) -> None:
        device = (result.driver, result.pool, result.device)
        if result.share_id is None:
            self.devices.add(device)
            return
        self.shared.add(device)
        if result.consumed_capacity:
            taken = {name: amount.nano for name, amount in result.consumed_capacity.items()}
            add_consumed(self.consumed.setdefault(device, {}), taken)
