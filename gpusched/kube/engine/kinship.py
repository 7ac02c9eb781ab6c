"""By what a pod's plan and failures are known: its shape, or all shapes of its kind.

Pods with a label, or an owner, of their own have a shape each. They may share all the same what is
worked out for one of them, as long as nobody who reads labels and owners has a say, or all who do
read the same of them: the pods of a StatefulSet are spread alike.
"""

from collections.abc import Hashable
from typing import Final, TypeAlias

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodShape
from gpusched.kube.framework.runtime import Framework

Version: TypeAlias = tuple[object, ...]
Key: TypeAlias = tuple[str, object]
"""A profile, and what stands for shapes that are kin."""

_MOST_SHAPES: Final = 1024


class Kinship:
    """Tells whose plan a pod may use.

    Args:
        cache: The cluster.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._asked: dict[tuple[str, PodShape], tuple[Version, Key]] = {}
        self._kinds: dict[Hashable, object] = {}

    def of(self, framework: Framework, shape: PodShape) -> tuple[Key, Version]:
        """Return by what a plan is known, and what it hangs on beside that and node states."""
        name = framework.profile.scheduler_name
        nodes, version = self._cache.nodes.version, self._cache.plan_version(shape)
        asked = self._asked.get((name, shape))
        if asked is None or asked[0] != version:
            if len(self._asked) >= _MOST_SHAPES:
                self._asked.clear()
            asked = self._asked[name, shape] = (version, (name, self._kind(framework, shape)))
        return asked[1], (nodes, version[0])

    def _kind(self, framework: Framework, shape: PodShape) -> object:
        """Return what stands for all shapes to whose labels and owners nobody answers otherwise.

        It stands for what is read of them, too: what their owners select by need not be compared.
        """
        snapshot = self._cache.snapshot()
        read = tuple(reader.reading(shape, snapshot) for reader in framework.label_readers)
        if not any(read):
            return shape.kin
        if len(self._kinds) >= _MOST_SHAPES:
            self._kinds.clear()
        return self._kinds.setdefault((framework.profile.scheduler_name, shape.kin, read), object())
