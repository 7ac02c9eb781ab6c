"""Dry runs remembered: what came of one tells of every node that is like it.

A dry run hangs on the node's amounts, its pods and the pods nominated to it alone, if no filter
looks further. Then nodes with equal amounts and equal pods, in the same order of importance, give
the same victims.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.status import Status
from gpusched.kube.plugins.default_preemption.budgets import Budget
from gpusched.kube.plugins.default_preemption.victims import by_importance

_MOST: Final = 100_000
_Likeness: TypeAlias = tuple[object, ...]


class _Positions(NamedTuple):
    """Victims by their place among the less important pods, the most important first."""

    places: tuple[int, ...]
    violations: int


class Circumstances(NamedTuple):
    """What a dry run on a node hangs on beside the node.

    Attributes:
        rivals: Pods nominated to it that the preemptor may not push aside.
        budgets: All disruption budgets.
    """

    rivals: Sequence[PodInfo]
    budgets: Sequence[Budget]


class Memory:
    """Answers of dry runs for preemptors of one shape."""

    def __init__(self) -> None:
        self._answers: dict[_Likeness, _Positions | Status] = {}

    def answer(
        self,
        pod: PodInfo,
        nodes: Nodes,
        row: int,
        around: Circumstances,
        dry_run: Callable[[], Victims | Status],
    ) -> Victims | Status:
        """Return what a dry run on a node says, making it only if no node like this was tried."""
        lower = by_importance(
            other for other in nodes.states[row].pods if other.priority < pod.priority
        )
        likeness = _likeness(nodes, row, lower, around)
        known = self._answers.get(likeness)
        if known is None:
            if len(self._answers) >= _MOST:
                self._answers.clear()
            found = dry_run()
            self._answers[likeness] = _positions(found, lower)
            return found
        if isinstance(known, Status):
            return known
        chosen = tuple(lower[at] for at in known.places)
        return Victims(nodes.info(row).name, chosen, known.violations)


def _likeness(nodes: Nodes, row: int, lower: Sequence[PodInfo], around: Circumstances) -> _Likeness:
    """Return something that is equal for nodes that fare alike, given their less important pods."""
    columns = nodes.columns
    amounts = (columns.allocatable, columns.requested, columns.nonzero, columns.counts)
    return (
        *(amount[:, row].tobytes() for amount in amounts),
        nodes.states[row].ports,
        tuple((other.shape, other.accounted) for other in lower),
        tuple((rival.shape, rival.accounted) for rival in around.rivals),
        tuple(_guard(other, around.budgets) for other in lower) if around.budgets else (),
    )


def _guard(pod: PodInfo, budgets: Sequence[Budget]) -> _Likeness:
    """Return what budgets make of a pod; its age decides the order once budgets part victims."""
    covering = tuple(at for at, budget in enumerate(budgets) if budget.covers(pod))
    return covering, pod.start_time


def _positions(found: Victims | Status, lower: Sequence[PodInfo]) -> _Positions | Status:
    if isinstance(found, Status):
        return found
    places = {id(other): at for at, other in enumerate(lower)}
    return _Positions(tuple(places[id(victim)] for victim in found.pods), found.violations)
