"""Reading JSON objects in which any field may be missing, as Go reads them: absence is zero.

Each function walks a path of keys and gives the zero value of its type where Go would.
"""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object on the wire."""


def dig(value: Any, *path: str) -> Any:
    """Return what lies at ``path``, or None where a step is missing.

    >>> dig({"spec": {"nodeName": "a"}}, "spec", "nodeName")
    'a'
    """
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """Return the string at ``path``, or an empty one."""
    found = dig(value, *path)
    return "" if found is None else str(found)


def number(value: Any, *path: str) -> int:
    """Return the whole number at ``path``, or 0."""
    return int(dig(value, *path) or 0)


def rows(value: Any, *path: str) -> list[JsonObject]:
    """Return the list at ``path``, or an empty one."""
    return dig(value, *path) or []


def texts(value: Any, *path: str) -> list[str]:
    """Return the list of strings at ``path``, or an empty one."""
    return dig(value, *path) or []


def mapping(value: Any, *path: str) -> JsonObject:
    """Return the object at ``path``, or an empty one."""
    return dig(value, *path) or {}


def name_of(obj: JsonObject) -> str:
    """Return an object's name."""
    return text(obj, "metadata", "name")


def namespace_of(obj: JsonObject) -> str:
    """Return an object's namespace, empty for cluster-scoped ones."""
    return text(obj, "metadata", "namespace")


def labels_of(obj: JsonObject) -> dict[str, str]:
    """Return an object's labels."""
    return mapping(obj, "metadata", "labels")


def controller_of(obj: JsonObject) -> JsonObject | None:
    """Return the owner reference of the managing controller, if there is one."""
    owners = rows(obj, "metadata", "ownerReferences")
    return next((owner for owner in owners if owner.get("controller")), None)
