"""Pods that change hands: those without an owner are adopted, those that do not match are released.

Source: kubernetes/kubernetes pkg/controller/controller_ref_manager.go (ClaimObject),
pkg/controller/replicaset/replica_set.go (addPod, updatePod), v1.36.1
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from gpusched.controllers.interest import CREATED, REWRITTEN, PodInterest, of_owners
from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Json,
    Key,
    PodView,
    Read,
    Reader,
    Update,
    key_of,
)
from gpusched.controllers.references import owner_reference
from gpusched.controllers.selectors import selects

Fits = Callable[[Json, PodView], bool]
"""Whether an owner may take a pod."""


def _always(_owner: Json, _pod: PodView) -> bool:
    return True


Mark = tuple[str, str, str]
"""A namespace and one label in it: whoever selects a pod by labels shares one with it."""


@dataclass(slots=True)
class Claims:
    """Which pods may have to change hands, for the owners of one kind.

    Attributes:
        kind: The kind of the owners.
        fits: What must hold of an owner and a pod beside the selector.
    """

    kind: str
    fits: Fits = _always
    _owners: dict[Mark, dict[Key, None]] = field(default_factory=dict)
    _ownerless: dict[Mark, dict[Key, None]] = field(default_factory=dict)
    _strays: dict[Key, dict[Key, None]] = field(default_factory=dict)

    @property
    def interests(self) -> tuple[PodInterest, ...]:
        """The pods that such owners have, and, if there are such owners, those that nobody has."""
        nobody = PodInterest(CREATED | REWRITTEN, owners=("",), beside=self.kind)
        return (*of_owners(self.kind), nobody)

    def owner_changed(self, change: Change, reader: Reader) -> None:
        """Learn of an owner; the first one makes it worth while to know who has none."""
        if change.verb == "MODIFIED":
            return
        mark = _mark_of(change.new)
        if change.verb == "DELETED":
            self._strays.pop(change.key, None)
            self._owners.get(mark, {}).pop(change.key, None)
            if not reader.objects(self.kind):
                self._owners.clear()
                self._ownerless.clear()
            return
        if not self._owners:
            for pod in reader.pods():
                if pod.owner is None:
                    self._note(pod)
        self._owners.setdefault(mark, {})[change.key] = None

    def pod_changed(self, change: Change, reader: Reader) -> Iterable[Key]:
        """Return the owners whom a pod concerns beside the one that it has."""
        old, pod = change.old, change.new
        if pod.owner is not None and not change.facets & REWRITTEN:
            return ()
        wakes: list[Key] = []
        if old is not None and old.owner != pod.owner and _is_of(old, self.kind):
            wakes.append((pod.namespace, old.owner[1]))
        if _is_of(pod, self.kind):
            if old is not None and change.facets & REWRITTEN:
                strays = self._strays.setdefault((pod.namespace, pod.owner[1]), {})
                strays[pod.namespace, pod.name] = None
        elif pod.owner is None and self._owners and change.facets & (CREATED | REWRITTEN):
            self._note(pod)
            for mark in _marks_on(pod):
                for key in self._owners.get(mark, ()):
                    found = reader.get(self.kind, *key)
                    wakes += [key] if found and self._may_adopt(found, pod) else []
        return wakes

    def settle(self, found: Json, reader: Reader) -> Any:
        """Release the pods of an owner that it does not select, adopt those that nobody has."""
        for key in self._strays.pop(key_of(found), ()):
            pod = reader.pod(*key)
            if pod is not None and not selects(found["spec"].get("selector"), pod.labels):
                yield from _write_owners(key, _without(found))
        candidates = self._ownerless.get(_mark_of(found), {})
        for key in list(candidates):
            pod = reader.pod(*key)
            if pod is None or pod.owner is not None:
                del candidates[key]
            elif self._may_adopt(found, pod):
                yield from _write_owners(key, _with(found))

    def _note(self, pod: PodView) -> None:
        for mark in _marks_on(pod):
            self._ownerless.setdefault(mark, {})[pod.namespace, pod.name] = None

    def _may_adopt(self, found: Json, pod: PodView) -> bool:
        leaving = found["metadata"].get("deletionTimestamp")
        return (
            not leaving
            and pod.active
            and found["metadata"]["namespace"] == pod.namespace
            and selects(found["spec"].get("selector"), pod.labels)
            and self.fits(found, pod)
        )


def _mark_of(found: Json) -> Mark:
    """Return the last label that an owner asks for, which sets its pods apart best."""
    wanted = (found["spec"].get("selector") or {}).get("matchLabels") or {}
    return (found["metadata"]["namespace"], *([*wanted.items()] or [("", "")])[-1])


def _marks_on(pod: PodView) -> Iterable[Mark]:
    return [(pod.namespace, *label) for label in (("", ""), *pod.labels.items())]


def _is_of(pod: PodView, kind: str) -> bool:
    return pod.owner is not None and pod.owner[0] == kind


def _with(found: Json) -> Any:
    return lambda owners: [*owners, owner_reference(found)]


def _without(found: Json) -> Any:
    uid: Final = found["metadata"]["uid"]
    return lambda owners: [owner for owner in owners if owner["uid"] != uid]


def _write_owners(key: Key, change: Any) -> Any:
    """Write a pod's owners; one that has gone meanwhile has none."""
    try:
        obj = yield Read("Pod", key)
    except ApiError:
        return
    meta = {name: value for name, value in obj["metadata"].items() if name != "ownerReferences"}
    owners = change(obj["metadata"].get("ownerReferences") or [])
    if owners:
        meta["ownerReferences"] = owners
    yield Update({**obj, "metadata": meta}, owners_only=True)
