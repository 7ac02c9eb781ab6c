"""Defaults of a pod's volumes and of claims.

Source: kubernetes/kubernetes pkg/apis/core/v1/{defaults,zz_generated.defaults}.go, v1.36.1
"""

from typing import Final

from gpusched.api.defaulting.images import pull_policy
from gpusched.api.defaulting.resources import round_up
from gpusched.api.defaulting.values import fill
from gpusched.api.wire import Json

_FILE_MODE: Final = 0o644
_TOKEN_SECONDS: Final = 3600

_ABSENT: Final[dict[str, Json]] = {
    "hostPath": {"type": ""},
    "secret": {"defaultMode": _FILE_MODE},
    "configMap": {"defaultMode": _FILE_MODE},
    "downwardAPI": {"defaultMode": _FILE_MODE},
    "projected": {"defaultMode": _FILE_MODE},
    "azureDisk": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "readOnly": False,
        "kind": "Shared",
    },
}
"""Per kind of volume: fields to set where they are absent."""

_EMPTY: Final[dict[str, Json]] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
"""Per kind of volume: fields to set where they are absent or empty."""


def default_volume(volume: Json) -> None:
    """Fill in the defaults of one volume of a pod, in place."""
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}
    default_source(volume)
    if "image" in volume:
        fill(volume["image"], {"pullPolicy": pull_policy(volume["image"].get("reference", ""))})
    for item in volume.get("downwardAPI", {}).get("items") or ():
        _default_field_ref(item)
    for source in volume.get("projected", {}).get("sources") or ():
        _default_projection(source)
    template = volume.get("ephemeral", {}).get("volumeClaimTemplate")
    if template is not None:
        default_claim_spec(template.setdefault("spec", {}))


def default_source(holder: Json) -> None:
    """Fill in the defaults of the volume's source, of a pod's volume or a PersistentVolume."""
    for kind, source in holder.items():
        if kind in _ABSENT:
            for name, value in _ABSENT[kind].items():
                source.setdefault(name, value)
        elif kind in _EMPTY:
            fill(source, _EMPTY[kind])


def _default_projection(source: Json) -> None:
    for item in source.get("downwardAPI", {}).get("items") or ():
        _default_field_ref(item)
    if "serviceAccountToken" in source:
        source["serviceAccountToken"].setdefault("expirationSeconds", _TOKEN_SECONDS)


def _default_field_ref(item: Json) -> None:
    if "fieldRef" in item:
        fill(item["fieldRef"], {"apiVersion": "v1"})


def default_claim_spec(spec: Json) -> None:
    """Fill in the defaults of a PersistentVolumeClaim's spec, in place."""
    spec.setdefault("volumeMode", "Filesystem")
    round_up(spec.get("resources") or {}, "limits", "requests")


def default_claim_status(status: Json) -> None:
    """Fill in the defaults of a PersistentVolumeClaim's status, in place."""
    fill(status, {"phase": "Pending"})
    round_up(status, "capacity", "allocatedResources")
