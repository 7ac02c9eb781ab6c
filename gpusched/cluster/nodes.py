"""Nodes as columns: one row per live node, in the order in which nodes were added.

Filters and scores work on whole columns; a dry run works on a copy of one row (`Nodes.copy_row`).
The order in which a scheduling cycle looks at nodes is not the row order: see `cache.Snapshot`.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import numpy as np

from gpusched.cluster.columns import Columns, Ints, Mask
from gpusched.cluster.news import News
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.ports import HostPort, host_ports
from gpusched.cluster.resources import ResourceNames

__all__ = ["Ints", "Mask", "NodeClasses", "NodeState", "Nodes"]

T = TypeVar("T")
V = TypeVar("V", bound=Hashable)

_MEMO_LIMIT: Final = 4096
"""Answers kept at a time: one selector per pod, say, must not fill the memory."""


@dataclass(slots=True, eq=False)
class NodeState:
    """One node: its compiled object, its pods, and its row; compared by identity.

    Attributes:
        info: The node's object, compiled; None for a ghost (pods on a node that is not there).
        pods: Its pods in upstream's order: appended when added, the last one moved into the
            gap when one is removed.
        ports: Its used host ports: a set, so removing one of two equal users frees the port.
            Replaced, never changed: the many nodes without any share one empty set.
        row: Its row in the columns; -1 for a ghost.
        stamp: Grows whenever its pods change.
    """

    info: NodeInfo | None
    row: int = -1
    pods: list[PodInfo] = field(default_factory=list)
    ports: frozenset[HostPort] = frozenset()
    stamp: int = 0

    def copy(self, row: int) -> "NodeState":
        """Return a copy to try things on, in another row."""
        return NodeState(self.info, row, self.pods.copy(), self.ports)

    def add(self, pod: PodInfo) -> None:
        """Append a pod and its host ports."""
        self.pods.append(pod)
        self.stamp += 1
        if pod.shape.names_host_ports:
            self.ports = self.ports.union(host_ports(pod.shape))

    def remove(self, pod: PodInfo) -> None:
        """Remove a pod; the last pod takes its place, its ports are free even if shared.

        Source: kubernetes/kubernetes pkg/scheduler/framework/types.go (removeFromSlice), v1.36.1.
        """
        at = self.pods.index(pod)
        self.pods[at] = self.pods[-1]
        self.pods.pop()
        self.stamp += 1
        if pod.shape.names_host_ports:
            self.ports = self.ports.difference(host_ports(pod.shape))


@dataclass(frozen=True, slots=True, eq=False)
class NodeClasses(Generic[V]):
    """Nodes grouped by one thing that is read of them.

    Attributes:
        ids: Which value each node has; shape (N,), indices into ``values``.
        values: The distinct values, in order of first appearance.
        index: Where each value stands in ``values``.
    """

    ids: Ints
    values: list[V]
    index: Mapping[V, int]

    def among(self, values: Iterable[V]) -> Mask:
        """Return True where the node's value is one of ``values``."""
        table = np.zeros(len(self.values), np.bool_)
        for value in values:
            at = self.index.get(value)
            if at is not None:
                table[at] = True
        return table[self.ids]

    def select(self, holds: Callable[[V], bool]) -> Mask:
        """Return True where ``holds`` of the node's value; asked once per distinct value."""
        table = np.fromiter((holds(value) for value in self.values), np.bool_, len(self.values))
        return table[self.ids]


