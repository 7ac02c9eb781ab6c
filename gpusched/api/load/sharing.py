"""Pods and nodes by the hundred thousand: what their manifests have in common is held once.

Parsed anew for each document, even the names of fields would take more memory than the file. The
map of an object and its metadata stay its own; what lies deeper must not be changed in place.
"""

from collections.abc import Callable
from sys import intern
from typing import Any, Final, NamedTuple

from gpusched.api.likeness import named_labels, nameless, renamed

_MANY: Final = {"Pod", "Node"}
"""Kinds of which there are many; others are left as they are."""
_MOST: Final = 1 << 16
"""Values that are remembered at a time; equal ones that are far apart are held twice."""
_MOST_ALIKE: Final = 4096
"""Objects that are remembered at a time for those that differ from them by their name alone."""


def is_of_many(obj: Any) -> bool:
    """Return whether an object is of a kind of which there are many."""
    return isinstance(obj, dict) and isinstance(obj.get("kind"), str) and obj["kind"] in _MANY


class Alike(NamedTuple):
    """An object that differs from another by its name alone.

    Attributes:
        other: The other one.
        name: Its own name.
        named: The keys of the labels that hold the name.
    """

    other: dict[str, Any]
    name: str
    named: tuple[str, ...]

    def object(self) -> dict[str, Any]:
        """Return the object; what it has in common with the other one is the same."""
        return renamed(self.other, self.name, self.named)


class Sharing:
    """Makes equal parts of objects the same part."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._alike: dict[bytes, tuple[dict[str, Any], tuple[str, ...]]] = {}
        self._makers: dict[type, Callable[[Any], Any]] = {
            str: self._text,
            dict: self._map,
            list: self._list,
        }

    def share(self, obj: Any) -> Any:
        """Return an equal object that shares what it can with those before it."""
        found = self.kept(obj)
        return found.object() if isinstance(found, Alike) else found

    def kept(self, obj: Any) -> Any:
        """Return the same, or what the object is like if it differs by its name alone."""
        if not is_of_many(obj):
            return obj
        content = nameless(obj)
        alike = self._alike.get(content) if content is not None else None
        if alike is not None:
            return Alike(alike[0], obj["metadata"]["name"], alike[1])
        if len(self._known) > _MOST:
            self._known.clear()
        made = {
            intern(name): self._own(value) if name == "metadata" else self._value(value)
            for name, value in obj.items()
        }
        if content is not None:
            if len(self._alike) >= _MOST_ALIKE:
                self._alike.clear()
            self._alike[content] = made, named_labels(made["metadata"])
        return made

    def _own(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {intern(name): self._value(entry) for name, entry in value.items()}

    def _value(self, value: Any) -> Any:
        make = self._makers.get(type(value))
        return value if make is None else make(value)

    def _text(self, text: str) -> str:
        found: str = self._known.setdefault(text, text)
        return found

    def _map(self, value: dict[str, Any]) -> dict[str, Any]:
        made = {intern(name): self._value(entry) for name, entry in value.items()}
        # Parts are shared themselves, and live as long as what is remembered of them.
        key = (*made, *map(id, made.values()))
        found: dict[str, Any] = self._known.setdefault(key, made)
        return found

    def _list(self, value: list[Any]) -> list[Any]:
        made = [self._value(entry) for entry in value]
        found: list[Any] = self._known.setdefault((list, *map(id, made)), made)
        return found
