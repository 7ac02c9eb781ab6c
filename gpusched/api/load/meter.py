"""How far the reading of a file has come, for somebody who wants to be told."""

from collections.abc import Callable
from typing import Final

Tell = Callable[[str, int, float | None], object]
"""Told the file, how many objects have been read, and which part of the file (None: unknown)."""

_EACH: Final = 100
"""Objects between two words about them."""


class Meter:
    """Counts the objects of one file.

    Args:
        file: The file's name.
        tell: Is told, now and then; nobody, if None.

    Attributes:
        part: Returns which part of the file has been read.
    """

    def __init__(self, file: str, tell: Tell | None) -> None:
        self._file = file
        self._tell = tell
        self._objects = 0
        self.part: Callable[[], float | None] = lambda: None

    def count(self, part: Callable[[], float | None] | None = None) -> None:
        """Count one more object.

        Args:
            part: Returns which part has been read, where ``part`` of the file does not know.
        """
        self._objects += 1
        if self._tell is not None and not self._objects % _EACH:
            self._tell(self._file, self._objects, (part or self.part)())
