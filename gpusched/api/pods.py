"""The Pod: what it asks for, where it may run, and what has become of it.

Source: kubernetes/api core/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import (
    KubeModel,
    KubeObject,
    ObjectMeta,
    ObservedCondition,
    ResourceList,
    Time,
)
from gpusched.api.placement import Affinity, Toleration, TopologySpreadConstraint
from gpusched.api.volumes import Volume


class ResourceClaimName(KubeModel):
    """A claim of the pod that a container uses."""

    name: str = ""
    request: str = ""


class ResourceRequirements(KubeModel):
    """How much a container, or a whole pod, asks for and may use at the most."""

    limits: ResourceList = Field(default_factory=dict)
    requests: ResourceList = Field(default_factory=dict)
    claims: tuple[ResourceClaimName, ...] = ()


class ContainerPort(KubeModel):
    """A port of a container, and perhaps of its node."""

    name: str = ""
    host_port: int = 0
    container_port: int = 0
    protocol: str = ""
    host_ip: str = ""


class EnvVar(KubeModel):
    """A variable with a literal value; others read as empty."""

    name: str = ""
    value: str = ""


class VolumeMount(KubeModel):
    """Where a container sees a volume."""

    name: str = ""
    mount_path: str = ""
    read_only: bool = False


class ContainerResizePolicy(KubeModel):
    """Whether a resource can be resized without a restart."""

    resource_name: str = ""
    restart_policy: str = ""


class ContainerRestartRule(KubeModel):
    """What is done when a container ends in a certain way."""

    action: str = ""


class Container(KubeModel):
    """A container, or an init container (a sidecar if its ``restart_policy`` is Always)."""

    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    resources: ResourceRequirements = Field(default_factory=ResourceRequirements)
    resize_policy: tuple[ContainerResizePolicy, ...] = ()
    restart_policy: str | None = None
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()


class PodSchedulingGate(KubeModel):
    """A name that keeps the pod out of the queue until it is removed."""

    name: str = ""


class PodResourceClaim(KubeModel):
    """A claim by its name, or a template from which one is made."""

    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodSchedulingGroup(KubeModel):
    """The group that a pod is scheduled with."""

    pod_group_name: str | None = None


class PodOS(KubeModel):
    """The operating system of the pod's containers."""

    name: str = ""


class PodSecurityContext(KubeModel):
    """Of the security context only what the scheduler or a controller reads."""

    run_as_user: int | None = None
    run_as_non_root: bool | None = None


class PodSpec(KubeModel):
    """What a pod asks for."""

    volumes: tuple[Volume, ...] = ()
    init_containers: tuple[Container, ...] = ()
    containers: tuple[Container, ...] = ()
    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    node_selector: dict[str, str] | None = None
    service_account_name: str = ""
    node_name: str = ""
    host_network: bool = False
    host_users: bool | None = None
    hostname: str = ""
    affinity: Affinity | None = None
    scheduler_name: str = ""
    tolerations: tuple[Toleration, ...] = ()
    priority_class_name: str = ""
    priority: int | None = None
    preemption_policy: str | None = None
    overhead: ResourceList = Field(default_factory=dict)
    runtime_class_name: str | None = None
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    os: PodOS | None = None
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    resource_claims: tuple[PodResourceClaim, ...] = ()
    resources: ResourceRequirements | None = None
    scheduling_group: PodSchedulingGroup | None = None
    security_context: PodSecurityContext | None = None


class PodCondition(ObservedCondition):
    """One condition of a pod."""

    last_probe_time: Time | None = None


class ContainerStateWaiting(KubeModel):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(KubeModel):
    """Since when a container runs."""

    started_at: Time | None = None


class ContainerStateTerminated(KubeModel):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(KubeModel):
    """One of three states; none of them set means waiting."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(KubeModel):
    """What a node reports of a container."""

    name: str = ""
    state: ContainerState = Field(default_factory=ContainerState)
    last_state: ContainerState = Field(default_factory=ContainerState)
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    allocated_resources: ResourceList | None = None
    resources: ResourceRequirements | None = None


class PodIP(KubeModel):
    """One address of a pod."""

    ip: str = ""


class PodResourceClaimStatus(KubeModel):
    """Which claim was made for a claim template of the pod; None if none is needed."""

    name: str = ""
    resource_claim_name: str | None = None


class ExtendedResourceRequest(KubeModel):
    """Which container's extended resource a device request stands for."""

    container_name: str = ""
    resource_name: str = ""
    request_name: str = ""


class PodExtendedResourceClaimStatus(KubeModel):
    """The claim that the scheduler made for extended resources."""

    resource_claim_name: str = ""
    request_mappings: tuple[ExtendedResourceRequest, ...] = ()


class PodStatus(KubeModel):
    """What has become of a pod."""

    observed_generation: int = 0
    phase: str = ""
    conditions: tuple[PodCondition, ...] = ()
    message: str = ""
    reason: str = ""
    nominated_node_name: str = ""
    host_ip: str = ""
    pod_ip: str = ""
    pod_ips: tuple[PodIP, ...] = ()
    start_time: Time | None = None
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    qos_class: str = ""
    resize: str = ""
    resource_claim_statuses: tuple[PodResourceClaimStatus, ...] = ()
    extended_resource_claim_status: PodExtendedResourceClaimStatus | None = None
    allocated_resources: ResourceList | None = None
    resources: ResourceRequirements | None = None


class Pod(KubeObject):
    """A pod."""

    spec: PodSpec = Field(default_factory=PodSpec)
    status: PodStatus = Field(default_factory=PodStatus)


class PodTemplateSpec(KubeModel):
    """The pod that a workload makes copies of."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: PodSpec = Field(default_factory=PodSpec)
