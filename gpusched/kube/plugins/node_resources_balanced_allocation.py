"""NodeResourcesBalancedAllocation: better where the pod evens out how full the resources are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gpusched.api.config import NodeResourcesBalancedAllocationArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.resources import STANDARD
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import MAX_NODE_SCORE, Handle
from gpusched.kube.framework.status import SKIP, SUCCESS, Status
from gpusched.kube.scoring_strategies import CountDevices, device_counter, stock

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Shares:
    """How full one resource is, without the pod and with it.

    Attributes:
        present: True where the node has the resource at all; shape (K,).
        before: The share that is taken, at most 1; shape (K,).
        after: The share with the pod; shape (K,).
    """

    present: npt.NDArray[np.bool_]
    before: Floats
    after: Floats


class NodeResourcesBalancedAllocation:
    """Rate nodes by how much more even the use of their resources becomes with the pod.

    A node whose balance does not change gets 75, better balance more, worse less.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/
    balanced_allocation.go, v1.36.1.
    """

    name: ClassVar[str] = "NodeResourcesBalancedAllocation"

    def __init__(
        self,
        args: NodeResourcesBalancedAllocationArgs | None = None,
        handle: Handle | None = None,
    ) -> None:
        self._handle = handle
        args = args or NodeResourcesBalancedAllocationArgs()
        self._resources = tuple(resource.name for resource in args.resources)

    def pre_score(
        self, _state: CycleState, pod: PodInfo, snapshot: Snapshot, _rows: Ints
    ) -> Status:
        """See PreScorePlugin; says nothing of a pod that asks for none of the resources."""
        return SUCCESS if any(self._asked(snapshot.nodes, pod).values()) else SKIP

    def score(
        self,
        _state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """See ScorePlugin; a pod that asks for nothing gets 0, where PreScore is switched off."""
        asked = self._asked(snapshot.nodes, pod)
        if not any(asked.values()):
            return np.zeros(len(rows), np.int64)
        devices = device_counter(self._handle, snapshot)
        shares = _shares(snapshot.nodes, asked, rows, devices)
        half = MAX_NODE_SCORE // 2
        before, after = np.zeros((2, len(rows)), np.int64)
        for at, group in _by_presence(shares, len(rows)):
            before[at] = _balance([share.before[at] for share in group])
            after[at] = _balance([share.after[at] for share in group])
        scores: Ints = half + (half + after - before) // 2
        return scores

    def _asked(self, nodes: Nodes, pod: PodInfo) -> dict[int, int]:
        """Return what the pod asks of the configured resources, by row."""
        requests = pod.shape.requests
        rows = (nodes.resources.find(name) for name in self._resources)
        return {row: requests.amount(row) for row in rows if row is not None}


def _shares(
    nodes: Nodes, asked: dict[int, int], rows: Ints, devices: CountDevices
) -> list[_Shares]:
    """Return the resources that count: scalar ones only if the pod asks for them."""
    shares = []
    for row, amount in asked.items():
        if amount == 0 and row >= len(STANDARD):
            continue
        allocatable, used = stock(nodes, row, rows, devices)
        present = allocatable != 0
        capacity = np.where(present, allocatable, 1).astype(np.float64)
        before = np.minimum(used / capacity, 1.0)
        shares.append(_Shares(present, before, np.minimum((used + amount) / capacity, 1.0)))
    return shares


def _by_presence(shares: list[_Shares], count: int) -> list[tuple[Ints, list[_Shares]]]:
    """Group positions by which resources their nodes have; usually there is one group."""
    pattern = np.zeros(count, np.int64)
    for bit, share in enumerate(shares):
        pattern |= share.present.astype(np.int64) << bit
    return [
        (np.flatnonzero(pattern == value), [s for bit, s in enumerate(shares) if value >> bit & 1])
        for value in np.unique(pattern).tolist()
    ]


def _balance(fractions: Sequence[Floats]) -> Ints | int:
    """Return 100 less the standard deviation of the shares in percent, cut off.

    The order of the floating-point operations is upstream's.
    """
    count = len(fractions)
    if count <= 1:
        return MAX_NODE_SCORE
    if count == 2:  # noqa: PLR2004 - the usual pair, for which upstream has a shortcut
        deviation = np.abs((fractions[0] - fractions[1]) / 2)
    else:
        total, squares = np.zeros_like(fractions[0]), np.zeros_like(fractions[0])
        for fraction in fractions:
            total += fraction
        for fraction in fractions:
            squares += (fraction - total / count) * (fraction - total / count)
        deviation = np.sqrt(squares / count)
    balance: Ints = ((1 - deviation) * MAX_NODE_SCORE).astype(np.int64)
    return balance
