"""Storage: claims, volumes, classes and what the CSI drivers say of their nodes.

Source: kubernetes/api core/v1/types.go, storage/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import Amount, Condition, KubeModel, KubeObject, LabelSelector, ResourceList
from gpusched.api.placement import NodeSelector, TopologySelectorTerm
from gpusched.api.volumes import (
    ISCSI,
    RBD,
    AWSElasticBlockStore,
    AzureDisk,
    Cinder,
    GCEPersistentDisk,
    HostPath,
    PersistentVolumeClaimSpec,
)


class PersistentVolumeClaimStatus(KubeModel):
    """Whether a claim is bound, and to how much."""

    phase: str = ""
    access_modes: tuple[str, ...] = ()
    capacity: ResourceList = Field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()


class PersistentVolumeClaim(KubeObject):
    """A wish for storage."""

    spec: PersistentVolumeClaimSpec = Field(default_factory=PersistentVolumeClaimSpec)
    status: PersistentVolumeClaimStatus = Field(default_factory=PersistentVolumeClaimStatus)


class ClaimReference(KubeModel):
    """The claim that a volume is bound to, or kept for."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class CSIPersistentVolume(KubeModel):
    """A volume of a CSI driver."""

    driver: str = ""
    volume_handle: str = ""
    read_only: bool = False
    fs_type: str = ""
    volume_attributes: dict[str, str] = Field(default_factory=dict)


class LocalVolume(KubeModel):
    """A disk of one node."""

    path: str = ""


class VolumeNodeAffinity(KubeModel):
    """The nodes that can reach a volume."""

    required: NodeSelector | None = None


class PersistentVolumeSpec(KubeModel):
    """What a volume is; one source is set."""

    capacity: ResourceList = Field(default_factory=dict)
    access_modes: tuple[str, ...] = ()
    claim_ref: ClaimReference | None = None
    persistent_volume_reclaim_policy: str = ""
    storage_class_name: str = ""
    volume_mode: str | None = None
    node_affinity: VolumeNodeAffinity | None = None
    volume_attributes_class_name: str | None = None
    csi: CSIPersistentVolume | None = None
    local: LocalVolume | None = None
    host_path: HostPath | None = None
    gce_persistent_disk: GCEPersistentDisk | None = None
    aws_elastic_block_store: AWSElasticBlockStore | None = None
    azure_disk: AzureDisk | None = None
    cinder: Cinder | None = None
    iscsi: ISCSI | None = None
    rbd: RBD | None = None


class PersistentVolumeStatus(KubeModel):
    """Whether a volume is free, bound or released."""

    phase: str = ""
    message: str = ""
    reason: str = ""


class PersistentVolume(KubeObject):
    """A piece of storage."""

    spec: PersistentVolumeSpec = Field(default_factory=PersistentVolumeSpec)
    status: PersistentVolumeStatus = Field(default_factory=PersistentVolumeStatus)


class StorageClass(KubeObject):
    """A way to make volumes."""

    provisioner: str = ""
    parameters: dict[str, str] = Field(default_factory=dict)
    reclaim_policy: str | None = None
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool | None = None
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologySelectorTerm, ...] = ()


class VolumeNodeResources(KubeModel):
    """How many volumes of a driver a node can take."""

    count: int | None = None


class CSINodeDriver(KubeModel):
    """A driver on a node."""

    name: str = ""
    node_id: str = ""
    topology_keys: tuple[str, ...] = ()
    allocatable: VolumeNodeResources | None = None


class CSINodeSpec(KubeModel):
    """All drivers on a node."""

    drivers: tuple[CSINodeDriver, ...] = ()


class CSINode(KubeObject):
    """The CSI drivers of the node of the same name."""

    spec: CSINodeSpec = Field(default_factory=CSINodeSpec)


class CSIDriverSpec(KubeModel):
    """What a driver can do."""

    attach_required: bool | None = None
    storage_capacity: bool | None = None
    prevent_pod_scheduling_if_missing: bool | None = None


class CSIDriver(KubeObject):
    """A CSI driver."""

    spec: CSIDriverSpec = Field(default_factory=CSIDriverSpec)


class CSIStorageCapacity(KubeObject):
    """How much storage of a class is left in a part of the cluster."""

    node_topology: LabelSelector | None = None
    storage_class_name: str = ""
    capacity: Amount | None = None
    maximum_volume_size: Amount | None = None


class VolumeAttachmentSource(KubeModel):
    """The volume that is attached."""

    persistent_volume_name: str | None = None


class VolumeAttachmentSpec(KubeModel):
    """Which volume is to be attached to which node."""

    attacher: str = ""
    source: VolumeAttachmentSource = Field(default_factory=VolumeAttachmentSource)
    node_name: str = ""


class VolumeAttachmentStatus(KubeModel):
    """Whether a volume is attached."""

    attached: bool = False


class VolumeAttachment(KubeObject):
    """A volume on a node."""

    spec: VolumeAttachmentSpec = Field(default_factory=VolumeAttachmentSpec)
    status: VolumeAttachmentStatus = Field(default_factory=VolumeAttachmentStatus)
