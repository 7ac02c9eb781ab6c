"""Answers of plugins: data, never exceptions.

Source: kubernetes/kube-scheduler framework/interface.go (Code, Status), v1.36.1.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from gpusched.cluster.nodes import Mask


class Code(IntEnum):
    """Status codes, with upstream's values and names (`Code.label`)."""

    SUCCESS = 0
    ERROR = 1
    UNSCHEDULABLE = 2
    UNSCHEDULABLE_AND_UNRESOLVABLE = 3
    WAIT = 4
    SKIP = 5
    PENDING = 6

    @property
    def label(self) -> str:
        """Return the name as upstream prints it.

        >>> Code.UNSCHEDULABLE_AND_UNRESOLVABLE.label
        'UnschedulableAndUnresolvable'
        """
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True, slots=True)
class Status:
    """One answer for the whole pod.

    Attributes:
        code: What it means.
        reasons: The words, in order; an error's text is the only reason.
        plugin: Who says so; filled in by the framework.
    """

    code: Code
    reasons: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def message(self) -> str:
        """Return the reasons as one text."""
        return ", ".join(self.reasons)

    @property
    def is_success(self) -> bool:
        """Return True for Success."""
        return self.code is Code.SUCCESS

    @property
    def is_rejected(self) -> bool:
        """Return True if the pod cannot be placed for now, as opposed to an error."""
        return self.code in _REJECTED

    def by(self, plugin: str) -> "Status":
        """Return the same answer with its author, unless it has one."""
        return self if self.plugin else replace(self, plugin=plugin)


_REJECTED = frozenset({Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE, Code.PENDING})

SUCCESS = Status(Code.SUCCESS)
SKIP = Status(Code.SKIP)


def unschedulable(*reasons: str) -> Status:
    """Return a rejection that evicting pods may cure."""
    return Status(Code.UNSCHEDULABLE, reasons)


def unresolvable(*reasons: str) -> Status:
    """Return a rejection that evicting pods cannot cure."""
    return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, reasons)


def error(text: str) -> Status:
    """Return a failure of the plugin itself."""
    return Status(Code.ERROR, (text,))


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """One reason of one plugin, and the nodes that it turns away.

    Several rejections of one plugin may name the same node: all their reasons count, and the
    node's code is the largest of theirs. A rejection with `Code.ERROR` is a failure: the first
    such node that the cycle reaches ends it, with ``reason`` as the error's text.

    Attributes:
        reason: The exact words, e.g. ``Insufficient nvidia.com/gpu``.
        nodes: True where it holds; shape (N,). The framework ignores nodes already rejected.
        code: UNSCHEDULABLE if eviction could help, UNSCHEDULABLE_AND_UNRESOLVABLE if not, ERROR.
    """

    reason: str
    nodes: Mask
    code: Code = Code.UNSCHEDULABLE

    def within(self, rows: Mask) -> "Rejection":
        """Return the same rejection, of those of its nodes that are in ``rows``."""
        return Rejection(self.reason, self.nodes & rows, self.code)
