"""GPUs over time: in use, free, unusable; and how fragmented what is free is.

Two readings of "free but of no use", both counting GPUs per node and nothing else (CPU, memory,
selectors and taints are not looked at):

* *unusable*: free GPUs on nodes that have fewer of them free than the smallest waiting GPU pod
  asks for, and all free GPUs of cordoned nodes. Nothing waiting: only the latter.
* *fragmentation*: the free GPUs that a pod drawn from the run's own pods could not use on average,
  F = sum over nodes n and GPU counts m of p(m) * free(n) * [free(n) < m].
  Source: Weng et al., Beware of Fragmentation, USENIX ATC 2023, for whole GPUs only.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from gpusched.report.fleet import GpuNode, gpu_nodes, pools
from gpusched.report.stays import held_until, waits_until
from gpusched.report.steps import Ints, Steps
from gpusched.run.record import RunRecord


@dataclass(frozen=True, slots=True, eq=False)
class PoolUse:
    """One pool's GPUs over time.

    Attributes:
        used: GPUs that pods hold.
        free: GPUs that are neither held nor unusable.
        unusable: Free GPUs that no waiting pod can use, see above.
        wasted: Fragmentation times the number of GPU pods in the run, so that it is whole.
    """

    used: Steps
    free: Steps
    unusable: Steps
    wasted: Steps


@dataclass(frozen=True, slots=True, eq=False)
class GpuUse:
    """All pools' GPUs over time.

    Attributes:
        pools: The pools by name.
        pods: How many pods of the run ask for GPUs.
    """

    pools: Mapping[str, PoolUse]
    pods: int

    def total(self, name: str) -> Steps:
        """Return one of the columns summed over all pools."""
        columns = [getattr(use, name) for use in self.pools.values()]
        times = columns[0].times if columns else np.zeros(1, np.int64)
        nothing = np.zeros(len(times), np.int64)
        return Steps(times, sum((column.values for column in columns), nothing))

    def capacity(self) -> Steps:
        """Return the GPUs that the nodes offer (or that pods hold, where those are more)."""
        used, free, unusable = (self.total(name) for name in ("used", "free", "unusable"))
        return Steps(used.times, used.values + free.values + unusable.values)


@dataclass(slots=True)
class _Node:
    pool: int
    offers: int = 0
    used: int = 0
    closed: bool = False

    @property
    def free(self) -> int:
        return max(0, self.offers - self.used)


@dataclass(slots=True)
class _Pool:
    used: int = 0
    open: Counter[int] = field(default_factory=Counter)
    closed: int = 0

    def count(self, node: _Node, sign: int) -> None:
        """Add or take away a node as it is now."""
        self.used += sign * node.used
        if node.closed:
            self.closed += sign * node.free
        else:
            self.open[node.free] += sign

    def sample(self, smallest: int, asked: Mapping[int, int]) -> tuple[int, int, int, int]:
        free = sum(gpus * nodes for gpus, nodes in self.open.items())
        unusable = sum(gpus * nodes for gpus, nodes in self.open.items() if gpus < smallest)
        wasted = sum(
            pods * sum(gpus * nodes for gpus, nodes in self.open.items() if gpus < wanted)
            for wanted, pods in asked.items()
        )
        wasted += self.closed * sum(asked.values())
        return self.used, free - unusable, unusable + self.closed, wasted


class _Smallest:
    """The smallest number of GPUs that any waiting pod asks for."""

    def __init__(self) -> None:
        self._waiting: Counter[int] = Counter()
        self._heap: list[int] = []

    def count(self, gpus: int, sign: int) -> None:
        self._waiting[gpus] += sign
        if sign > 0 and self._waiting[gpus] == 1:
            heappush(self._heap, gpus)

    def now(self) -> int:
        while self._heap and not self._waiting[self._heap[0]]:
            heappop(self._heap)
        return self._heap[0] if self._heap else 0


def gpu_use(record: RunRecord) -> GpuUse:
    """Return the GPUs of a run over time, in one pass over everything that changes them."""
    nodes = gpu_nodes(record)
    names = list(pools(nodes))
    state = {node.name: _Node(names.index(node.pool)) for node in nodes}
    groups, smallest = [_Pool() for _ in names], _Smallest()
    asked = Counter(life.gpus for life in record.lives if life.gpus)
    for node in state.values():
        groups[node.pool].count(node, 1)
    times, samples = [], []
    for at, changes in _instants(record, nodes):
        for subject, what, by in changes:
            if not subject:
                smallest.count(what, by)
            elif subject in state:
                _change(state[subject], groups, what, by)
        times.append(at)
        samples.append([group.sample(smallest.now(), asked) for group in groups])
    table = np.array(samples, np.int64).reshape(len(times), len(names), 4)
    uses = {name: _columns(np.array(times, np.int64), table[:, i]) for i, name in enumerate(names)}
    return GpuUse(uses, sum(asked.values()))


def _columns(times: Ints, table: Ints) -> PoolUse:
    return PoolUse(*(Steps(times, column) for column in table.T))


_HELD, _OFFERED, _CLOSED = range(3)
_Change = tuple[str, int, int]
"""(node or nothing for a waiting pod, what changes or the pod's GPUs, by how much or to what)"""


def _change(node: _Node, groups: Sequence[_Pool], what: int, by: int) -> None:
    groups[node.pool].count(node, -1)
    if what == _HELD:
        node.used += by
    elif what == _OFFERED:
        node.offers = by
    else:
        node.closed = bool(by)
    groups[node.pool].count(node, 1)


def _instants(record: RunRecord, nodes: Sequence[GpuNode]) -> list[tuple[int, list[_Change]]]:
    """Return what changes at each instant from 0 to the end, both among them."""
    by_time: dict[int, list[_Change]] = {0: [], record.ended: []}
    for at, change in _changes(record, nodes):
        if at <= record.ended:
            by_time.setdefault(max(0, at), []).append(change)
    return [(at, by_time[at]) for at in sorted(by_time)]


def _changes(record: RunRecord, nodes: Sequence[GpuNode]) -> Iterator[tuple[int, _Change]]:
    for node in nodes:
        yield from ((at, (node.name, _OFFERED, gpus)) for at, gpus in node.offers)
        yield from ((at, (node.name, _CLOSED, int(closed))) for at, closed in node.closed)
    for life in record.lives:
        if life.gpus:
            yield life.created, ("", life.gpus, 1)
            yield waits_until(life), ("", life.gpus, -1)
            if life.bound is not None:
                yield life.bound, (life.pod.node, _HELD, life.gpus)
                yield held_until(life), (life.pod.node, _HELD, -life.gpus)
