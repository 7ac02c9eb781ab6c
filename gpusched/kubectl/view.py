"""The one thing that this room is given: the objects of each kind, at an instant."""

from collections.abc import Iterable
from typing import Protocol

from gpusched.kubectl.fields import JsonObject, name_of, namespace_of


class View(Protocol):
    """Objects as they stood at one instant."""

    @property
    def now(self) -> int:
        """The instant, in microseconds since the Unix epoch; ages are counted from it."""
        ...

    def objects(self, kind: str) -> list[JsonObject]:
        """Return the objects of ``kind`` (e.g. ``Pod``), in any order; none of an unknown kind."""
        ...


class Snapshot:
    """A view over a given set of objects, e.g. the items of a recorded ``List``."""

    def __init__(self, objects: Iterable[JsonObject], now: int) -> None:
        self._now = now
        self._by_kind: dict[str, list[JsonObject]] = {}
        for obj in objects:
            self._by_kind.setdefault(obj["kind"], []).append(obj)

    @property
    def now(self) -> int:
        """See View."""
        return self._now

    def objects(self, kind: str) -> list[JsonObject]:
        """See View."""
        return self._by_kind.get(kind, [])


_: type[View] = Snapshot


def listing(view: View, kind: str, namespace: str = "") -> list[JsonObject]:
    """Return the objects of ``kind`` as the API server lists them: by its store's keys.

    Args:
        view: Where to look.
        kind: E.g. ``Pod``.
        namespace: Only objects of this namespace; empty for all.
    """
    found = view.objects(kind)
    if namespace:
        found = [obj for obj in found if namespace_of(obj) == namespace]
    return sorted(found, key=lambda obj: f"{namespace_of(obj)}/{name_of(obj)}")


def lookup(view: View, kind: str, namespace: str, name: str) -> JsonObject | None:
    """Return the one object with this name, or None."""
    candidates = (obj for obj in view.objects(kind) if name_of(obj) == name)
    return next((obj for obj in candidates if namespace_of(obj) == namespace), None)
