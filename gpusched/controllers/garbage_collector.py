"""Garbage collection: what no living owner holds is deleted; of others dead references are removed.

All owners count, controlling or not. Foreground and orphan deletion are carried out.

Source: kubernetes/kubernetes pkg/controller/garbagecollector/garbagecollector.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar

from gpusched.controllers.interest import CREATED, GONE, REWRITTEN, PodInterest
from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Controller,
    Delete,
    Json,
    Key,
    Read,
    Reader,
    Update,
    Wake,
    Work,
)

KINDS = (
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ControllerRevision",
    "Namespace",
    "Node",
    "Service",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "LimitRange",
    "ResourceQuota",
    "ReplicationController",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PriorityClass",
    "StorageClass",
    "CSINode",
    "CSIDriver",
    "CSIStorageCapacity",
    "VolumeAttachment",
    "Lease",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
    "DeviceClass",
)
"""All but pods, which are watched in another way, and events, which upstream leaves out, too."""
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_GOLDEN_SECTION = (5**0.5 - 1) / 2
_CLAIMS = ("PersistentVolumeClaim", "ResourceClaim")
Item = tuple[str, str, str]
"""Kind, namespace and name."""
_T = TypeVar("_T")


class GarbageCollector:
    """Deletes dependents.

    Its keys are a dependent's kind and ``namespace/name``, or nothing and the uid of an owner that
    is going.
    """

    name: ClassVar[str] = "generic-garbage-collector"
    watches: ClassVar[tuple[str, ...]] = (*KINDS, "Pod")
    pods: ClassVar[tuple[PodInterest, ...]] = (
        PodInterest(CREATED, owned=True, before=False),
        PodInterest(GONE),
    )
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 20
    pace: ClassVar[int] = 2

    def __init__(self) -> None:
        self._leaving: dict[str, tuple[str, Key]] = {}

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return what lost its owner, what came too late for it, and owners that are going."""
        if change.verb != "DELETED" and not _refers(change):
            return ()
        new = _referrer(change.kind, change.new)
        if change.verb == "DELETED":
            self._leaving.pop(new.uid, None)
            left = reader.dependents(new.uid)
            items = scattered([item for item in left if not _is_left_alone(item, reader)])
            return [*(Wake(_item(*item)) for item in items), *self._waiting(new.owners)]
        before = _referrer(change.kind, change.old).owners if change.old is not None else ()
        wakes = [*self._waiting(owner for owner in before if owner not in new.owners)]
        lost = change.facets & (CREATED | REWRITTEN) and not all(
            reader.finds(owner, change.key[0]) for owner in new.owners
        )
        if lost and not (change.kind in _CLAIMS and new.is_of_pod):
            wakes.append(Wake(_item(change.kind, *change.key)))
        if new.waits:
            self._leaving[new.uid] = (change.kind, change.key)
            wakes.append(Wake(("", new.uid)))
        return wakes

    def _waiting(self, owners: Iterable[Json]) -> Iterable[Wake]:
        """Return the owners that wait for their dependents to go."""
        return [Wake(("", owner["uid"])) for owner in owners if owner["uid"] in self._leaving]

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete one dependent, or deal with the dependents of an owner that is going."""
        if key[0]:
            namespace, _, name = key[1].partition("/")
            yield from self._collect((key[0], namespace, name), reader)
            return None
        leaving = self._leaving.get(key[1])
        owner = reader.get(leaving[0], *leaving[1]) if leaving is not None else None
        if owner is None:
            return None
        dependents = reader.dependents(key[1])
        finalizers = owner["metadata"].get("finalizers") or ()
        if ORPHAN in finalizers:
            yield from self._orphan(key[1], dependents)
            yield from self._release(owner, ORPHAN)
        elif dependents:
            for item in dependents:
                yield from self._settle(item, _owners_of(item, reader), reader, "Foreground")
        else:
            yield from self._release(owner, FOREGROUND)
        return None

    def _collect(self, item: Item, reader: Reader) -> Any:
        """Deal with an object that lost an owner, after a look at it."""
        try:
            obj = yield Read(item[0], item[1:])
        except ApiError:
            return
        owners = obj["metadata"].get("ownerReferences") or ()
        yield from self._settle(item, owners, reader, "Background")

    def _settle(self, item: Item, owners: Sequence[Json], reader: Reader, propagation: str) -> Any:
        """Delete what no owner holds any more; of others remove the references that are dead."""
        kind, *key = item
        kept = [owner for owner in owners if self._holds(owner, key[0], reader)]
        if not kept and owners:
            yield Delete(kind, [(key[0], key[1])], propagation=propagation)
        elif len(kept) < len(owners):
            meta = {"namespace": key[0], "name": key[1], "ownerReferences": kept}
            yield Update({"kind": kind, "metadata": meta}, owners_only=True)

    def _holds(self, owner: Json, namespace: str, reader: Reader) -> bool:
        """Return whether an owner is there and does not wait for its dependents to go."""
        leaving = self._leaving.get(owner["uid"])
        found = reader.get(leaving[0], *leaving[1]) if leaving is not None else None
        if found is not None and FOREGROUND in (found["metadata"].get("finalizers") or ()):
            return False
        return reader.finds(owner, namespace)

    def _orphan(self, uid: str, dependents: Sequence[Item]) -> Any:
        for kind, namespace, name in dependents:
            obj = yield Read(kind, (namespace, name))
            kept = [
                owner
                for owner in obj["metadata"].get("ownerReferences") or ()
                if owner["uid"] != uid
            ]
            yield Update(_with_meta(obj, "ownerReferences", kept), owners_only=True)

    def _release(self, owner: Json, finalizer: str) -> Any:
        kept = [name for name in owner["metadata"].get("finalizers") or () if name != finalizer]
        yield Update(_with_meta(owner, "finalizers", kept))


class _Referrer(NamedTuple):
    """What the collector looks at in an object.

    Attributes:
        uid: Its uid.
        owners: All its owner references.
        waits: Whether it is deleted, and waits for something to be done about its dependents.
    """

    uid: str
    owners: Sequence[Json]
    waits: bool

    @property
    def is_of_pod(self) -> bool:
        """Whether a pod controls it."""
        return any(owner.get("controller") and owner["kind"] == "Pod" for owner in self.owners)


def _referrer(kind: str, obj: Any) -> _Referrer:
    if kind == "Pod":
        return _Referrer(obj.uid, obj.owners, waits=False)
    meta = obj["metadata"]
    policies = {FOREGROUND, ORPHAN} & set(meta.get("finalizers") or ())
    waits = bool(meta.get("deletionTimestamp") and policies)
    return _Referrer(meta["uid"], meta.get("ownerReferences") or (), waits)


def _refers(change: Change) -> bool:
    """Return whether an object names owners, did so before, or is going: few writes need a look."""
    if change.kind == "Pod":
        return True
    told = {*change.new["metadata"], *(change.old["metadata"] if change.old is not None else ())}
    return not told.isdisjoint(("ownerReferences", "deletionTimestamp"))


def _owners_of(item: Item, reader: Reader) -> Sequence[Json]:
    kind, namespace, name = item
    found: Any = reader.pod(namespace, name) if kind == "Pod" else reader.get(*item)
    return _referrer(kind, found).owners if found is not None else ()


def _is_left_alone(item: Item, reader: Reader) -> bool:
    """Return whether an object is a claim of a pod's: its own controller deletes it."""
    if item[0] not in _CLAIMS:
        return False
    found = reader.get(*item)
    return found is not None and _referrer(item[0], found).is_of_pod


def _item(kind: str, namespace: str, name: str) -> Key:
    return kind, f"{namespace}/{name}"


def scattered(items: Sequence[_T]) -> list[_T]:
    """Return items in an order that does not follow their age, as upstream's map has none.

    Each comes a golden section of the whole behind the one before, so that every stretch of the
    order takes its share of the old and of the young, as a drawn order does on the average.

    >>> scattered("abcdefgh")
    ['b', 'g', 'd', 'a', 'f', 'c', 'h', 'e']
    """
    order = sorted(range(len(items)), key=lambda index: (index * _GOLDEN_SECTION + 0.5) % 1)
    return [items[index] for index in order]


def _with_meta(obj: Json, field: str, value: list[Any]) -> Json:
    meta = {name: old for name, old in obj["metadata"].items() if name != field}
    return {**obj, "metadata": {**meta, field: value} if value else meta}


_: Controller = GarbageCollector()
