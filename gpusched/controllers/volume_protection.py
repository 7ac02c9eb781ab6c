"""Protection of claims and volumes that are in use: deleted, they stay until they are not.

Source: kubernetes/kubernetes pkg/controller/volume/{pvcprotection,pvprotection}, v1.36.1
"""

from collections.abc import Iterable
from typing import ClassVar

from gpusched.controllers.interest import GONE, PodInterest
from gpusched.controllers.protocol import Change, Controller, Json, Key, Reader, Update, Wake, Work
from gpusched.controllers.volumes import CLAIM, VOLUME, claims_of_pod

FINALIZERS = {CLAIM: "kubernetes.io/pvc-protection", VOLUME: "kubernetes.io/pv-protection"}


class VolumeProtectionController:
    """Gives claims and volumes their finalizers and takes them. Its keys name kind and object."""

    name: ClassVar[str] = "volume-protection-controller"
    watches: ClassVar[tuple[str, ...]] = (CLAIM, VOLUME, "Pod")
    pods: ClassVar[tuple[PodInterest, ...]] = (PodInterest(GONE, field="volumes", beside=CLAIM),)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 2
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return what lacks its finalizer or waits to go, and the claims of pods that have gone."""
        if change.kind != "Pod":
            needed = change.verb != "DELETED" and _needs_work(change.new)
            return (Wake((change.kind, "/".join(change.key))),) if needed else ()
        if change.verb != "DELETED" or not change.new.spec.get("volumes"):
            return ()
        claims = (reader.get(CLAIM, change.key[0], name) for name in claims_of_pod(change.new))
        return [
            Wake((CLAIM, f"{change.key[0]}/{claim['metadata']['name']}"))
            for claim in claims
            if claim is not None and _needs_work(claim)
        ]

    def sync(self, key: Key, reader: Reader) -> Work:
        """Add or remove a finalizer."""
        namespace, _, name = key[1].partition("/")
        obj = reader.get(key[0], namespace, name)
        if obj is None or not _needs_work(obj):
            return None
        metadata, mark = obj["metadata"], FINALIZERS[key[0]]
        present = metadata.get("finalizers") or []
        if mark not in present:
            yield Update({**obj, "metadata": {**metadata, "finalizers": [*present, mark]}})
        elif not _is_used(obj, reader):
            left = [each for each in present if each != mark]
            rest = {field: value for field, value in metadata.items() if field != "finalizers"}
            yield Update({**obj, "metadata": {**rest, "finalizers": left} if left else rest})
        return None


def _needs_work(obj: Json) -> bool:
    """Return whether an object that stays has no finalizer, or one that goes still has it."""
    protected = FINALIZERS[obj["kind"]] in (obj["metadata"].get("finalizers") or ())
    return protected == bool(obj["metadata"].get("deletionTimestamp"))


def _is_used(obj: Json, reader: Reader) -> bool:
    """Return whether a volume is bound, or a pod on a node has a claim."""
    if obj["kind"] == VOLUME:
        return bool((obj.get("status") or {}).get("phase") == "Bound")
    metadata = obj["metadata"]
    return any(
        pod.node and metadata["name"] in claims_of_pod(pod)
        for pod in reader.pods(metadata["namespace"])
    )


_: Controller = VolumeProtectionController()