class Nodes:
    """The columns, and what nodes have in common.

    Args:
        resources: Resource names to rows of the two-dimensional columns.
        columns: The numbers of ``states``; both are given for copies only.
        states: One state per column.

    Attributes:
        resources: As given.
        states: One `NodeState` per row.
        version: Grows whenever a node's object, or the set of nodes, changes.
        layout: Grows whenever rows are added or removed.
        generation: Grows with every change, pods included.
        news: The rows of nodes whose object or pods have changed, in order.
    """

    def __init__(
        self,
        resources: ResourceNames,
        columns: Columns | None = None,
        states: Iterable[NodeState] = (),
    ) -> None:
        self.resources = resources
        self.states: list[NodeState] = list(states)
        self.version = 0
        self.layout = 0
        self.news: News[int] = News()
        self._changed: set[int] | None = None
        self.generation = 0
        self._columns = columns or Columns.empty(len(resources))
        self._memo: dict[Hashable, object] = {}

    def __len__(self) -> int:
        """Return the number of nodes, N."""
        return len(self.states)

    @property
    def allocatable(self) -> Ints:
        """Return allocatable amounts; shape (R, N): cpu in milli, other resources whole."""
        self._columns.fit(len(self.resources))
        return self._columns.allocatable[:, : len(self.states)]

    @property
    def requested(self) -> Ints:
        """Return the sum of the pods' requests; shape (R, N)."""
        self._columns.fit(len(self.resources))
        return self._columns.requested[:, : len(self.states)]

    @property
    def nonzero_requested(self) -> Ints:
        """Return requested cpu (milli) and memory with defaults for silent containers; (2, N)."""
        return self._columns.nonzero[:, : len(self.states)]

    @property
    def allowed_pods(self) -> Ints:
        """Return ``allocatable.pods``; shape (N,)."""
        return self._columns.counts[0, : len(self.states)]

    @property
    def pod_counts(self) -> Ints:
        """Return the number of pods on each node; shape (N,)."""
        return self._columns.counts[1, : len(self.states)]

    def info(self, row: int) -> NodeInfo:
        """Return the compiled object of a row's node."""
        info = self.states[row].info
        assert info is not None, "a row without a node object"
        return info

    def row_of(self, name: str) -> int | None:
        """Return the row of a node by its name, or None if there is no such node."""
        return self.memo("row by name", _rows_by_name).get(name)

    def memo(self, key: Hashable, make: Callable[["Nodes"], T]) -> T:
        """Return ``make(self)``, made once per ``key`` until a node object changes.

        Only for what follows from node objects alone, never from pods. Arrays are locked.
        """
        try:
            return self._memo[key]  # type: ignore[return-value] # the key fixes the type
        except KeyError:
            value = make(self)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            self._memo[key] = value
            return value

    def classes(self, key: Hashable, of: Callable[[NodeInfo], V]) -> NodeClasses[V]:
        """Return the nodes grouped by ``of(info)``; kept under ``key`` until a node changes."""
        return self.memo(("classes", key), lambda nodes: _group(nodes, of))

    def label(self, key: str) -> NodeClasses[str | None]:
        """Return the nodes grouped by the value of one label; None where a node lacks it."""
        return self.classes(("label", key), lambda info: info.labels.get(key))

    def track_changes(self) -> set[int]:
        """Return a set that collects the rows whose amounts change; its one reader empties it."""
        self._changed = set()
        return self._changed

    @property
    def columns(self) -> Columns:
        """Return all numbers at once, to be read only."""
        self._columns.fit(len(self.resources))
        return self._columns

    def take_rows(self, rows: Ints) -> "Nodes":
        """Return a table of the given nodes, to be read only; its columns have shape (…, K)."""
        return Nodes(
            self.resources, self.columns.take(rows), (self.states[r] for r in rows.tolist())
        )

    def append(self, state: NodeState) -> None:
        """Add a node as the last row; the pods it already has count at once."""
        if len(self.states) == self._columns.capacity:
            self._columns.grow()
        state.row = len(self.states)
        self.states.append(state)
        self.layout += 1
        self.replace(state)
        for pod in state.pods:
            self._columns.account(state.row, pod.accounted, 1)

    def replace(self, state: NodeState) -> None:
        """Read a node's (new) object into its row."""
        info = self.info(state.row)
        self._columns.fit(len(self.resources))
        self._columns.set_allocatable(state.row, info.allocatable, info.allowed_pods)
        self._note(state.row)
        self._touch()

    def delete(self, state: NodeState) -> None:
        """Take a node out; rows behind it move up by one."""
        row = state.row
        del self.states[row]
        self._columns.delete(row)
        for later in self.states[row:]:
            later.row -= 1
        state.row = -1
        self.layout += 1
        self._touch()

    def add_pod(self, state: NodeState, pod: PodInfo) -> None:
        """Put a pod on a node, ghost or not."""
        state.add(pod)
        self.generation += 1
        if state.row >= 0:
            self._columns.account(state.row, pod.accounted, 1)
            self._note(state.row)

    def remove_pod(self, state: NodeState, pod: PodInfo) -> None:
        """Take a pod from a node, ghost or not."""
        state.remove(pod)
        self.generation += 1
        if state.row >= 0:
            self._columns.account(state.row, pod.accounted, -1)
            self._note(state.row)

    def copy_row(self, row: int) -> "Nodes":
        """Return a table of this one node that can be changed without touching the original."""
        return Nodes(self.resources, self._columns.copy_of(row), [self.states[row].copy(0)])

    def copy_rows(self, rows: Ints) -> "Nodes":
        """Return a table of these nodes that can be changed without touching the originals."""
        states = (self.states[row].copy(at) for at, row in enumerate(rows.tolist()))
        return Nodes(self.resources, self.columns.take(rows), states)

    def _note(self, row: int) -> None:
        if self.news.has_readers:
            self.news.add(row)
        if self._changed is not None:
            self._changed.add(row)

    def _touch(self) -> None:
        self.version += 1
        self.generation += 1
        self._memo.clear()


def _group(nodes: Nodes, of: Callable[[NodeInfo], V]) -> NodeClasses[V]:
    index: dict[V, int] = {}
    values = (of(nodes.info(row)) for row in range(len(nodes)))
    ids = [index.setdefault(value, len(index)) for value in values]
    return NodeClasses(np.array(ids, np.int64), list(index), index)


def _rows_by_name(nodes: Nodes) -> dict[str, int]:
    return {nodes.info(row).name: row for row in range(len(nodes))}
