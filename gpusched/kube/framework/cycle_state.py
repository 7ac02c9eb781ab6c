"""What plugins remember between the extension points of one attempt."""

from typing import Final, Protocol, Self


class StateData(Protocol):
    """A plugin's data; cloned when a dry run must not disturb the attempt.

    Immutable data may return itself from `clone`.
    """

    def clone(self) -> Self:
        """Return a copy whose changes do not show in the original."""
        ...


class Prepared:
    """Says no more than that a step has run, for plugins that keep their data elsewhere."""

    __slots__ = ()

    def clone(self) -> Self:
        """Return itself: there is nothing to change."""
        return self


PREPARED: Final = Prepared()


class CycleState:
    """Data by plugin name, and which plugins are skipped.

    Attributes:
        skip_filter: Plugins whose Filter (and AddPod, RemovePod) is skipped, from PreFilter.
        skip_score: Plugins whose Score is skipped, from PreScore.
        is_bare: Whether it is known that neither Reserve nor PreBind has anything to do.
    """

    __slots__ = ("_data", "is_bare", "skip_filter", "skip_score")

    def __init__(self) -> None:
        self._data: dict[str, StateData] = {}
        self.skip_filter: frozenset[str] = frozenset()
        self.skip_score: frozenset[str] = frozenset()
        self.is_bare = False

    def write(self, key: str, data: StateData) -> None:
        """Keep ``data`` under ``key``: ``PreFilter<Plugin>`` or ``PreScore<Plugin>``."""
        self._data[key] = data

    def read(self, key: str) -> StateData | None:
        """Return what is under ``key``, or None."""
        return self._data.get(key)

    def without_filters(self, plugins: frozenset[str]) -> "CycleState":
        """Return the same data with more Filter plugins skipped."""
        fewer = CycleState()
        fewer._data = self._data
        fewer.skip_filter = self.skip_filter | plugins
        fewer.skip_score = self.skip_score
        return fewer

    def clone(self) -> "CycleState":
        """Return a copy for a dry run."""
        copy = CycleState()
        copy._data = {key: data.clone() for key, data in self._data.items()}
        copy.skip_filter = self.skip_filter
        copy.skip_score = self.skip_score
        copy.is_bare = self.is_bare
        return copy
