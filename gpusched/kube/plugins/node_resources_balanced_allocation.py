"""NodeResourcesBalancedAllocation: better where the pod evens out how full the resources are."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gpusched.api.config import NodeResourcesBalancedAllocationArgs
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.request_table import Counted, RequestTable, table_of
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import MAX_NODE_SCORE, Handle
from gpusched.kube.framework.status import SKIP, SUCCESS, Status
from gpusched.kube.scoring_strategies import Places, places

Floats = npt.NDArray[np.float64]


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
        rows = snapshot.nodes.resources.rows(self._resources)
        return SUCCESS if any(pod.shape.requests.amount(row) for row in rows) else SKIP

    def score(
        self,
        _state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """See ScorePlugin; a pod that asks for nothing gets 0, where PreScore is switched off."""
        scores: Ints = self._rate(table_of(pod.shape), places(self._handle, snapshot, rows))[0]
        return scores

    def reads(self, names: ResourceNames) -> Sequence[int]:
        """See `AmountsScorePlugin`."""
        return names.rows(self._resources)

    def rate(self, pods: RequestTable, nodes: Nodes) -> Ints:
        """See `AmountsScorePlugin`."""
        return self._rate(pods, Places(nodes))

    def _rate(self, pods: RequestTable, where: Places) -> Ints:
        groups = pods.amounts.counted(where.nodes.resources.rows(self._resources))
        return pods.gather(groups, lambda group: _gains(group, *where.stock(group.rows)))


def _gains(group: Counted, allocatable: Ints, used: Ints) -> Ints:
    """Return how much more even each of P pods makes the use of K nodes; shape (P, K).

    Args:
        group: What the pods ask for; who asks for nothing gets 0.
        allocatable: What nodes have of R resources; shape (R, K).
        used: What is taken; shape (R, K).
    """
    present = allocatable != 0
    capacity = np.where(present, allocatable, 1).astype(np.float64)
    taken = used[:, np.newaxis] + group.asked_or_not
    balance = _balances(present, np.minimum(taken / capacity[:, np.newaxis], 1.0))
    half = MAX_NODE_SCORE // 2
    return np.where(group.anything, half + (half + balance[:-1] - balance[-1:]) // 2, 0)


def _balances(present: Mask, shares: Floats) -> Ints:
    """Return the balance of each node by the resources that it has; shape (P, K).

    Args:
        present: Which of R resources nodes have; shape (R, K). Usually all have all.
        shares: How full they are; shape (R, P, K).
    """
    if present.all():
        return _balance(shares)
    balances = np.zeros(shares.shape[1:], np.int64)
    for pattern in np.unique(present, axis=1).T:
        at = np.flatnonzero((pattern == present.T).all(axis=1))
        balances[:, at] = _balance(shares[pattern][..., at])
    return balances


def _balance(fractions: Floats) -> Ints:
    """Return 100 less the standard deviation of the shares in percent, cut off; shape (P, K).

    The order of the floating-point operations is upstream's.
    """
    count = len(fractions)
    if count <= 1:
        return np.full(fractions.shape[1:], MAX_NODE_SCORE, np.int64)
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
