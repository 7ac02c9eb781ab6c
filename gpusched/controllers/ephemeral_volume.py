"""Ephemeral volumes: each gets a claim of its own, which goes with its pod.

What upstream's garbage collector does with the claims of a pod that is gone is done here.

Source: kubernetes/kubernetes pkg/controller/volume/ephemeral/controller.go, v1.36.1
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.controllers.interest import CREATED, GONE, PodInterest
from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Controller,
    Create,
    Delete,
    Emit,
    Json,
    Key,
    Outcome,
    PodView,
    Reader,
    Wake,
    Work,
)
from gpusched.controllers.volumes import CLAIM, claims_of_pod, is_for


class EphemeralVolumeController:
    """Makes the claims of ephemeral volumes. Its keys are pods, or the uid of one that is gone."""

    name: ClassVar[str] = "ephemeral_volume"
    watches: ClassVar[tuple[str, ...]] = ("Pod", CLAIM)
    pods: ClassVar[tuple[PodInterest, ...]] = (PodInterest(CREATED | GONE, field="volumes"),)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return a new pod with such volumes, one that is gone, or one that lost its claim."""
        if change.kind == CLAIM:
            owners = change.new["metadata"].get("ownerReferences") or ()
            lost = change.verb == "DELETED"
            return [
                Wake((change.key[0], owner["name"]))
                for owner in owners
                if lost and owner.get("controller") and owner["kind"] == "Pod"
            ]
        if change.verb == "MODIFIED":
            return ()
        pod: PodView = change.new
        if not any(volume.get("ephemeral") for volume in pod.spec.get("volumes") or ()):
            return ()
        return (Wake(("", pod.uid) if change.verb == "DELETED" else change.key),)

    def sync(self, key: Key, reader: Reader) -> Work:
        """Make the claims that a pod lacks, or delete those that it leaves behind."""
        if not key[0]:
            left = [obj["metadata"] for obj in reader.owned(CLAIM, key[1])]
            yield Delete(CLAIM, [(each["namespace"], each["name"]) for each in left])
            return None
        pod = reader.pod(*key)
        if pod is None or pod.deletion is not None:
            return None
        for name, volume in claims_of_pod(pod).items():
            if volume is None:
                continue
            problem = yield from self._provide(pod, name, volume, reader)
            if problem:
                text = f"ephemeral volume {volume['name']}: {problem}"
                yield Emit(_reference(pod), "Warning", "FailedBinding", text)
                return Outcome(retry=True)
        return None

    def _provide(self, pod: PodView, name: str, volume: Json, reader: Reader) -> Any:
        """Make the claim of a volume, unless it is there; return what is wrong."""
        found = reader.get(CLAIM, pod.namespace, name)
        if found is not None:
            if is_for(found, pod):
                return ""
            whose = f"{pod.namespace}/{name} was not created for pod {pod.namespace}/{pod.name}"
            return f"PVC {whose} (pod is not owner)"
        try:
            yield Create(_claim_of(pod, name, volume["ephemeral"]["volumeClaimTemplate"]))
        except ApiError as refusal:
            return f"create PVC {name}: {refusal.message}"
        return ""


def _claim_of(pod: PodView, name: str, template: Json) -> Json:
    given = template.get("metadata") or {}
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
    metadata = {
        "name": name,
        "namespace": pod.namespace,
        "labels": given.get("labels"),
        "annotations": given.get("annotations"),
        "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
    }
    return {
        "apiVersion": "v1",
        "kind": CLAIM,
        "metadata": {field: value for field, value in metadata.items() if value},
        "spec": template["spec"],
    }


def _reference(pod: PodView) -> dict[str, str]:
    where = {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
    return {"kind": "Pod", **where, "apiVersion": "v1"}


_: Controller = EphemeralVolumeController()
