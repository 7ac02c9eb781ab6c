"""What has changed, for readers that catch up at their own pace."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_LONG: Final = 1 << 16


class News(Generic[T]):
    """Changes in order; begun anew once they have grown many.

    Attributes:
        entries: The changes; a reader that finds another list has missed some.
        has_readers: Whether anybody reads; until then nothing need be told.
    """

    __slots__ = ("entries", "has_readers")

    def __init__(self) -> None:
        self.entries: list[T] = []
        self.has_readers = False

    def add(self, entry: T) -> None:
        """Tell of one change."""
        if not self.has_readers:
            return
        if len(self.entries) >= _LONG:
            self.entries = []
        self.entries.append(entry)


class NewsReader(Generic[T]):
    """One who reads all news, now and then.

    Args:
        news: What to read; nothing of it has been read yet.
    """

    __slots__ = ("_entries", "_news", "_seen")

    def __init__(self, news: News[T]) -> None:
        self._news = news
        news.has_readers = True
        self._entries: list[T] = []
        self._seen = 0

    def read(self) -> Sequence[T] | None:
        """Return what has changed since the last call; None if that is not known."""
        entries = self._news.entries
        known = entries is self._entries
        found = entries[self._seen :] if known else None
        self._entries, self._seen = entries, len(entries)
        return found
