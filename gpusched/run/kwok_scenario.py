"""A recording of ``kwokctl snapshot record`` as a scenario: what its users did, at their times.

A recording holds every write. Here controllers and scheduler act themselves, so their writes are
left out: owned objects, bindings, status, leases, events.

Source: kubernetes-sigs/kwok pkg/apis/action/v1alpha1/resource_patch_types.go, v0.7.0
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gpusched.api.load import Manifest, Tell, load
from gpusched.api.scenario import Create, Delete, Patch, Scenario, Step
from gpusched.errors import Fault, InvalidInputError
from gpusched.run.exporting import is_users, user_made
from gpusched.run.kwok_stream import API_VERSION, KIND
from gpusched.sim.calendar import SECOND
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json

_MARK: Final = f"kind: {KIND}"
_AFTERWARDS: Final = 60 * SECOND
"""How long a scenario goes on after the last write of its recording."""
_METHODS: Final = ("create", "patch", "delete")
_RESOURCES: Final = {kind.resource: kind for kind in KINDS.values()}
_PASSING: Final = frozenset({"Event", "Lease"})
Key = tuple[str, str, str]


def is_recording(name: str) -> bool:
    """Return whether a file is a stream of ResourcePatch documents."""
    path = Path(name)
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as lines:
        return any(line.rstrip() == _MARK for line in lines)


def scenario_of_recording(name: str, tell: Tell | None = None) -> Scenario:
    """Return the scenario of a recording.

    Args:
        name: The file.
        tell: Is told, now and then, how far the reading has come.

    Raises:
        InvalidInputError: It cannot be read, or a ResourcePatch says what it cannot say.
    """
    found = load(name, judge=lambda _: (), tell=tell)
    patches = [item for item in found if item.object.get("kind") == KIND]
    faults = [fault for item in patches for fault in _faults(item)]
    if faults:
        raise InvalidInputError(faults)
    there = [item for item in found if item.object.get("kind") != KIND]
    reader = _Reader()
    fleet = tuple(reader.present(there))
    steps = tuple(step for item in patches for step in reader.step(item))
    last = max((_at(item.object) for item in patches), default=0)
    title = "".join(c if c.isalnum() else "-" for c in Path(name).stem.lower()).strip("-")
    return Scenario(
        name=title or "recording",
        file=name,
        fleet=fleet,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        until=last + _AFTERWARDS,
    )


def _at(patch: Json) -> int:
    return int(patch.get("durationNanosecond", 0)) // 1000


def _faults(item: Manifest) -> Iterator[Fault]:
    patch = item.object
    if patch.get("apiVersion") != API_VERSION:
        yield item.fault(f"apiVersion: {patch.get('apiVersion')}: known is {API_VERSION}")
    if patch.get("method") not in _METHODS:
        yield item.fault(f"method: {patch.get('method')}: not one of {', '.join(_METHODS)}")
    if not isinstance(patch.get("durationNanosecond", 0), int):
        yield item.fault("durationNanosecond: must be a whole number")
    resource = (patch.get("resource") or {}).get("resource")
    if resource not in _RESOURCES:
        yield item.fault(f"resource.resource: {resource}: not simulated")
    if not (patch.get("target") or {}).get("name"):
        yield item.fault("target.name: Required value")


class _Reader:
    """Tells the writes of users from those of controllers."""

    def __init__(self) -> None:
        self._known: set[Key] = set()

    def present(self, items: list[Manifest]) -> Iterator[Manifest]:
        """Yield what was there when the recording began."""
        for item in items:
            if is_users(item.object):
                yield self._noted(item, item.object)

    def step(self, item: Manifest) -> Iterator[Step]:
        """Yield what one ResourcePatch does, if a user did it."""
        patch = item.object
        kind = _RESOURCES[patch["resource"]["resource"]]
        target = patch["target"]
        key = (kind.name, target.get("namespace", ""), target["name"])
        template = patch.get("template") or {}
        if kind.name in _PASSING:
            return
        if patch["method"] == "create":
            obj = {"apiVersion": kind.api_version, "kind": kind.name, **template}
            if is_users(obj):
                yield Step(_at(patch), (Create((self._noted(item, obj),)),))
        elif key in self._known:
            yield from self._change(key, patch, template)

    def _noted(self, item: Manifest, obj: Json) -> Manifest:
        meta = obj["metadata"]
        self._known.add((obj["kind"], meta.get("namespace", ""), meta["name"]))
        return item.holding(user_made(obj))

    def _change(self, key: Key, patch: Json, template: Json) -> Iterator[Step]:
        kind, namespace, name = key
        place = {"kind": kind, "name": name, "namespace": namespace or None}
        if patch["method"] == "delete":
            self._known.discard(key)
            yield Step(_at(patch), (Delete.model_validate(place),))
            return
        change = _users_part(kind, template)
        if change:
            yield Step(_at(patch), (Patch.model_validate({**place, "patch": change}),))


def _users_part(kind: str, template: Json) -> dict[str, Any]:
    """Return what of a patch a user can have written."""
    named = {"kind": kind, **template, "metadata": template.get("metadata") or {}}
    kept = user_made(named)
    return {key: kept[key] for key in ("metadata", "spec", "value", "data") if kept.get(key)}
