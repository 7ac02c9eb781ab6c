"""What a scheduler writes beside bindings: claims, volumes, parts of a pod's status.

This file must not know how objects are stored.
"""

from typing import Any, Protocol

from gpusched.controllers.protocol import Json, Key


class ObjectWriter(Protocol):
    """The API server's verbs for whole objects; each refuses with an `ApiError`."""

    def wall_time(self) -> int:
        """Return the present as microseconds since the Unix epoch."""

    def read(self, kind: str, key: Key) -> Json:
        """GET an object."""

    def create(self, obj: Json) -> Json:
        """POST an object and return it as stored."""

    def replace(self, obj: Json, *, unchanged: bool = False) -> Json:
        """PUT an object but for its status, if need be only if it was not written meanwhile."""

    def replace_status(self, obj: Json, status: Json) -> Json:
        """PUT an object's status."""

    def patch_status(self, kind: str, key: Key, status: Json) -> Any:
        """PATCH single fields of an object's status."""

    def delete(self, kind: str, key: Key) -> None:
        """DELETE an object."""
