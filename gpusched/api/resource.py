"""Dynamic resource allocation: devices that drivers publish, and claims on them.

Source: kubernetes/api resource/v1/types.go, v0.36.1
"""

from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator

from gpusched.api.meta import (
    Amount,
    KubeModel,
    KubeObject,
    ObjectMeta,
    ObservedCondition,
    Time,
    print_amounts,
    read_amounts,
)
from gpusched.api.placement import NodeSelector
from gpusched.api.quantity import Quantity

Amounts = Annotated[
    dict[str, Quantity], PlainValidator(read_amounts), PlainSerializer(print_amounts)
]
"""Quantities by name, not rounded: device capacities are no resource lists."""


class DeviceAttribute(KubeModel):
    """One value of one of several types."""

    int_: int | None = Field(default=None, alias="int")
    bool_: bool | None = Field(default=None, alias="bool")
    string: str | None = None
    version: str | None = None
    ints: tuple[int, ...] | None = None
    bools: tuple[bool, ...] | None = None
    strings: tuple[str, ...] | None = None
    versions: tuple[str, ...] | None = None


class CapacityRequestPolicyRange(KubeModel):
    """The amounts of a capacity that may be asked for."""

    min: Amount | None = None
    max: Amount | None = None
    step: Amount | None = None


class CapacityRequestPolicy(KubeModel):
    """How a request for a part of a capacity is rounded."""

    default: Amount | None = None
    valid_values: tuple[Amount, ...] = ()
    valid_range: CapacityRequestPolicyRange | None = None


class DeviceCapacity(KubeModel):
    """How much of something a device has."""

    value: Amount
    request_policy: CapacityRequestPolicy | None = None


class Counter(KubeModel):
    """An amount that several devices share."""

    value: Amount


class CounterSet(KubeModel):
    """Counters of one physical device."""

    name: str = ""
    counters: dict[str, Counter] = Field(default_factory=dict)


class DeviceCounterConsumption(KubeModel):
    """What a device takes of a counter set."""

    counter_set: str = ""
    counters: dict[str, Counter] = Field(default_factory=dict)


class DeviceTaint(KubeModel):
    """What keeps claims off a device unless they tolerate it."""

    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Time | None = None


class NodeAllocatableResourceMapping(KubeModel):
    """How a device counts against a node's own resources."""

    capacity_key: str | None = None
    allocation_multiplier: Amount | None = None


class Device(KubeModel):
    """A device that a driver publishes."""

    name: str = ""
    attributes: dict[str, DeviceAttribute] = Field(default_factory=dict)
    capacity: dict[str, DeviceCapacity] = Field(default_factory=dict)
    consumes_counters: tuple[DeviceCounterConsumption, ...] = ()
    node_name: str | None = None
    node_selector: NodeSelector | None = None
    all_nodes: bool | None = None
    taints: tuple[DeviceTaint, ...] = ()
    binds_to_node: bool | None = None
    binding_conditions: tuple[str, ...] = ()
    binding_failure_conditions: tuple[str, ...] = ()
    allow_multiple_allocations: bool | None = None
    node_allocatable_resource_mappings: dict[str, NodeAllocatableResourceMapping] = Field(
        default_factory=dict
    )


class ResourcePool(KubeModel):
    """The pool that a slice belongs to, and how many slices it has."""

    name: str = ""
    generation: int = 0
    resource_slice_count: int = 0


class ResourceSliceSpec(KubeModel):
    """Devices of one driver, and the nodes that can use them."""

    driver: str = ""
    pool: ResourcePool = Field(default_factory=ResourcePool)
    node_name: str | None = None
    node_selector: NodeSelector | None = None
    all_nodes: bool | None = None
    devices: tuple[Device, ...] = ()
    per_device_node_selection: bool | None = None
    shared_counters: tuple[CounterSet, ...] = ()


class ResourceSlice(KubeObject):
    """A part of what a driver publishes."""

    spec: ResourceSliceSpec = Field(default_factory=ResourceSliceSpec)


class CELDeviceSelector(KubeModel):
    """A CEL expression over a device."""

    expression: str = ""


class DeviceSelector(KubeModel):
    """One condition on a device."""

    cel: CELDeviceSelector | None = None


class DeviceToleration(KubeModel):
    """A device taint that a request bears."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class CapacityRequirements(KubeModel):
    """How much of a device's capacities a request needs."""

    requests: Amounts = Field(default_factory=dict)


class ExactDeviceRequest(KubeModel):
    """Devices of one class."""

    device_class_name: str = ""
    selectors: tuple[DeviceSelector, ...] = ()
    allocation_mode: str = ""
    count: int = 0
    admin_access: bool | None = None
    tolerations: tuple[DeviceToleration, ...] = ()
    capacity: CapacityRequirements | None = None


