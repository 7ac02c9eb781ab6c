"""Volumes and claims as the scheduler believes them to be until the API says something newer.

Source: kubernetes/kubernetes pkg/scheduler/util/assumecache/assume_cache.go, v1.36.1
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

from gpusched.cluster.objects import Lister

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class AssumedObjects(Generic[K, V]):
    """Changes in memory over a lister; one lasts until the object itself changes or goes."""

    def __init__(self) -> None:
        self._assumed: dict[K, tuple[V, V]] = {}

    def get(self, key: K, lister: Lister[K, V]) -> V | None:
        """Return an object as it is believed to be, or None."""
        return self._believed(key, lister.get(key))

    def assume(self, key: K, original: V, changed: V) -> None:
        """Believe from now on that ``original`` has become ``changed``."""
        self._assumed[key] = (original, changed)

    def restore(self, key: K) -> None:
        """Believe the lister again."""
        self._assumed.pop(key, None)

    def _believed(self, key: K, known: V | None) -> V | None:
        assumed = self._assumed.get(key)
        if assumed is None or known is None:
            return known
        original, changed = assumed
        if original is known:
            return changed
        del self._assumed[key]
        return known
