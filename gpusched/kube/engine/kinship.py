"""By what a pod's plan and failures are known: its shape, or all shapes of its kind.

Pods with a label, or an owner, of their own have a shape each. They may share all the same what is
worked out for one of them, as long as nobody who reads labels and owners has a say.
"""

from typing import Final, TypeAlias

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodShape
from gpusched.kube.framework.runtime import Framework

Version: TypeAlias = tuple[object, ...]
Key: TypeAlias = tuple[str, object]
"""A profile, and a shape or the kin of many."""

_MOST_SHAPES: Final = 1024


class Kinship:
    """Tells whose plan a pod may use.

    Args:
        cache: The cluster.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._asked: dict[tuple[str, PodShape], tuple[Version, bool]] = {}

    def of(self, framework: Framework, shape: PodShape) -> tuple[Key, Version]:
        """Return by what a plan is known, and what it hangs on beside that and node states."""
        name = framework.profile.scheduler_name
        nodes, version = self._cache.nodes.version, self._cache.plan_version(shape)
        asked = self._asked.get((name, shape))
        if asked is None or asked[0] != version:
            if len(self._asked) >= _MOST_SHAPES:
                self._asked.clear()
            asked = self._asked[name, shape] = (version, self._is_plain(framework, shape))
        if asked[1]:
            return (name, shape.kin), (nodes, version[0])
        return (name, shape), (nodes, version)

    def _is_plain(self, framework: Framework, shape: PodShape) -> bool:
        """Return whether neither labels nor owner have a part in any answer about the shape."""
        snapshot = self._cache.snapshot()
        return all(reader.ignores(shape, snapshot) for reader in framework.label_readers)
