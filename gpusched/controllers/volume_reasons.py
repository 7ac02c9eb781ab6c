"""Why a claim waits, and why a volume cannot be made or deleted, in upstream's words.

Source: kubernetes/kubernetes pkg/controller/volume/persistentvolume/pv_controller.go,
pkg/volume/plugins.go, pkg/volume/hostpath/host_path.go, v1.36.1
"""

import re

from gpusched.controllers.protocol import Json, Reader
from gpusched.controllers.volumes import claims_of_pod

NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
ALREADY_BOUND = 'volume "{}" already bound to a different claim.'
LOST_REFERENCE = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
LOST_VOLUME = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the"
    " system administrator. If volume creation is delayed, please verify that the provisioner is"
    " running and correctly registered."
)
MIGRATED = frozenset(
    f"kubernetes.io/{name}"
    for name in ("aws-ebs", "azure-disk", "azure-file", "cinder", "gce-pd", "portworx-volume",
                 "vsphere-volume")
)  # fmt: skip
"""In-tree drivers behind which a CSI driver stands."""
_DELETABLE_PATH = re.compile(r"/tmp/.+")  # noqa: S108 - the one place that upstream empties


def waiting_for(claim: Json, reader: Reader) -> tuple[str, str]:
    """Return reason and text of the event about a claim that waits for its first pod."""
    metadata = claim["metadata"]
    pods = [
        pod.name
        for pod in reader.pods(metadata["namespace"])
        if not pod.node
        and pod.phase not in ("Succeeded", "Failed")
        and metadata["name"] in claims_of_pod(pod)
    ]
    if not pods:
        return "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
    noun = "pod" if len(pods) == 1 else "pods"
    return "WaitForPodScheduled", f"waiting for {noun} {','.join(pods)} to be scheduled"


def provisioning_problem(storage_class: Json | None, name: str) -> str:
    """Return why no volume can be made, or an empty string."""
    if storage_class is None:
        return f'storageclass.storage.k8s.io "{name}" not found'
    provisioner = storage_class["provisioner"]
    if provisioner.startswith("kubernetes.io/") and provisioner not in MIGRATED:
        return f"no volume plugin matched name: {provisioner}"
    return ""


def deletion_problem(volume: Json) -> str:
    """Return why a volume that no driver has made cannot be deleted, or an empty string."""
    path = (volume["spec"].get("hostPath") or {}).get("path")
    if path is not None:
        if _DELETABLE_PATH.match(path):
            return ""
        return f"host_path deleter only supports /tmp/.+ but received provided {path}"
    what = f'error getting deleter volume plugin for volume "{volume["metadata"]["name"]}"'
    return f"{what}: no deletable volume plugin matched"
