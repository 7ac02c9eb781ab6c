"""The claims behind a pod's volumes, as all volume plugins read them.

Source: kubernetes/component-helpers storage/volume/{helpers,pv_helpers}.go,
storage/ephemeral/ephemeral.go, v0.36.1
"""

from dataclasses import dataclass
from typing import Final

from gpusched.api.storage import PersistentVolume, PersistentVolumeClaim
from gpusched.cluster.pod import PodInfo, PodShape

CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
WAIT_FOR_FIRST_CONSUMER: Final = "WaitForFirstConsumer"
STORAGE: Final = "storage"


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """A volume of a pod that is a claim.

    Attributes:
        name: The claim's name.
        ephemeral: It is made for the pod, which must own it.
    """

    name: str
    ephemeral: bool


def _named_claims(shape: PodShape) -> tuple[str, ...]:
    return tuple(
        volume.persistent_volume_claim.claim_name
        for volume in shape.spec.volumes
        if volume.persistent_volume_claim is not None
    )


def named_claims(shape: PodShape) -> tuple[str, ...]:
    """Return the names of the claims that a pod names itself, in order."""
    return shape.memo(_named_claims, _named_claims)


def claim_uses(pod: PodInfo) -> list[ClaimUse]:
    """Return all claims of a pod, those made for it included, in the order of its volumes."""
    uses = []
    for volume in pod.shape.spec.volumes:
        if volume.persistent_volume_claim is not None:
            uses.append(ClaimUse(volume.persistent_volume_claim.claim_name, ephemeral=False))
        elif volume.ephemeral is not None:
            uses.append(ClaimUse(f"{pod.name}-{volume.name}", ephemeral=True))
    return uses


def uses_claim(pod: PodInfo, claim: PersistentVolumeClaim) -> bool:
    """Return whether one of a pod's volumes is this claim."""
    if claim.metadata.namespace != pod.namespace:
        return False
    return any(use.name == claim.metadata.name for use in claim_uses(pod))


def not_found(claim: str) -> str:
    """Return what the API says of a claim that is not there."""
    return f'persistentvolumeclaim "{claim}" not found'


def not_owner(pod: PodInfo, claim: PersistentVolumeClaim) -> str:
    """Return what is wrong with an ephemeral volume's claim that another pod owns, or nothing."""
    if any(owner.controller and owner.uid == pod.uid for owner in claim.metadata.owner_references):
        return ""
    name = f"{claim.metadata.namespace}/{claim.metadata.name}"
    return f"PVC {name} was not created for pod {pod.key} (pod is not owner)"


def class_of_claim(claim: PersistentVolumeClaim) -> str:
    """Return a claim's storage class; the old annotation wins, absent is empty."""
    annotated = claim.metadata.annotations.get(CLASS_ANNOTATION)
    return (claim.spec.storage_class_name or "") if annotated is None else annotated


def class_of_volume(volume: PersistentVolume) -> str:
    """Return a PersistentVolume's storage class; the old annotation wins."""
    return volume.metadata.annotations.get(CLASS_ANNOTATION, volume.spec.storage_class_name)


def binding_mode_not_set(storage_class: str) -> str:
    """Return what is wrong with a class that does not say when to bind."""
    return f'VolumeBindingMode not set for StorageClass "{storage_class}"'
