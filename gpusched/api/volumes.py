"""The volumes of a pod and the sources that both pods and PersistentVolumes name.

Only what the volume plugins read of each source; mounting is not simulated.

Source: kubernetes/api core/v1/types.go, v0.36.1
"""

from pydantic import Field

from gpusched.api.meta import KubeModel, LabelSelector, ObjectMeta, ResourceList


class VolumeResources(KubeModel):
    """How much storage a claim asks for."""

    limits: ResourceList = Field(default_factory=dict)
    requests: ResourceList = Field(default_factory=dict)


class TypedReference(KubeModel):
    """An object in the same namespace."""

    api_group: str | None = None
    kind: str = ""
    name: str = ""


class NamespacedReference(TypedReference):
    """An object in the same or another namespace."""

    namespace: str | None = None


class PersistentVolumeClaimSpec(KubeModel):
    """What a claim asks of a volume."""

    access_modes: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    resources: VolumeResources = Field(default_factory=VolumeResources)
    volume_name: str = ""
    storage_class_name: str | None = None
    volume_mode: str | None = None
    data_source: TypedReference | None = None
    data_source_ref: NamespacedReference | None = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeClaimTemplate(KubeModel):
    """The claim that a pod or a StatefulSet makes for itself."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: PersistentVolumeClaimSpec = Field(default_factory=PersistentVolumeClaimSpec)


class GCEPersistentDisk(KubeModel):
    """A Google disk."""

    pd_name: str = ""
    fs_type: str = ""
    partition: int = 0
    read_only: bool = False


class AWSElasticBlockStore(KubeModel):
    """An Amazon disk."""

    volume_id: str = ""
    fs_type: str = ""
    partition: int = 0
    read_only: bool = False


class AzureDisk(KubeModel):
    """An Azure disk."""

    disk_name: str = ""
    disk_uri: str = ""
    kind: str | None = None
    read_only: bool | None = None


class Cinder(KubeModel):
    """An OpenStack disk."""

    volume_id: str = ""
    read_only: bool = False


class ISCSI(KubeModel):
    """A disk behind iSCSI."""

    target_portal: str = ""
    iqn: str = ""
    lun: int = 0
    read_only: bool = False


class RBD(KubeModel):
    """A Ceph block device."""

    monitors: tuple[str, ...] = ()
    image: str = ""
    pool: str = ""
    read_only: bool = False


class PersistentVolumeClaimVolume(KubeModel):
    """A claim that exists on its own."""

    claim_name: str = ""
    read_only: bool = False


class EphemeralVolume(KubeModel):
    """A claim that is made for the pod and goes with it."""

    volume_claim_template: PersistentVolumeClaimTemplate | None = None


class CSIVolume(KubeModel):
    """An inline volume of a CSI driver."""

    driver: str = ""
    read_only: bool | None = None
    volume_attributes: dict[str, str] = Field(default_factory=dict)


class EmptyDir(KubeModel):
    """Scratch space on the node."""

    medium: str = ""


class HostPath(KubeModel):
    """A folder of the node."""

    path: str = ""
    type: str | None = None


class NamedSource(KubeModel):
    """A ConfigMap that is mounted."""

    name: str = ""
    optional: bool | None = None


class SecretVolume(KubeModel):
    """A Secret that is mounted."""

    secret_name: str = ""
    optional: bool | None = None


class ImageVolume(KubeModel):
    """The files of an image."""

    reference: str = ""


class Volume(KubeModel):
    """A volume of a pod; one source is set."""

    name: str = ""
    image: ImageVolume | None = None
    persistent_volume_claim: PersistentVolumeClaimVolume | None = None
    ephemeral: EphemeralVolume | None = None
    csi: CSIVolume | None = None
    gce_persistent_disk: GCEPersistentDisk | None = None
    aws_elastic_block_store: AWSElasticBlockStore | None = None
    azure_disk: AzureDisk | None = None
    cinder: Cinder | None = None
    iscsi: ISCSI | None = None
    rbd: RBD | None = None
    empty_dir: EmptyDir | None = None
    host_path: HostPath | None = None
    config_map: NamedSource | None = None
    secret: SecretVolume | None = None
