"""Resource names as rows: cpu in milli, everything else in whole units."""

from collections.abc import Iterable
from typing import Final

from gpusched.api import names

CPU: Final = 0
MEMORY: Final = 1
EPHEMERAL_STORAGE: Final = 2
STANDARD: Final = ("cpu", "memory", "ephemeral-storage")
PODS: Final = "pods"

_NATIVE_DOMAIN: Final = "kubernetes.io/"
_QUOTA_PREFIX: Final = "requests."


class ResourceNames:
    """The resource names met so far, each with a row of its own; rows are never reused.

    Rows 0, 1 and 2 are cpu (milli-CPU), memory and ephemeral-storage (bytes); scalar
    resources (``nvidia.com/gpu``, hugepages, …) follow in order of first appearance.
    """

    __slots__ = ("_rows", "names")

    def __init__(self) -> None:
        self.names: list[str] = list(STANDARD)
        self._rows: dict[str, int] = {name: row for row, name in enumerate(STANDARD)}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.names)

    def row(self, name: str) -> int:
        """Return the row of ``name``, giving it a new one at first sight."""
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = len(self.names)
            self.names.append(name)
        return row

    def find(self, name: str) -> int | None:
        """Return the row of ``name``, or None if nobody has named it yet."""
        return self._rows.get(name)

    def rows(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the row of each name, -1 for one that nobody has named yet."""
        return tuple(self._rows.get(name, -1) for name in names)


def is_extended(name: str) -> bool:
    """Return whether a resource is some vendor's own, e.g. ``nvidia.com/gpu``.

    Source: kubernetes/kubernetes pkg/apis/core/v1/helper/helpers.go, v1.36.1.

    >>> is_extended("nvidia.com/gpu"), is_extended("hugepages-2Mi"), is_extended("kubernetes.io/x")
    (True, False, False)
    """
    if "/" not in name or _NATIVE_DOMAIN in name or name.startswith(_QUOTA_PREFIX):
        return False
    return not names.label_key(_QUOTA_PREFIX + name)


def is_scalar(name: str) -> bool:
    """Return whether the scheduler counts a resource beside cpu, memory and ephemeral storage.

    Source: kubernetes/kubernetes pkg/scheduler/util/utils.go (IsScalarResourceName), v1.36.1.
    """
    return (
        name.startswith(("hugepages-", "attachable-volumes-"))
        or _NATIVE_DOMAIN in name
        or is_extended(name)
    )


def is_counted(name: str) -> bool:
    """Return whether the scheduler counts a resource at all; ``storage``, say, it does not."""
    return name in STANDARD or is_scalar(name)
