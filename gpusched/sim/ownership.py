"""Owner references: who names whom, and whether the owner is there.

This file must not know what becomes of an object without owners; the garbage collector does.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json, Pod

Item = tuple[str, str, str]
"""Kind, namespace and name."""


class _Objects(Protocol):
    def get(self, kind: str, namespace: str, name: str) -> Json | None: ...

    def find(self, key: tuple[str, str]) -> Pod | None: ...


class Dependents:
    """What names each owner; a pod's controller is left to the index of its pods."""

    def __init__(self) -> None:
        self._items: defaultdict[str, dict[Item, None]] = defaultdict(dict)

    def of(self, uid: str) -> Sequence[Item]:
        """Return what names ``uid`` as an owner, oldest first."""
        found = self._items.get(uid)
        return tuple(found) if found else ()

    def move(self, item: Item, before: Sequence[str], after: Sequence[str]) -> None:
        """Enter an object under its present owners' uids, no longer under those it had."""
        if before == after:
            return
        for uid in chain(before, after):
            self._items[uid].pop(item, None)
        for uid in after:
            self._items[uid][item] = None


def owner_uids(obj: Json | None) -> Sequence[str]:
    """Return the uids of all owners of an object (not a pod)."""
    owners = obj["metadata"].get("ownerReferences") if obj is not None else None
    return [owner["uid"] for owner in owners] if owners else ()


def owner_is_there(objects: _Objects, owner: Json, namespace: str) -> bool:
    """Return whether the owner is there that an object in ``namespace`` refers to.

    The reference's words count, as upstream asks for the owner by them and compares the uid. An
    owner of a kind that is not served counts as there, for nobody can know; so does one that lives
    in a namespace for an object that is in none, which upstream does not judge.

    Source: kubernetes/kubernetes pkg/controller/garbagecollector/garbagecollector.go (isDangling),
    v1.36.1
    """
    kind = KINDS.get(owner["kind"])
    if kind is None or kind.api_version != owner["apiVersion"]:
        return True
    if kind.namespaced and not namespace:
        return True
    key = (namespace if kind.namespaced else "", owner["name"])
    if kind.name == "Pod":
        pod = objects.find(key)
        return pod is not None and pod.uid == owner["uid"]
    found = objects.get(kind.name, *key)
    return found is not None and bool(found["metadata"]["uid"] == owner["uid"])
