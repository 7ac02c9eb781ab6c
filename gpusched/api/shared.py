"""Answers about JSON values that many objects have in common.

What is stored is never changed in place: a new version of an object is a new map that shares what
stayed. Nodes of one pool thus share their spec and their status, and what follows from these need
be worked out once. Nothing here knows what is asked of the values.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_MOST: Final = 4096
"""Answers kept at a time; every one keeps the values that it is about."""


class Shared(Generic[T]):
    """A function's answers by the identity of values, which costs nothing however large they are.

    Args:
        make: Returns the answer about ``values`` and ``more``; its answer is shared, too, and must
            not be changed by anybody.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._known: dict[Hashable, tuple[tuple[Any, ...], T]] = {}

    def of(self, values: tuple[Any, ...], *more: Hashable) -> T:
        """Return ``make(*values, *more)``, made once for these very values.

        >>> lengths, names = Shared(len), ["a", "b"]
        >>> lengths.of((names,)), lengths.of((names,))
        (2, 2)
        """
        key = (*map(id, values), *more)
        found = self._known.get(key)
        if found is None:  # kept with its values: their identities stay theirs
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[key] = (values, self._make(*values, *more))
        return found[1]
