"""Plugins that say what a test wants them to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from gpusched.api.config import ExtensionPoint, default_configuration
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import (
    NodeStatuses,
    Plugin,
    PostFilterResult,
    PreFilterResult,
)
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status
from gpusched.kube.nominator import Nominator

EVERY_NODE = PreFilterResult()
RESCUED = PostFilterResult(SUCCESS)


@dataclass
class Filters:
    """Turns away nodes by name.

    Attributes:
        rejects: Node -> (reason, code) pairs.
        crowded: Likewise, but only while another pod is on the node.
        before: What PreFilter says.
        calls: How often Filter ran.
        change: What AddPod and RemovePod say.
    """

    name: str = "Filters"
    rejects: Mapping[str, Sequence[tuple[str, Code]]] = field(default_factory=dict)
    crowded: Mapping[str, Sequence[tuple[str, Code]]] = field(default_factory=dict)
    before: PreFilterResult = EVERY_NODE
    calls: int = 0
    change: Status = SUCCESS

    def pre_filter(self, _state: CycleState, _pod: PodInfo, _view: Snapshot) -> PreFilterResult:
        return self.before

    def filter(self, _state: CycleState, _pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        self.calls += 1
        found = []
        for row, state in enumerate(nodes.states):
            said = list(self.rejects.get(nodes.info(row).name, ()))
            said += self.crowded.get(nodes.info(row).name, ()) if state.pods else ()
            for reason, code in said:
                mask = np.zeros(len(nodes), np.bool_)
                mask[row] = True
                found.append(Rejection(reason, mask, code))
        return found

    def add_pod(self, _s: CycleState, _p: PodInfo, _other: PodInfo, _nodes: Nodes) -> Status:
        return self.change

    def remove_pod(self, _s: CycleState, _p: PodInfo, _other: PodInfo, _nodes: Nodes) -> Status:
        return self.change


@dataclass
class Scores:
    """Scores nodes by name.

    Attributes:
        points: Node -> raw score; 0 for others.
        before: What PreScore says.
        fails: What Score says instead of scores.
    """

    name: str = "Scores"
    points: Mapping[str, int] = field(default_factory=dict)
    before: Status = SUCCESS
    fails: Status | None = None

    def pre_score(self, _s: CycleState, _p: PodInfo, _view: Snapshot, _rows: Ints) -> Status:
        return self.before

    def score(self, _s: CycleState, _p: PodInfo, view: Snapshot, rows: Ints) -> Ints | Status:
        if self.fails is not None:
            return self.fails
        names = [view.nodes.info(row).name for row in rows.tolist()]
        return np.array([self.points.get(name, 0) for name in names], np.int64)


@dataclass
class Doubling(Scores):
    """Scores with a NormalizeScore that doubles."""

    name: str = "Doubling"

    def normalize_score(self, _state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        return scores * 2


@dataclass
class Rescues:
    """Answers at PostFilter."""

    name: str = "Rescues"
    result: PostFilterResult = RESCUED

    def post_filter(
        self, _s: CycleState, _p: PodInfo, _view: Snapshot, _found: NodeStatuses
    ) -> PostFilterResult:
        return self.result


@dataclass
class Reserves:
    """Answers at Reserve, and writes down what it was asked."""

    name: str = "Reserves"
    answer: Status = SUCCESS
    log: list[str] = field(default_factory=list)

    def reserve(self, _s: CycleState, _p: PodInfo, _view: Snapshot, node: str) -> Status:
        self.log.append(f"{self.name} reserves {node}")
        return self.answer

    def unreserve(self, _s: CycleState, _p: PodInfo, _view: Snapshot, node: str) -> None:
        self.log.append(f"{self.name} gives {node} back")


@dataclass
class Inert:
    """Has a name and nothing else."""

    name: ClassVar[str] = "Inert"


def framework(
    *plugins: Any, weights: Mapping[str, int] | None = None, nominator: Nominator | None = None
) -> Framework:
    """Return a framework with these plugins at every point, in this order."""
    names = tuple(plugin.name for plugin in plugins)
    profile = replace(
        default_configuration().profiles[0],
        plugins={
            point: names if point is not ExtensionPoint.SCORE else _scoring(plugins)
            for point in ExtensionPoint
        },
        score_weights={name: (weights or {}).get(name, 1) for name in names},
    )
    registry = {plugin.name: _always(plugin) for plugin in plugins}
    return Framework(profile, registry, nominator or Nominator())


def _scoring(plugins: Sequence[Any]) -> tuple[str, ...]:
    return tuple(plugin.name for plugin in plugins if hasattr(plugin, "score"))


def _always(plugin: Plugin) -> Any:
    return lambda _args, _handle: plugin
