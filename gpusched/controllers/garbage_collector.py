"""Garbage collection: what no living owner holds is deleted; foreground and orphan deletion are carried out.

Source: kubernetes/kubernetes pkg/controller/garbagecollector/garbagecollector.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Controller,
    Delete,
    Json,
    Key,
    PodView,
    Reader,
    Read,
    Update,
    Wake,
    Work,
)

KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ControllerRevision")
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class GarbageCollector:
    """Deletes dependents. Its keys are the uids of owners, in the place of a name."""

    name: ClassVar[str] = "generic-garbage-collector"
    watches: ClassVar[tuple[str, ...]] = (*KINDS, "Pod")
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 20
    pace: ClassVar[int] = 2

    def __init__(self) -> None:
        self._leaving: dict[str, tuple[str, Key]] = {}

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return an owner that went or is going, the owner of something that went, and the missing owner of what came."""
        if change.kind == "Pod":
            pod: PodView = change.new
            owner = pod.owner
            if owner is None:
                return ()
            if change.verb == "DELETED":
                return (Wake(("", owner[2])),) if owner[2] in self._leaving else ()
            return (Wake(("", owner[2])),) if change.verb == "ADDED" and not reader.exists(owner[2]) else ()
        return self._of_object(change, reader)

    def _of_object(self, change: Change, reader: Reader) -> Iterable[Wake]:
        meta = change.new["metadata"]
        uid = meta["uid"]
        owners = [owner["uid"] for owner in meta.get("ownerReferences") or ()]
        if change.verb == "DELETED":
            self._leaving.pop(uid, None)
            return [Wake(("", uid)), *(Wake(("", owner)) for owner in owners if owner in self._leaving)]
        wakes = [Wake(("", owner)) for owner in owners if not reader.exists(owner)]
        if meta.get("deletionTimestamp") and {FOREGROUND, ORPHAN} & set(meta.get("finalizers") or ()):
            self._leaving[uid] = (change.kind, change.key)
            wakes.append(Wake(("", uid)))
        return wakes

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete or orphan the dependents of one owner."""
        uid = key[1]
        leaving = self._leaving.get(uid)
        owner = reader.get(leaving[0], *leaving[1]) if leaving is not None else None
        dependents = reader.dependents(uid)
        if owner is None:
            if not reader.exists(uid):
                yield from self._delete(dependents, "Background")
            return None
        finalizers = owner["metadata"].get("finalizers") or ()
        if ORPHAN in finalizers:
            yield from self._orphan(uid, dependents, reader)
            yield from self._release(owner, ORPHAN)
        elif FOREGROUND in finalizers:
            if dependents:
                yield from self._delete(dependents, "Foreground")
            else:
                yield from self._release(owner, FOREGROUND)
        return None

    def _delete(self, dependents: Sequence[tuple[str, str, str]], propagation: str) -> Any:
        for kind in dict.fromkeys(kind for kind, _, _ in dependents):
            keys = [(namespace, name) for other, namespace, name in dependents if other == kind]
            for key in keys:
                try:
                    yield Read(kind, key)
                except ApiError:
                    continue
                yield Delete(kind, [key], propagation=propagation)

    def _orphan(self, uid: str, dependents: Sequence[tuple[str, str, str]], reader: Reader) -> Any:
        for kind, namespace, name in dependents:
            obj = yield Read(kind, (namespace, name))
            kept = [owner for owner in obj["metadata"].get("ownerReferences") or () if owner["uid"] != uid]
            yield Update(_with_meta(obj, "ownerReferences", kept))
        del reader

    def _release(self, owner: Json, finalizer: str) -> Any:
        kept = [name for name in owner["metadata"].get("finalizers") or () if name != finalizer]
        yield Update(_with_meta(owner, "finalizers", kept))


def _with_meta(obj: Json, field: str, value: list[Any]) -> Json:
    meta = {name: old for name, old in obj["metadata"].items() if name != field}
    return {**obj, "metadata": {**meta, field: value} if value else meta}


_: Controller = GarbageCollector()
