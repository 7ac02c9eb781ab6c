"""Garbage collection: what no living owner holds is deleted.

Foreground and orphan deletion are carried out.

Source: kubernetes/kubernetes pkg/controller/garbagecollector/garbagecollector.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from gpusched.controllers.interest import CREATED, GONE, PodInterest
from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Controller,
    Delete,
    Json,
    Key,
    PodView,
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
)
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_GOLDEN_SECTION = (5**0.5 - 1) / 2
_T = TypeVar("_T")


class GarbageCollector:
    """Deletes dependents.

    Its keys are a dependent's kind and ``namespace/name``, or nothing and the uid of an owner that
    is going.
    """

    name: ClassVar[str] = "generic-garbage-collector"
    watches: ClassVar[tuple[str, ...]] = (*KINDS, "Pod")
    pods: ClassVar[tuple[PodInterest, ...]] = (PodInterest(CREATED | GONE, owned=True),)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 20
    pace: ClassVar[int] = 2

    def __init__(self) -> None:
        self._leaving: dict[str, tuple[str, Key]] = {}

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return what lost its owner, what came too late for it, and owners that are going."""
        if change.kind == "Pod":
            return self._of_pod(change, reader)
        meta = change.new["metadata"]
        uid = meta["uid"]
        owners = [owner["uid"] for owner in meta.get("ownerReferences") or ()]
        if change.verb == "DELETED":
            self._leaving.pop(uid, None)
            waiting = [Wake(("", owner)) for owner in owners if owner in self._leaving]
            return [*(Wake(_item(*item)) for item in scattered(reader.dependents(uid))), *waiting]
        wakes = []
        if owners and not any(map(reader.exists, owners)):
            wakes.append(Wake(_item(change.kind, *change.key)))
        if meta.get("deletionTimestamp") and {FOREGROUND, ORPHAN} & set(
            meta.get("finalizers") or ()
        ):
            self._leaving[uid] = (change.kind, change.key)
            wakes.append(Wake(("", uid)))
        return wakes

    def _of_pod(self, change: Change, reader: Reader) -> Iterable[Wake]:
        pod: PodView = change.new
        owner = pod.owner
        if owner is None:
            return ()
        if change.verb == "DELETED":
            return (Wake(("", owner[2])),) if owner[2] in self._leaving else ()
        late = change.verb == "ADDED" and not reader.exists(owner[2])
        return (Wake(_item("Pod", *change.key)),) if late else ()

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete one dependent, or deal with the dependents of an owner that is going."""
        if key[0]:
            namespace, _, name = key[1].partition("/")
            yield from self._collect(key[0], (namespace, name))
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
            for kind, namespace, name in dependents:
                yield Delete(kind, [(namespace, name)], propagation="Foreground")
        else:
            yield from self._release(owner, FOREGROUND)
        return None

    def _collect(self, kind: str, key: Key) -> Any:
        """Delete an object that no owner holds any more, after a look at it."""
        try:
            yield Read(kind, key)
        except ApiError:
            return
        yield Delete(kind, [key])

    def _orphan(self, uid: str, dependents: Sequence[tuple[str, str, str]]) -> Any:
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
