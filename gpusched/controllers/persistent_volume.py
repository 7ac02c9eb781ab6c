"""PersistentVolumes: claims get volumes, volumes whose claims have gone are released.

Volumes are made and removed by their drivers: see `volume_provisioner`.
Not modelled: recycling, migration of in-tree drivers, resizing.

Source: kubernetes/kubernetes pkg/controller/volume/persistentvolume/
{pv_controller,pv_controller_base,index}.go, v1.36.1
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.api.admission.storage import set_storage_class
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    SECOND,
    TICK,
    Change,
    Controller,
    Delete,
    Emit,
    Json,
    Key,
    Reader,
    Update,
    UpdateStatus,
    Wake,
    Work,
    key_of,
    reference,
)
from gpusched.controllers.volume_reasons import (
    ALREADY_BOUND,
    EXTERNAL,
    LOST_REFERENCE,
    LOST_VOLUME,
    MISBOUND,
    NO_CLASS,
    deletion_problem,
    provisioning_problem,
    waiting_for,
)
from gpusched.controllers.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    CLAIM,
    FORMER_PROVISIONER,
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    VOLUME,
    annotated,
    annotations_of,
    best_match,
    binds_late,
    claim_of,
    class_of,
    is_kept_for,
    mismatch,
)

_ENDED = ("Released", "Failed")


class PersistentVolumeController:
    """Binds claims and volumes to each other.

    Its keys are the kind and ``namespace/name``. What waits for a volume is looked at again at
    each tick: a new volume alone wakes nobody.
    """

    name: ClassVar[str] = "persistentvolume-controller"
    watches: ClassVar[tuple[str, ...]] = (CLAIM, VOLUME)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 15 * SECOND
    workers: ClassVar[int] = 1
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return the changed object, and the other end of its binding."""
        obj, wakes = change.new, []
        if change.verb != "DELETED":
            wakes.append(Wake(_item(change.kind, change.key)))
        if change.kind == VOLUME:
            if obj["spec"].get("claimRef"):
                wakes.append(Wake(_item(CLAIM, claim_of(obj))))
        elif change.verb == "DELETED" and obj["spec"].get("volumeName"):
            wakes.append(Wake(_item(VOLUME, ("", obj["spec"]["volumeName"]))))
        return wakes

    def sync(self, key: Key, reader: Reader) -> Work:
        """Bring one claim or one volume forward, or all of them at a tick."""
        if key == TICK:
            for kind in (VOLUME, CLAIM):
                for obj in reader.objects(kind):
                    yield from self._sync(kind, key_of(obj), reader)
            return None
        namespace, _, name = key[1].partition("/")
        yield from self._sync(key[0], (namespace, name), reader)
        return None

    def _sync(self, kind: str, key: Key, reader: Reader) -> Any:
        obj = reader.get(kind, *key)
        if obj is None:
            return
        if kind == VOLUME:
            yield from self._sync_volume(obj, reader)
        elif BIND_COMPLETED in annotations_of(obj):
            yield from self._sync_bound(obj, reader)
        elif obj["spec"].get("volumeName"):
            yield from self._sync_choosy(obj, reader)
        else:
            yield from self._sync_open(obj, reader)

    # Claims.

    def _sync_open(self, claim: Json, reader: Reader) -> Any:
        """A claim that takes any volume."""
        late = binds_late(claim, reader)
        volume = best_match(claim, reader.objects(VOLUME), late=late)
        if volume is not None:
            yield from self._bind(volume, claim)
            return
        classes = {each["metadata"]["name"]: each for each in reader.objects("StorageClass")}
        with_class = set_storage_class(claim, classes)
        if with_class is not claim:
            yield Update(with_class)
            return
        if late and not annotations_of(claim).get(SELECTED_NODE):
            yield Emit(reference(claim), "Normal", *waiting_for(claim, reader))
        elif class_of(claim):
            yield from self._provision(claim, reader)
            return
        else:
            yield Emit(reference(claim), "Normal", "FailedBinding", NO_CLASS)
        yield from self._set_claim(claim, "Pending")

    def _sync_choosy(self, claim: Json, reader: Reader) -> Any:
        """A claim that names its volume."""
        volume = reader.get(VOLUME, "", claim["spec"]["volumeName"])
        if volume is None:
            yield from self._set_claim(claim, "Pending")
        elif volume["spec"].get("claimRef") is None:
            why = mismatch(volume, claim)
            if not why:
                yield from self._bind(volume, claim)
                return
            text = f'Cannot bind to requested volume "{volume["metadata"]["name"]}": {why}'
            yield Emit(reference(claim), "Warning", "VolumeMismatch", text)
            yield from self._set_claim(claim, "Pending")
        elif is_kept_for(volume, claim):
            yield from self._bind(volume, claim)
        else:
            text = ALREADY_BOUND.format(volume["metadata"]["name"])
            yield Emit(reference(claim), "Warning", "FailedBinding", text)
            yield from self._set_claim(claim, "Pending")

    def _sync_bound(self, claim: Json, reader: Reader) -> Any:
        """A claim that was bound: see that it still is."""
        name = claim["spec"].get("volumeName")
        volume = reader.get(VOLUME, "", name) if name else None
        if volume is None:
            yield from self._lose(claim, "ClaimLost", LOST_VOLUME if name else LOST_REFERENCE)
            return
        holder = volume["spec"].get("claimRef")
        if holder is None or holder.get("uid") == claim["metadata"]["uid"]:
            yield from self._bind(volume, claim)
        else:
            yield from self._lose(claim, "ClaimMisbound", MISBOUND)

    def _provision(self, claim: Json, reader: Reader) -> Any:
        """Ask the class's driver for a volume."""
        found = reader.get("StorageClass", "", class_of(claim))
        problem = provisioning_problem(found, class_of(claim))
        if problem or found is None:
            yield Emit(reference(claim), "Warning", "ProvisioningFailed", problem)
            return
        name = found["provisioner"]
        if annotations_of(claim).get(PROVISIONER) != name:
            asked = {FORMER_PROVISIONER: name, PROVISIONER: name}
            claim = yield Update(annotated(claim, asked))
        yield Emit(reference(claim), "Normal", "ExternalProvisioning", EXTERNAL.format(name))

    def _bind(self, volume: Json, claim: Json) -> Any:
        """Write what is missing of a binding: volume, its phase, claim, its status."""
        metadata, holder = claim["metadata"], volume["spec"].get("claimRef") or {}
        if holder.get("uid") != metadata["uid"]:
            marks = {} if holder else {BOUND_BY_CONTROLLER: "yes"}
            spec = {**volume["spec"], "claimRef": {**reference(claim), **holder}}
            spec["claimRef"]["uid"] = metadata["uid"]
            volume = yield Update(annotated(volume, marks, spec), unchanged=True)
        yield from self._set_volume(volume, "Bound")
        if claim["spec"].get("volumeName") != volume["metadata"]["name"]:
            spec = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
            marks = {BOUND_BY_CONTROLLER: "yes", BIND_COMPLETED: "yes"}
            claim = yield Update(annotated(claim, marks, spec), unchanged=True)
        elif BIND_COMPLETED not in annotations_of(claim):
            marks = {BIND_COMPLETED: "yes"}
            claim = yield Update(annotated(claim, marks), unchanged=True)
        yield from self._set_claim(claim, "Bound", volume)

    def _set_claim(self, claim: Json, phase: str, volume: Json | None = None) -> Any:
        old = claim.get("status") or {}
        hidden = ("accessModes", "capacity", "phase")
        status = {name: value for name, value in old.items() if name not in hidden}
        status["phase"] = phase
        if volume is not None:
            status["accessModes"] = volume["spec"].get("accessModes") or []
            bound = old.get("phase") == phase and old.get("capacity")
            status["capacity"] = old["capacity"] if bound else volume["spec"]["capacity"]
        if status != old:
            yield UpdateStatus(claim, status)

    def _lose(self, claim: Json, reason: str, text: str) -> Any:
        if (claim.get("status") or {}).get("phase") != "Lost":
            yield from self._set_claim(claim, "Lost")
            yield Emit(reference(claim), "Warning", reason, text)

    # Volumes.

    def _sync_volume(self, volume: Json, reader: Reader) -> Any:
        holder = volume["spec"].get("claimRef")
        if not holder or not holder.get("uid"):
            yield from self._set_volume(volume, "Available")
            return
        claim = reader.get(CLAIM, *claim_of(volume))
        if claim is None or claim["metadata"]["uid"] != holder["uid"]:
            yield from self._reclaim(volume)
        elif claim["spec"].get("volumeName") == volume["metadata"]["name"]:
            yield from self._set_volume(volume, "Bound")
        elif claim["spec"].get("volumeName"):
            yield from self._part(volume)

    def _part(self, volume: Json) -> Any:
        """A volume whose claim has found another one."""
        made = PROVISIONED_BY in annotations_of(volume)
        if made and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            yield from self._reclaim(volume)
            return
        marks, spec = annotations_of(volume), dict(volume["spec"])
        if marks.pop(BOUND_BY_CONTROLLER, None):
            del spec["claimRef"]
        else:
            spec["claimRef"] = {**spec["claimRef"], "uid": ""}
        metadata = {**volume["metadata"], "annotations": marks}
        volume = yield Update({**volume, "metadata": metadata, "spec": spec})
        yield from self._set_volume(volume, "Available")

    def _reclaim(self, volume: Json) -> Any:
        """Release a volume; one without a driver's mark is deleted here if it can be."""
        phase = (volume.get("status") or {}).get("phase")
        if phase not in _ENDED:
            volume = yield UpdateStatus(
                volume, {**(volume.get("status") or {}), "phase": "Released"}
            )
        policy = volume["spec"].get("persistentVolumeReclaimPolicy")
        if policy != "Delete" or PROVISIONED_BY in annotations_of(volume):
            return
        problem = deletion_problem(volume)
        if not problem:
            yield Delete(VOLUME, [key_of(volume)])
        elif phase != "Failed":
            yield UpdateStatus(volume, {"phase": "Failed", "message": problem})
            yield Emit(reference(volume), "Warning", "VolumeFailedDelete", problem)

    def _set_volume(self, volume: Json, phase: str) -> Any:
        status = volume.get("status") or {}
        if status.get("phase") != phase:
            yield UpdateStatus(volume, {**status, "phase": phase})


def _item(kind: str, key: Key) -> Key:
    return kind, f"{key[0]}/{key[1]}"


_: Controller = PersistentVolumeController()