class DeviceSubRequest(KubeModel):
    """One of several ways to satisfy a request."""

    name: str = ""
    device_class_name: str = ""
    selectors: tuple[DeviceSelector, ...] = ()
    allocation_mode: str = ""
    count: int = 0
    tolerations: tuple[DeviceToleration, ...] = ()
    capacity: CapacityRequirements | None = None


class DeviceRequest(KubeModel):
    """A request: exact, or the first of several that can be had."""

    name: str = ""
    exactly: ExactDeviceRequest | None = None
    first_available: tuple[DeviceSubRequest, ...] = ()


class DeviceConstraint(KubeModel):
    """What the devices of several requests must have in common, or not."""

    requests: tuple[str, ...] = ()
    match_attribute: str | None = None
    distinct_attribute: str | None = None


class OpaqueDeviceConfiguration(KubeModel):
    """Parameters that only the driver understands."""

    driver: str = ""
    parameters: Any = None


class DeviceClassConfiguration(KubeModel):
    """Parameters for the devices of a class."""

    opaque: OpaqueDeviceConfiguration | None = None


class DeviceClaimConfiguration(DeviceClassConfiguration):
    """Parameters for the devices of some requests."""

    requests: tuple[str, ...] = ()


class DeviceClaim(KubeModel):
    """The devices that a claim asks for."""

    requests: tuple[DeviceRequest, ...] = ()
    constraints: tuple[DeviceConstraint, ...] = ()
    config: tuple[DeviceClaimConfiguration, ...] = ()


class ResourceClaimSpec(KubeModel):
    """What a claim asks for."""

    devices: DeviceClaim = Field(default_factory=DeviceClaim)


class DeviceRequestAllocationResult(KubeModel):
    """The device that a request got."""

    request: str = ""
    driver: str = ""
    pool: str = ""
    device: str = ""
    admin_access: bool | None = None
    tolerations: tuple[DeviceToleration, ...] = ()
    binding_conditions: tuple[str, ...] = ()
    binding_failure_conditions: tuple[str, ...] = ()
    share_id: str | None = Field(default=None, alias="shareID")
    consumed_capacity: Amounts = Field(default_factory=dict)


class DeviceAllocationConfiguration(DeviceClaimConfiguration):
    """Parameters that an allocated device gets from its class or its claim."""

    source: str = ""


class DeviceAllocationResult(KubeModel):
    """All devices of a claim."""

    results: tuple[DeviceRequestAllocationResult, ...] = ()
    config: tuple[DeviceAllocationConfiguration, ...] = ()


class AllocationResult(KubeModel):
    """What a claim got, and the nodes that can use it."""

    devices: DeviceAllocationResult = Field(default_factory=DeviceAllocationResult)
    node_selector: NodeSelector | None = None
    allocation_timestamp: Time | None = None


class ResourceClaimConsumerReference(KubeModel):
    """The pod that a claim is kept for."""

    api_group: str = ""
    resource: str = ""
    name: str = ""
    uid: str = ""


class AllocatedDeviceStatus(KubeModel):
    """What a driver reports of an allocated device."""

    driver: str = ""
    pool: str = ""
    device: str = ""
    share_id: str | None = Field(default=None, alias="shareID")
    conditions: tuple[ObservedCondition, ...] = ()


class ResourceClaimStatus(KubeModel):
    """Whether a claim is allocated, and for whom it is kept."""

    allocation: AllocationResult | None = None
    reserved_for: tuple[ResourceClaimConsumerReference, ...] = ()
    devices: tuple[AllocatedDeviceStatus, ...] = ()


class ResourceClaim(KubeObject):
    """A wish for devices."""

    spec: ResourceClaimSpec = Field(default_factory=ResourceClaimSpec)
    status: ResourceClaimStatus = Field(default_factory=ResourceClaimStatus)


class ResourceClaimTemplateSpec(KubeModel):
    """The claim that is made for each pod."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: ResourceClaimSpec = Field(default_factory=ResourceClaimSpec)


class ResourceClaimTemplate(KubeObject):
    """A claim to be made for each pod."""

    spec: ResourceClaimTemplateSpec = Field(default_factory=ResourceClaimTemplateSpec)


class DeviceClassSpec(KubeModel):
    """Conditions on the devices of a class."""

    selectors: tuple[DeviceSelector, ...] = ()
    config: tuple[DeviceClassConfiguration, ...] = ()
    extended_resource_name: str | None = None


class DeviceClass(KubeObject):
    """A kind of devices."""

    spec: DeviceClassSpec = Field(default_factory=DeviceClassSpec)
