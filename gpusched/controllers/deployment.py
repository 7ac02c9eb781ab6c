"""Deployment: ReplicaSets that follow its template, rolled by its strategy.

The arithmetic of a rollout is in `controllers.rollout`, its conditions in `controllers.progress`.

Source: kubernetes/kubernetes
pkg/controller/deployment/{deployment_controller,sync,rolling,recreate}.go, v1.36.1
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.controllers import progress, rollout
from gpusched.controllers.interest import PodInterest, of_owners
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
    Update,
    UpdateStatus,
    Wake,
    Work,
    key_of,
    reference,
)
from gpusched.controllers.references import controller_of, owner_reference
from gpusched.controllers.selectors import selects
from gpusched.controllers.template_hash import template_hash

HASH = "pod-template-hash"


class DeploymentController:
    """Creates and scales the ReplicaSets of Deployments."""

    name: ClassVar[str] = "deployment-controller"
    watches: ClassVar[tuple[str, ...]] = ("Deployment", "ReplicaSet", "Pod")
    pods: ClassVar[tuple[PodInterest, ...]] = of_owners("ReplicaSet")
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._ownerless: dict[Key, None] = {}

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the Deployment itself, those of a ReplicaSet, or a deleted pod's Deployment."""
        if change.kind == "Deployment":
            return (Wake(change.key),)
        if change.kind == "ReplicaSet":
            return self._of_replica_set(change, reader)
        return self._of_pod(change, reader) if change.verb == "DELETED" else ()

    def _of_replica_set(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return a ReplicaSet's owner, or whoever selects one that has none."""
        self._ownerless.pop(change.key, None)
        owner = controller_of(change.new)
        if owner is not None:
            return (Wake((change.key[0], owner["name"])),) if owner["kind"] == "Deployment" else ()
        if change.verb == "DELETED":
            return ()
        self._ownerless[change.key] = None
        return [
            Wake(key_of(found))
            for found in reader.objects("Deployment", change.key[0])
            if _may_adopt(found, change.new)
        ]

    def _of_pod(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return a Recreate Deployment whose last pod has gone."""
        pod: PodView = change.new
        if pod.owner is None or pod.owner[0] != "ReplicaSet":
            return ()
        replica_set = reader.get("ReplicaSet", pod.namespace, pod.owner[1])
        owner = controller_of(replica_set) if replica_set else None
        found = reader.get("Deployment", pod.namespace, owner["name"]) if owner else None
        recreates = found is not None and found["spec"]["strategy"]["type"] == "Recreate"
        return (Wake(key_of(found)),) if found and recreates else ()

    def sync(self, key: Key, reader: Reader) -> Work:
        """Take one step of the rollout and write the status."""
        found = reader.get("Deployment", *key)
        if found is None:
            return None
        try:
            yield from self._adopt(found, reader)
            view = rollout.View(found, reader.owned("ReplicaSet", found["metadata"]["uid"]))
            if found["metadata"].get("deletionTimestamp"):
                return (yield from self._write(view, reader, plain=True))
            yield from self._tell_of_pause(view, reader)
            if found["spec"].get("paused") or view.is_scaling():
                yield from self._scale_all(view, reader)
                return (yield from self._write(view, reader, plain=True))
            if found["spec"]["strategy"]["type"] == "Recreate":
                return (yield from self._recreate(view, reader))
            return (yield from self._roll(view, reader))
        except ApiError:
            return Outcome(retry=True)

    def _adopt(self, found: Json, reader: Reader) -> Any:
        """Become the owner of the ReplicaSets without one that the selector matches."""
        for key in list(self._ownerless):
            replica_set = reader.get("ReplicaSet", *key)
            if replica_set is not None and _may_adopt(found, replica_set):
                owners = [*_owners(replica_set), owner_reference(found)]
                meta = {**replica_set["metadata"], "ownerReferences": owners}
                yield Update({**replica_set, "metadata": meta})

    def _tell_of_pause(self, view: rollout.View, reader: Reader) -> Any:
        """Write that the rollout is paused or resumed.

        What was written is not read back: any other write of the Deployment fails in this sync.
        """
        status = progress.when_paused(view.deployment, reader)
        if status is not None:
            yield UpdateStatus(view.deployment, status)
            view.deployment = {**view.deployment, "status": status}
            view.outdated = True

    # --- strategies -------------------------------------------------------------------------------

    def _roll(self, view: rollout.View, reader: Reader) -> Work:
        yield from self._ensure_new(view, reader)
        assert view.new is not None
        size = rollout.size_of_new(view)
        if (yield from self._scale(view, view.new, size)):
            return (yield from self._write(view, reader))
        scaled = yield from self._shrink_old(view)
        if not scaled and progress.is_complete(
            view.deployment, view.deployment.get("status") or {}
        ):
            yield from self._clean_up(view)
        return (yield from self._write(view, reader))

    def _shrink_old(self, view: rollout.View) -> Any:
        """Scale old ReplicaSets down as far as availability allows, unavailable pods first."""
        room = rollout.room_to_shrink(view)
        if room <= 0:
            return False
        scaled = False
        sizes, settled = rollout.without_unhealthy(view, room)
        for replica_set, size in sizes:
            scaled |= yield from self._scale(view, replica_set, size)
        if not settled:
            return False
        for replica_set, size in rollout.without_spare(view):
            scaled |= yield from self._scale(view, replica_set, size)
        return scaled

    def _recreate(self, view: rollout.View, reader: Reader) -> Work:
        yield from self._sync_new(view, reader)
        scaled = False
        for replica_set in view.old:
            if replica_set["spec"]["replicas"]:
                scaled |= yield from self._scale(view, replica_set, 0)
        if scaled or self._old_pods_run(view, reader):
            return (yield from self._write(view, reader))
        yield from self._ensure_new(view, reader)
        assert view.new is not None
        yield from self._scale(view, view.new, view.replicas)
        if progress.is_complete(view.deployment, view.deployment.get("status") or {}):
            yield from self._clean_up(view)
        return (yield from self._write(view, reader))

    def _old_pods_run(self, view: rollout.View, reader: Reader) -> bool:
        if any((item.get("status") or {}).get("replicas", 0) for item in view.old):
            return True
        pods = (pod for item in view.old for pod in reader.pods_of(item["metadata"]["uid"]))
        return any(pod.phase not in ("Succeeded", "Failed") for pod in pods)

    def _scale_all(self, view: rollout.View, reader: Reader) -> Any:
        yield from self._sync_new(view, reader)
        for replica_set, size in rollout.proportional_sizes(view):
            yield from self._scale(view, replica_set, size, force=True)

    # --- the new ReplicaSet -----------------------------------------------------------------------

    def _sync_new(self, view: rollout.View, reader: Reader) -> Any:
        """Bring annotations and revision of an existing new ReplicaSet up to date."""
        if view.new is None:
            return
        revision = str(max(view.max_old_revision() + 1, rollout.revision_of(view.new)))
        wanted = rollout.annotations_for(view, view.new, revision)
        seconds = view.deployment["spec"].get("minReadySeconds", 0)
        if wanted != view.new["metadata"].get("annotations", {}) or seconds != view.new["spec"].get(
            "minReadySeconds", 0
        ):
            spec = {**view.new["spec"], **({"minReadySeconds": seconds} if seconds else {})}
            view.replace(
                view.new,
                (
                    yield Update(
                        {
                            **view.new,
                            "metadata": {**view.new["metadata"], "annotations": wanted},
                            "spec": spec,
                        }
                    )
                ),
            )
        yield from self._note_revision(view, revision)
        held = (view.deployment.get("status") or {}).get("conditions") or ()
        if progress.deadline_of(view.deployment) is not None and not any(
            c["type"] == "Progressing" for c in held
        ):
            text = f'Found new replica set "{view.new["metadata"]["name"]}"'
            yield from self._note_progress(view, reader, "FoundNewReplicaSet", text)

    def _ensure_new(self, view: rollout.View, reader: Reader) -> Any:
        if view.new is not None:
            yield from self._sync_new(view, reader)
            return
        revision = str(view.max_old_revision() + 1)
        wanted = _new_replica_set(view, revision)
        name, size = wanted["metadata"]["name"], wanted["spec"]["replicas"]
        try:
            view.adopt((yield Create(wanted)))
        except ApiError as refusal:
            yield from self._not_created(view, reader, name, refusal)
            raise
        if size:
            yield self._event(view, f"Scaled up replica set {name} from 0 to {size}")
        if progress.deadline_of(view.deployment) is not None:
            view.set_revision(revision)
            yield from self._note_progress(
                view, reader, "NewReplicaSetCreated", f'Created new replica set "{name}"'
            )
        yield from self._note_revision(view, revision)

    def _not_created(self, view: rollout.View, reader: Reader, name: str, refusal: ApiError) -> Any:
        status = view.deployment.get("status") or {}
        if refusal.reason == "AlreadyExists":
            status = {**status, "collisionCount": status.get("collisionCount", 0) + 1}
            yield UpdateStatus(view.deployment, status)
        elif "NamespaceTerminating" not in refusal.causes:
            text = f'Failed to create new replica set "{name}": {refusal.message}'
            held = progress.with_progress(status, "False", "ReplicaSetCreateError", text, reader)
            yield UpdateStatus(view.deployment, {**status, "conditions": held})
            yield Emit(reference(view.deployment), "Warning", "ReplicaSetCreateError", text)

    def _note_revision(self, view: rollout.View, revision: str) -> Any:
        if view.set_revision(revision):
            view.check()
            view.deployment = yield Update(view.deployment)

    def _note_progress(self, view: rollout.View, reader: Reader, reason: str, text: str) -> Any:
        view.check()
        status = view.deployment.get("status") or {}
        held = progress.with_progress(status, "True", reason, text, reader)
        revised = view.deployment
        view.deployment = yield UpdateStatus(view.deployment, {**status, "conditions": held})
        view.deployment = {
            **view.deployment,
            "metadata": {
                **view.deployment["metadata"],
                "annotations": revised["metadata"].get("annotations", {}),
            },
        }

    # --- scaling ----------------------------------------------------------------------------------

    def _scale(
        self, view: rollout.View, replica_set: Json, size: int, *, force: bool = False
    ) -> Any:
        """Set a ReplicaSet's size; return whether it changed."""
        before = replica_set["spec"]["replicas"]
        if before == size and not force:
            return False
        notes = {
            **(replica_set["metadata"].get("annotations") or {}),
            **rollout.size_annotations(view),
        }
        if before == size and notes == replica_set["metadata"].get("annotations"):
            return False
        meta = {**replica_set["metadata"], "annotations": notes}
        changed = yield Update(
            {**replica_set, "metadata": meta, "spec": {**replica_set["spec"], "replicas": size}}
        )
        view.replace(replica_set, changed)
        if before == size:
            return False
        way = "up" if before < size else "down"
        yield self._event(
            view, f"Scaled {way} replica set {changed['metadata']['name']} from {before} to {size}"
        )
        return True

    def _event(self, view: rollout.View, text: str) -> Emit:
        return Emit(reference(view.deployment), "Normal", "ScalingReplicaSet", text)

    def _clean_up(self, view: rollout.View) -> Any:
        """Delete old ReplicaSets beyond the revision history."""
        doomed = rollout.beyond_history(view)
        if doomed:
            yield Delete("ReplicaSet", [key_of(item) for item in doomed])

    # --- status -----------------------------------------------------------------------------------

    def _write(self, view: rollout.View, reader: Reader, *, plain: bool = False) -> Work:
        """Write the status if it changed; else come back when the rollout may have stalled."""
        old = view.deployment.get("status") or {}
        status = progress.status_of(view, reader)
        if not plain:
            status = progress.with_rollout(view, status, reader)
        if status != old:
            view.check()
            yield UpdateStatus(view.deployment, status)
            return None
        return None if plain else progress.next_check(view.deployment, status, reader)


def _new_replica_set(view: rollout.View, revision: str) -> Json:
    """Return the ReplicaSet that a Deployment's present template needs."""
    found = view.deployment
    spec = found["spec"]
    label = template_hash(spec["template"], (found.get("status") or {}).get("collisionCount"))
    labels = {**((spec["template"].get("metadata") or {}).get("labels") or {}), HASH: label}
    template = {
        **spec["template"],
        "metadata": {**(spec["template"].get("metadata") or {}), "labels": labels},
    }
    selector = {
        **spec["selector"],
        "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH: label},
    }
    wanted: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{found['metadata']['name'][: 252 - len(label)]}-{label}",
            "namespace": found["metadata"]["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(found)],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        wanted["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    wanted["spec"]["replicas"] = rollout.initial_size(view)
    wanted["metadata"]["annotations"] = rollout.annotations_for(view, wanted, revision)
    return wanted


def _owners(obj: Json) -> list[Json]:
    return obj["metadata"].get("ownerReferences") or []


def _may_adopt(found: Json, replica_set: Json) -> bool:
    """Return whether a Deployment may become the owner of a ReplicaSet.

    Source: kubernetes/kubernetes pkg/controller/controller_ref_manager.go (ClaimObject), v1.36.1
    """
    meta, theirs = found["metadata"], replica_set["metadata"]
    leaving = meta.get("deletionTimestamp") or theirs.get("deletionTimestamp")
    return (
        not leaving
        and meta["namespace"] == theirs["namespace"]
        and controller_of(replica_set) is None
        and selects(found["spec"].get("selector"), theirs.get("labels") or {})
    )


_: Controller = DeploymentController()
