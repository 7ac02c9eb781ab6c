"""The exception tree. Expected outcomes (a pod that does not fit) are data, never exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass


class GpuschedError(Exception):
    """Base of everything that gpusched raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one place of a user's input.

    Attributes:
        message: What is wrong, with value and remedy, in upstream's words where it has some.
        file: The file as the user named it, ``<stdin>`` for standard input, or an empty string.
        document: 1-based number of the YAML document in the file; 0 where it does not apply.
        line: 1-based line in the file; 0 where it is not known.
        field: The field's path, e.g. ``spec.containers[0].image``; empty where it does not apply.
    """

    message: str
    file: str = ""
    document: int = 0
    line: int = 0
    field: str = ""

    def __str__(self) -> str:
        """Return ``file:line: document N: message`` with the known parts only."""
        place = self.file + (f":{self.line}" if self.line else "")
        parts = [place, f"document {self.document}" if self.document > 1 else "", self.message]
        return ": ".join(part for part in parts if part)


class InvalidInputError(GpuschedError, ValueError):
    """A user's file or argument cannot be used; carries every fault that was found in it.

    Attributes:
        faults: All faults, in the order of the input.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InvariantError(GpuschedError, AssertionError):
    """Our own bug: a law of the simulation does not hold. The message carries the story."""
