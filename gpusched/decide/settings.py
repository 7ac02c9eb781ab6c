"""What a user may choose about decisions: the tie-break, the engine, plugins of his own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from gpusched.api.config import ExtensionPoint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Attempt, Search, schedule
from gpusched.kube.framework.runtime import Framework, Registry
from gpusched.kube.plugins import IN_TREE

Engine: TypeAlias = Callable[[Framework, Snapshot, PodInfo, Search], Attempt]
"""One scheduling attempt."""

ENGINES: Final[Mapping[str, Engine]] = {"plain": schedule}
"""Engines by name; all give the same decisions."""


class TieBreak(StrEnum):
    """Who is chosen among the best nodes."""

    KUBE = "kube"
    NAME = "name"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to decide.

    Attributes:
        tie_break: As kube-scheduler at ``parallelism: 1``, the first name, or at random.
        engine: One of `ENGINES`.
        seed: Of the random tie-break; each case has a stream of its own, by its name.
        registry: Plugin name to factory.
        extension_points: The extension points of plugins that are not in-tree.
    """

    tie_break: TieBreak = TieBreak.KUBE
    engine: str = "plain"
    seed: int = 0
    registry: Registry = field(default_factory=lambda: IN_TREE)
    extension_points: Mapping[str, frozenset[ExtensionPoint]] = field(default_factory=dict)
