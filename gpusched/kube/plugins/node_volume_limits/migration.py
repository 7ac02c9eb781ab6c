"""In-tree disks under the CSI drivers that have taken over from them.

Only what counting needs: the driver, and a text that tells one volume from another.

Source: kubernetes/csi-translation-lib plugins/*.go, v0.36.1; kubernetes/kubernetes
pkg/scheduler/framework/plugins/nodevolumelimits/utils.go (isCSIMigrationOn), v1.36.1
"""

from typing import Final

from gpusched.api.storage import PersistentVolume, PersistentVolumeSpec
from gpusched.api.volumes import Volume
from gpusched.cluster.node import BETA_ZONE, ZONE

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


_MULTIPLE_ZONES: Final = "__"
_ZONE_PARTS: Final = 3
_EBS_URL: Final = "aws://"


def migrated(source: Volume | PersistentVolumeSpec) -> tuple[str, str] | None:
    """Return driver and handle of an in-tree disk, or None for everything else.

    >>> migrated(Volume.model_validate({"awsElasticBlockStore": {"volumeID": "aws://a/vol-1"}}))
    ('ebs.csi.aws.com', 'vol-1')
    """
    if source.aws_elastic_block_store is not None:
        volume_id = source.aws_elastic_block_store.volume_id
        handle = volume_id.rpartition("/")[2] if volume_id.startswith(_EBS_URL) else volume_id
        return DRIVERS["kubernetes.io/aws-ebs"], handle
    if source.gce_persistent_disk is not None:
        return DRIVERS["kubernetes.io/gce-pd"], f"/{source.gce_persistent_disk.pd_name}"
    if source.azure_disk is not None:
        return DRIVERS["kubernetes.io/azure-disk"], source.azure_disk.disk_uri
    if source.cinder is not None:
        return DRIVERS["kubernetes.io/cinder"], source.cinder.volume_id
    return None


def migrated_volume(volume: PersistentVolume) -> tuple[str, str] | None:
    """Return driver and handle of an in-tree PersistentVolume; Google's disks have places.

    A disk of several zones that make no region cannot be translated, and does not count.
    """
    found = migrated(volume.spec)
    if found is None or volume.spec.gce_persistent_disk is None:
        return found
    labels = volume.metadata.labels
    zones = (labels.get(BETA_ZONE) or labels.get(ZONE, "")).split(_MULTIPLE_ZONES)
    place: str | None = zones[0] if len(zones) == 1 else _region(zones)
    return None if place is None else (found[0], f"{place}{found[1]}")


def _region(zones: list[str]) -> str | None:
    parts = [zone.split("-") for zone in zones]
    regions = {"-".join(split[:-1]) for split in parts}
    well_formed = all(len(split) == _ZONE_PARTS for split in parts)
    return regions.pop() if well_formed and len(regions) == 1 else None
