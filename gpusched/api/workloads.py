"""Workloads: a template for pods, and how many of them are wanted and how they are replaced.

Source: kubernetes/api apps/v1/types.go, batch/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import Condition, IntOrString, KubeModel, KubeObject, LabelSelector, Time
from gpusched.api.pods import PodTemplateSpec
from gpusched.api.storage import PersistentVolumeClaim


class RollingUpdateDeployment(KubeModel):
    """How many pods may be missing, or too many, while a Deployment is updated."""

    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


class DeploymentStrategy(KubeModel):
    """How a Deployment replaces its pods."""

    type: str = ""
    rolling_update: RollingUpdateDeployment | None = None


class DeploymentSpec(KubeModel):
    """What a Deployment wants."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = Field(default_factory=PodTemplateSpec)
    strategy: DeploymentStrategy = Field(default_factory=DeploymentStrategy)
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


class DeploymentCondition(Condition):
    """One condition of a Deployment."""

    last_update_time: Time | None = None


class DeploymentStatus(KubeModel):
    """How far a Deployment is."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()
    collision_count: int | None = None


class Deployment(KubeObject):
    """Pods that are replaced step by step when their template changes."""

    spec: DeploymentSpec = Field(default_factory=DeploymentSpec)
    status: DeploymentStatus = Field(default_factory=DeploymentStatus)


class ReplicaSetSpec(KubeModel):
    """What a ReplicaSet wants."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = Field(default_factory=PodTemplateSpec)


class ReplicaSetStatus(KubeModel):
    """How far a ReplicaSet is."""

    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class ReplicaSet(KubeObject):
    """A number of equal pods."""

    spec: ReplicaSetSpec = Field(default_factory=ReplicaSetSpec)
    status: ReplicaSetStatus = Field(default_factory=ReplicaSetStatus)


class ReplicationControllerSpec(KubeModel):
    """What a ReplicationController wants."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: dict[str, str] | None = None
    template: PodTemplateSpec | None = None


class ReplicationController(KubeObject):
    """The forerunner of the ReplicaSet; default spreading still looks at its selector."""

    spec: ReplicationControllerSpec = Field(default_factory=ReplicationControllerSpec)


class RollingUpdateStatefulSet(KubeModel):
    """Which ordinals of a StatefulSet are updated, and how many at once."""

    partition: int | None = None
    max_unavailable: IntOrString | None = None


class StatefulSetUpdateStrategy(KubeModel):
    """How a StatefulSet replaces its pods."""

    type: str = ""
    rolling_update: RollingUpdateStatefulSet | None = None


class StatefulSetOrdinals(KubeModel):
    """The first ordinal of a StatefulSet."""

    start: int = 0


class ClaimRetentionPolicy(KubeModel):
    """Whether the claims of a StatefulSet go with it."""

    when_deleted: str = ""
    when_scaled: str = ""


class StatefulSetSpec(KubeModel):
    """What a StatefulSet wants."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = Field(default_factory=PodTemplateSpec)
    volume_claim_templates: tuple[PersistentVolumeClaim, ...] = ()
    service_name: str = ""
    pod_management_policy: str = ""
    update_strategy: StatefulSetUpdateStrategy = Field(default_factory=StatefulSetUpdateStrategy)
    revision_history_limit: int | None = None
    min_ready_seconds: int = 0
    persistent_volume_claim_retention_policy: ClaimRetentionPolicy | None = None
    ordinals: StatefulSetOrdinals | None = None


class StatefulSetStatus(KubeModel):
    """How far a StatefulSet is."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int | None = None
    conditions: tuple[Condition, ...] = ()


class StatefulSet(KubeObject):
    """Pods with lasting names."""

    spec: StatefulSetSpec = Field(default_factory=StatefulSetSpec)
    status: StatefulSetStatus = Field(default_factory=StatefulSetStatus)


class RollingUpdateDaemonSet(KubeModel):
    """How many nodes may be without, or with two, while a DaemonSet is updated."""

    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


class DaemonSetUpdateStrategy(KubeModel):
    """How a DaemonSet replaces its pods."""

    type: str = ""
    rolling_update: RollingUpdateDaemonSet | None = None


class DaemonSetSpec(KubeModel):
    """What a DaemonSet wants."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = Field(default_factory=PodTemplateSpec)
    update_strategy: DaemonSetUpdateStrategy = Field(default_factory=DaemonSetUpdateStrategy)
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None


class DaemonSetStatus(KubeModel):
    """How far a DaemonSet is."""

    observed_generation: int = 0
    current_number_scheduled: int = 0
    number_misscheduled: int = 0
    desired_number_scheduled: int = 0
    number_ready: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None
    conditions: tuple[Condition, ...] = ()


class DaemonSet(KubeObject):
    """One pod on each node."""

    spec: DaemonSetSpec = Field(default_factory=DaemonSetSpec)
    status: DaemonSetStatus = Field(default_factory=DaemonSetStatus)


class PodFailurePolicyOnExitCodes(KubeModel):
    """Exit codes that a rule looks for."""

    container_name: str | None = None
    operator: str = ""
    values: tuple[int, ...] = ()


class PodFailurePolicyOnPodCondition(KubeModel):
    """A pod condition that a rule looks for."""

    type: str = ""
    status: str = ""


class PodFailurePolicyRule(KubeModel):
    """What is done about a failed pod of some kind."""

    action: str = ""
    on_exit_codes: PodFailurePolicyOnExitCodes | None = None
    on_pod_conditions: tuple[PodFailurePolicyOnPodCondition, ...] = ()


class PodFailurePolicy(KubeModel):
    """Rules of which the first that fits is applied."""

    rules: tuple[PodFailurePolicyRule, ...] = ()


class SuccessPolicyRule(KubeModel):
    """Which indexes must succeed for the Job to succeed."""

    succeeded_indexes: str | None = None
    succeeded_count: int | None = None


class SuccessPolicy(KubeModel):
    """Rules of which one is enough."""

    rules: tuple[SuccessPolicyRule, ...] = ()


class JobSpec(KubeModel):
    """What a Job wants."""

    parallelism: int | None = None
    completions: int | None = None
    active_deadline_seconds: int | None = None
    pod_failure_policy: PodFailurePolicy | None = None
    success_policy: SuccessPolicy | None = None
    backoff_limit: int | None = None
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    selector: LabelSelector | None = None
    manual_selector: bool | None = None
    template: PodTemplateSpec = Field(default_factory=PodTemplateSpec)
    ttl_seconds_after_finished: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    pod_replacement_policy: str | None = None
    managed_by: str | None = None


class JobCondition(Condition):
    """One condition of a Job."""

    last_probe_time: Time | None = None


class UncountedPods(KubeModel):
    """Finished pods that the Job's counters do not hold yet."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class JobStatus(KubeModel):
    """How far a Job is."""

    conditions: tuple[JobCondition, ...] = ()
    start_time: Time | None = None
    completion_time: Time | None = None
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    terminating: int | None = None
    ready: int | None = None
    completed_indexes: str = ""
    failed_indexes: str | None = None
    uncounted_terminated_pods: UncountedPods | None = None


class Job(KubeObject):
    """Pods that run to their end."""

    spec: JobSpec = Field(default_factory=JobSpec)
    status: JobStatus = Field(default_factory=JobStatus)
