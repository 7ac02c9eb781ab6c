"""What a user may choose about decisions: the tie-break, the engine, plugins of his own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gpusched.api.config import ExtensionPoint
from gpusched.kube.framework.runtime import Registry
from gpusched.kube.plugins import IN_TREE

ENGINES: Final = ("scan", "verify")
"""Engines that know why each node was turned away, also of a pod that found one."""


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
    engine: str = "scan"
    seed: int = 0
    registry: Registry = field(default_factory=lambda: IN_TREE)
    extension_points: Mapping[str, frozenset[ExtensionPoint]] = field(default_factory=dict)
