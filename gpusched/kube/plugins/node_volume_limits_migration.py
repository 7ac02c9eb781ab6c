"""In-tree disks under the CSI drivers that have taken over from them.

Only what counting needs: the driver, and a text that tells one volume from another.

Source: kubernetes/csi-translation-lib plugins/*.go, v0.36.1; kubernetes/kubernetes
pkg/scheduler/framework/plugins/nodevolumelimits/utils.go (isCSIMigrationOn), v1.36.1
"""

from typing import Final

from gpusched.api.storage import PersistentVolumeSpec
from gpusched.api.volumes import Volume

DRIVERS: Final = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
}
"""In-tree provisioner to driver, where the migration is always on."""
UNCOUNTED_PROVISIONERS: Final = frozenset(
    {"kubernetes.io/azure-file", "kubernetes.io/vsphere-volume"}
)
"""Migrated too, but the scheduler does not count their volumes."""


def migrated(source: Volume | PersistentVolumeSpec) -> tuple[str, str] | None:
    """Return driver and handle of an in-tree disk, or None for everything else.

    >>> migrated(Volume.model_validate({"awsElasticBlockStore": {"volumeID": "aws://a/vol-1"}}))
    ('ebs.csi.aws.com', 'vol-1')
    """
    if source.aws_elastic_block_store is not None:
        handle = source.aws_elastic_block_store.volume_id.rpartition("/")[2]
        return DRIVERS["kubernetes.io/aws-ebs"], handle
    if source.gce_persistent_disk is not None:
        return DRIVERS["kubernetes.io/gce-pd"], source.gce_persistent_disk.pd_name
    if source.azure_disk is not None:
        return DRIVERS["kubernetes.io/azure-disk"], source.azure_disk.disk_uri
    if source.cinder is not None:
        return DRIVERS["kubernetes.io/cinder"], source.cinder.volume_id
    return None
