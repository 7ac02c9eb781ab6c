"""The scoring strategies of NodeResourcesFit: how good a node is by what would be taken of it.

All arithmetic is in 64-bit integers, but for the last division of RequestedToCapacityRatio.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/{least_allocated,
most_allocated,requested_to_capacity_ratio,resource_allocation}.go, v1.36.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, Protocol, Self, TypeAlias

import numpy as np

from gpusched.api.config import NodeResourcesFitArgs, ShapePoint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.request_table import Counted
from gpusched.cluster.resources import CPU, MEMORY, STANDARD
from gpusched.kube.framework.interface import MAX_NODE_SCORE, DeviceCounts, Handle

CountDevices: TypeAlias = Callable[[str, Ints], DeviceCounts | None]
"""(resource, rows) -> the devices that stand for it there, or None."""

_MAX_UTILIZATION: Final = 100
_SHAPE_SCALE: Final = 10
"""A shape's scores go up to 10, a node's to 100."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The nodes that are scored.

    Attributes:
        nodes: All nodes.
        rows: Which K of them; None for all.
        devices: What stands for resources there.
    """

    nodes: Nodes
    rows: Ints | None = None
    devices: CountDevices = lambda _resource, _rows: None

    def __len__(self) -> int:
        """Return the number of nodes that are scored, K."""
        return len(self.nodes) if self.rows is None else len(self.rows)

    def stock(self, at: Ints) -> tuple[Ints, Ints]:
        """Return what the nodes have of R resources and how much is taken; shape (R, K) each.

        A node that has none of a scalar resource itself may have devices that stand for it.
        """
        allocatable = self.nodes.allocatable.take(at, axis=0)
        used = self.nodes.requested.take(at, axis=0)
        if self.rows is None:
            return allocatable, used
        allocatable, used = allocatable[:, self.rows], used[:, self.rows]
        for place, row in enumerate(at.tolist()):
            name = self.nodes.resources.names[row]
            counts = self.devices(name, self.rows) if row >= len(STANDARD) else None
            if counts is not None:
                none = allocatable[place] == 0
                used[place] = np.where(none, counts.taken, used[place])
                allocatable[place] = np.where(none, counts.total, allocatable[place])
        return allocatable, used

    def nonzero(self, row: int) -> Ints:
        """Return what is taken of cpu or memory, silent containers with defaults; shape (K,)."""
        taken: Ints = self.nodes.nonzero_requested[row]
        return taken if self.rows is None else taken[self.rows]


def places(handle: Handle | None, snapshot: Snapshot, rows: Ints) -> Places:
    """Return some nodes of a snapshot, with the devices that a handle knows of."""
    if handle is None or not len(snapshot.objects.device_classes):
        return Places(snapshot.nodes, rows)
    return Places(snapshot.nodes, rows, lambda name, rows: handle.devices_of(name, snapshot, rows))


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Resources that count for P pods on K nodes.

    Attributes:
        weights: The resources' weights, 0 where a node has none of one; shape (R, 1, K).
        capacity: What nodes have; 1 where they have nothing; shape (R, 1, K).
        requested: What would be taken; shape (R, P, K).
    """

    weights: Ints
    capacity: Ints
    requested: Ints

    @classmethod
    def of(cls, asked: Counted, weights: Ints, where: Places) -> Self:
        """Return it for pods for which the same resources count.

        For cpu and memory, silent containers count with their defaults.
        """
        allocatable, used = where.stock(asked.rows)
        for place, row in enumerate(asked.rows.tolist()):
            if row in (CPU, MEMORY):
                used[place] = where.nonzero(row)
        has = allocatable != 0
        weighted = has * weights.take(asked.kept)[:, np.newaxis]
        capacity = np.where(has, allocatable, 1)[:, np.newaxis]
        return cls(weighted[:, np.newaxis], capacity, used[:, np.newaxis] + asked.asked)


class Strategy(Protocol):
    """Rates what would be taken of nodes."""

    def __call__(self, demand: Demand) -> Ints:
        """Return scores; shape (P, K)."""
        ...


def strategy(args: NodeResourcesFitArgs) -> Strategy:
    """Return the strategy that a profile's arguments name."""
    if args.strategy == "RequestedToCapacityRatio":
        table = _tabulate(args.shape)
        return lambda demand: _requested_to_capacity_ratio(table, demand)
    rate = _most_allocated if args.strategy == "MostAllocated" else _least_allocated
    return lambda demand: _weighted_mean(rate, demand)


def _least_allocated(requested: Ints, capacity: Ints) -> Ints:
    score: Ints = np.maximum(capacity - requested, 0) * MAX_NODE_SCORE // capacity
    return score


def _most_allocated(requested: Ints, capacity: Ints) -> Ints:
    score: Ints = np.minimum(requested, capacity) * MAX_NODE_SCORE // capacity
    return score


def _weighted_mean(rate: Callable[[Ints, Ints], Ints], demand: Demand) -> Ints:
    """Return the mean of one rate per resource, over the resources that a node has."""
    total = _sum(rate(demand.requested, demand.capacity) * demand.weights)
    mean: Ints = total // np.maximum(_sum(demand.weights), 1)
    return mean


def _requested_to_capacity_ratio(table: Ints, demand: Demand) -> Ints:
    """Return the mean of a function of utilization, over the resources where it is not 0.

    Args:
        table: The function's value at each whole percent; shape (101,).
        demand: What would be taken.
    """
    requested, capacity = demand.requested, demand.capacity
    percent = requested * _MAX_UTILIZATION // capacity
    score = table[np.where(requested > capacity, _MAX_UTILIZATION, percent)]
    weights = (score > 0) * demand.weights
    return round_half_away(_sum(score * weights) / np.maximum(_sum(weights), 1))


def _sum(by_resource: Ints) -> Ints:
    """Return the sum over few resources: whole tables added are several times as fast as `sum`."""
    return reduce(np.add, by_resource) if len(by_resource) else by_resource.sum(axis=0)


def round_half_away(values: np.typing.NDArray[np.float64]) -> Ints:
    """Round numbers that are not negative as Go's ``math.Round`` does: halves go up.

    >>> round_half_away(np.array([0.5, 1.5, 2.5, 0.49999999999999994])).tolist()
    [1, 2, 3, 0]
    """
    whole = np.trunc(values)
    rounded: Ints = (whole + (values - whole >= 0.5)).astype(np.int64)  # noqa: PLR2004 - a half
    return rounded


def _tabulate(shape: Sequence[ShapePoint]) -> Ints:
    points = [(point.utilization, point.score * _SHAPE_SCALE) for point in shape]
    return np.array([_broken_linear(points, p) for p in range(_MAX_UTILIZATION + 1)], np.int64)


def _broken_linear(points: Sequence[tuple[int, int]], at: int) -> int:
    """Return the value at ``at``, cut off toward zero on a falling line as on a rising one.

    >>> _broken_linear([(0, 100), (100, 0)], 33)
    67
    """
    for (left, low), (right, high) in zip([points[0], *points], points, strict=False):
        if at <= right:
            if right == left:
                return high
            rise = (high - low) * (at - left)
            step = abs(rise) // (right - left)
            return low + (step if rise >= 0 else -step)
    return points[-1][1]
