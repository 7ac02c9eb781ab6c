"""Filling in: the two ways in which a field can be missing."""

from gpusched.api.wire import Json


def fill(obj: Json, defaults: Json) -> None:
    """Set the fields that are absent or have their type's zero value.

    Fields whose explicit zero is kept (pointers in Go) take ``dict.setdefault`` instead.
    """
    for name, value in defaults.items():
        if not obj.get(name):
            obj[name] = value
