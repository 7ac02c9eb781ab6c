"""The scoring strategies of NodeResourcesFit: how good a node is by what would be taken of it.

All arithmetic is in 64-bit integers, but for the last division of RequestedToCapacityRatio.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/{least_allocated,
most_allocated,requested_to_capacity_ratio,resource_allocation}.go, v1.36.1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from gpusched.api.config import NodeResourcesFitArgs, ResourceSpec, ShapePoint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Nodes
from gpusched.cluster.resources import CPU, MEMORY, STANDARD
from gpusched.kube.framework.interface import MAX_NODE_SCORE, DeviceCounts, Handle

CountDevices: TypeAlias = Callable[[str, Ints], DeviceCounts | None]
"""(resource, rows) -> the devices that stand for it there, or None."""

Strategy: TypeAlias = Callable[[Nodes, Mapping[int, int], Ints, CountDevices], Ints]
"""(nodes, what the pod asks for by resource row, rows to score, devices) -> scores, shape (K,)."""

_MAX_UTILIZATION: Final = 100
_SHAPE_SCALE: Final = 10
"""A shape's scores go up to 10, a node's to 100."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """One resource of the nodes that are scored.

    Attributes:
        weight: Its weight in the mean.
        allocatable: What nodes have; shape (K,).
        used: What is taken already; shape (K,).
        amount: What the pod would take.
    """

    weight: int
    allocatable: Ints
    used: Ints
    amount: int


def demands(
    nodes: Nodes,
    resources: Sequence[ResourceSpec],
    asked: Mapping[int, int],
    rows: Ints,
    devices: CountDevices,
) -> Iterator[Demand]:
    """Return the resources that count: scalar ones only if the pod asks for them.

    For cpu and memory, ``used`` counts silent containers with their defaults.
    """
    for resource in resources:
        row = nodes.resources.find(resource.name)
        amount = 0 if row is None else asked.get(row, 0)
        if row is None or (amount == 0 and row >= len(STANDARD)):
            continue
        allocatable, used = stock(nodes, row, rows, devices)
        if row in (CPU, MEMORY):
            used = nodes.nonzero_requested[row][rows]
        yield Demand(resource.weight, allocatable, used, amount)


def stock(nodes: Nodes, row: int, rows: Ints, devices: CountDevices) -> tuple[Ints, Ints]:
    """Return what nodes have of one resource and how much of it is taken; shape (K,) each.

    A node that has none of a scalar resource itself may have devices that stand for it.
    """
    allocatable, used = nodes.allocatable[row][rows], nodes.requested[row][rows]
    counts = devices(nodes.resources.names[row], rows) if row >= len(STANDARD) else None
    if counts is None:
        return allocatable, used
    none = allocatable == 0
    return np.where(none, counts.total, allocatable), np.where(none, counts.taken, used)


def device_counter(handle: Handle | None, snapshot: Snapshot) -> CountDevices:
    """Return how devices are counted in ``snapshot``; without a handle there are none."""
    if handle is None or not len(snapshot.objects.device_classes):
        return lambda _resource, _rows: None
    return lambda resource, rows: handle.devices_of(resource, snapshot, rows)


def strategy(args: NodeResourcesFitArgs) -> Strategy:
    """Return the strategy that a profile's arguments name."""
    if args.strategy == "RequestedToCapacityRatio":
        return _RequestedToCapacityRatio(args.resources, _tabulate(args.shape))
    rate = _most_allocated if args.strategy == "MostAllocated" else _least_allocated
    return _WeightedMean(args.resources, rate)


def _least_allocated(requested: Ints, capacity: Ints) -> Ints:
    score: Ints = np.maximum(capacity - requested, 0) * MAX_NODE_SCORE // capacity
    return score


def _most_allocated(requested: Ints, capacity: Ints) -> Ints:
    score: Ints = np.minimum(requested, capacity) * MAX_NODE_SCORE // capacity
    return score


@dataclass(frozen=True, slots=True)
class _WeightedMean:
    """The mean of one rate per resource, over the resources that a node has."""

    resources: Sequence[ResourceSpec]
    rate: Callable[[Ints, Ints], Ints]

    def __call__(
        self, nodes: Nodes, asked: Mapping[int, int], rows: Ints, devices: CountDevices
    ) -> Ints:
        """See `Strategy`."""
        total = np.zeros(len(rows), np.int64)
        weights = np.zeros(len(rows), np.int64)
        for demand in demands(nodes, self.resources, asked, rows, devices):
            has = demand.allocatable != 0
            capacity = np.where(has, demand.allocatable, 1)
            weight = has * demand.weight
            total += self.rate(demand.used + demand.amount, capacity) * weight
            weights += weight
        mean: Ints = total // np.maximum(weights, 1)
        return mean


@dataclass(frozen=True, slots=True, eq=False)
class _RequestedToCapacityRatio:
    """The mean of a function of utilization, over the resources where it is not 0.

    Attributes:
        resources: The resources and their weights.
        table: The function's value at each whole percent; shape (101,).
    """

    resources: Sequence[ResourceSpec]
    table: Ints

    def __call__(
        self, nodes: Nodes, asked: Mapping[int, int], rows: Ints, devices: CountDevices
    ) -> Ints:
        """See `Strategy`."""
        total = np.zeros(len(rows), np.int64)
        weights = np.zeros(len(rows), np.int64)
        for demand in demands(nodes, self.resources, asked, rows, devices):
            has = demand.allocatable != 0
            capacity = np.where(has, demand.allocatable, 1)
            requested = demand.used + demand.amount
            percent = requested * _MAX_UTILIZATION // capacity
            score = self.table[np.where(requested > capacity, _MAX_UTILIZATION, percent)]
            weight = (has & (score > 0)) * demand.weight
            total += score * weight
            weights += weight
        return round_half_away(total / np.maximum(weights, 1))


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
