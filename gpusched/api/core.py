"""The core group: Pod, Node, Namespace, Service, ResourceQuota, LimitRange, Event.

Source: kubernetes/api core/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import (
    Condition,
    IntOrString,
    KubeModel,
    KubeObject,
    MicroTime,
    ResourceList,
    Time,
)
from gpusched.api.pods import Container, Pod, PodSpec, PodStatus, PodTemplateSpec

__all__ = [
    "Container",
    "Event",
    "LimitRange",
    "Namespace",
    "Node",
    "Pod",
    "PodSpec",
    "PodStatus",
    "PodTemplateSpec",
    "ResourceQuota",
    "Service",
    "Taint",
]


class Taint(KubeModel):
    """What keeps pods off a node unless they tolerate it."""

    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Time | None = None


class NodeSpec(KubeModel):
    """How a node is used."""

    pod_cidr: str = ""
    pod_cidrs: tuple[str, ...] = ()
    provider_id: str = ""
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeCondition(Condition):
    """One condition of a node."""

    last_heartbeat_time: Time | None = None


class NodeAddress(KubeModel):
    """One address of a node."""

    type: str = ""
    address: str = ""


class NodeSystemInfo(KubeModel):
    """What a node reports of itself."""

    machine_id: str = ""
    kernel_version: str = ""
    os_image: str = ""
    container_runtime_version: str = ""
    kubelet_version: str = ""
    operating_system: str = ""
    architecture: str = ""


class ContainerImage(KubeModel):
    """An image that lies on a node, in bytes."""

    names: tuple[str, ...] = ()
    size_bytes: int = 0


class AttachedVolume(KubeModel):
    """A volume that is attached to a node."""

    name: str = ""
    device_path: str = ""


class NodeStatus(KubeModel):
    """What a node has and how it is; ``allocatable`` None means as much as ``capacity``."""

    capacity: ResourceList = Field(default_factory=dict)
    allocatable: ResourceList | None = None
    phase: str = ""
    conditions: tuple[NodeCondition, ...] = ()
    addresses: tuple[NodeAddress, ...] = ()
    node_info: NodeSystemInfo = Field(default_factory=NodeSystemInfo)
    images: tuple[ContainerImage, ...] = ()
    volumes_in_use: tuple[str, ...] = ()
    volumes_attached: tuple[AttachedVolume, ...] = ()
    declared_features: tuple[str, ...] = ()


class Node(KubeObject):
    """A machine that pods run on."""

    spec: NodeSpec = Field(default_factory=NodeSpec)
    status: NodeStatus = Field(default_factory=NodeStatus)


class NamespaceSpec(KubeModel):
    """What must be done before a namespace goes."""

    finalizers: tuple[str, ...] = ()


class NamespaceStatus(KubeModel):
    """Whether a namespace is Active or Terminating."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()


class Namespace(KubeObject):
    """A part of the cluster with names of its own."""

    spec: NamespaceSpec = Field(default_factory=NamespaceSpec)
    status: NamespaceStatus = Field(default_factory=NamespaceStatus)


class ServicePort(KubeModel):
    """A port of a service."""

    name: str = ""
    protocol: str = ""
    port: int = 0
    target_port: IntOrString = 0


class ServiceSpec(KubeModel):
    """Which pods a service stands for; ``selector`` None differs from an empty one."""

    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] = ()
    type: str = ""
    cluster_ip: str = ""


class Service(KubeObject):
    """A name for a set of pods."""

    spec: ServiceSpec = Field(default_factory=ServiceSpec)


class ScopeSelector(KubeModel):
    """Expressions over the properties of a pod that a quota counts."""

    class Requirement(KubeModel):
        """One expression over a scope."""

        scope_name: str = ""
        operator: str = ""
        values: tuple[str, ...] = ()

    match_expressions: tuple[Requirement, ...] = ()


class ResourceQuotaSpec(KubeModel):
    """How much a namespace may hold, and of which objects."""

    hard: ResourceList = Field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    scope_selector: ScopeSelector | None = None


class ResourceQuotaStatus(KubeModel):
    """How much of a quota is used."""

    hard: ResourceList = Field(default_factory=dict)
    used: ResourceList = Field(default_factory=dict)


class ResourceQuota(KubeObject):
    """A bound on what a namespace holds."""

    spec: ResourceQuotaSpec = Field(default_factory=ResourceQuotaSpec)
    status: ResourceQuotaStatus = Field(default_factory=ResourceQuotaStatus)


class LimitRangeItem(KubeModel):
    """Bounds and defaults for containers, pods or claims."""

    type: str = ""
    max: ResourceList = Field(default_factory=dict)
    min: ResourceList = Field(default_factory=dict)
    default: ResourceList = Field(default_factory=dict)
    default_request: ResourceList = Field(default_factory=dict)
    max_limit_request_ratio: ResourceList = Field(default_factory=dict)


class LimitRangeSpec(KubeModel):
    """All bounds of a LimitRange."""

    limits: tuple[LimitRangeItem, ...] = ()


class LimitRange(KubeObject):
    """Bounds and defaults in a namespace."""

    spec: LimitRangeSpec = Field(default_factory=LimitRangeSpec)


class ObjectReference(KubeModel):
    """The object that an event, or a volume, is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""


class EventSource(KubeModel):
    """The component that reported an event."""

    component: str = ""
    host: str = ""


class EventSeries(KubeModel):
    """How often an event has been seen."""

    count: int = 0
    last_observed_time: MicroTime | None = None


class Event(KubeObject):
    """Something that happened to an object."""

    involved_object: ObjectReference = Field(default_factory=ObjectReference)
    related: ObjectReference | None = None
    reason: str = ""
    message: str = ""
    source: EventSource = Field(default_factory=EventSource)
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    count: int = 0
    type: str = ""
    event_time: MicroTime | None = None
    series: EventSeries | None = None
    action: str = ""
    reporting_component: str = ""
    reporting_instance: str = ""
