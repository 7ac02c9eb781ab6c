"""Pods counted by topology domain: by the nodes that share one value of a label.

Whole columns at first (`DomainCounts.of_pods`), then single changes on top of them, so that a dry
run copies a few numbers instead of a table.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from gpusched.cluster.nodes import Ints, Mask, NodeClasses, Nodes
from gpusched.cluster.placement import Placement

V = TypeVar("V", bound=Hashable)

_NO_COUNTS = np.zeros(0, np.int64)


def per_node(nodes: Nodes, placements: Iterable[Placement]) -> Ints:
    """Return how many pods of all the given shapes each node has; shape (N,)."""
    counts = np.zeros(len(nodes), np.int64)
    for placement in placements:
        counts += placement.column(nodes)
    return counts


def has_label(nodes: Nodes, key: str) -> Mask:
    """Return True where a node has the label; shape (N,). Kept until a node changes."""
    if len(nodes) == 1:
        return np.array([key in nodes.info(0).labels], np.bool_)
    return nodes.memo(("has label", key), lambda table: ~table.label(key).among((None,)))


def by_node(nodes: Nodes) -> NodeClasses[int]:
    """Return every node as a class of its own, by row. Kept until a node changes."""

    def make(table: Nodes) -> NodeClasses[int]:
        rows = range(len(table))
        return NodeClasses(np.arange(len(table)), list(rows), dict(zip(rows, rows, strict=True)))

    return nodes.memo("by node", make)


def sum_by_class(classes: NodeClasses[V], per_row: Ints) -> Ints:
    """Return the sum of ``per_row`` (N,) over the nodes of each class; shape (V,)."""
    # Sums of pods stay far below 2**53, so the float that bincount sums with loses nothing.
    return np.bincount(classes.ids, per_row, len(classes.values)).astype(np.int64)


@dataclass(slots=True, eq=False)
class DomainCounts:
    """A number for every value of one label; nodes without the label belong to no domain.

    Attributes:
        key: The label's key.
        classes: The nodes by value at the time of counting; None if nothing was counted.
        counts: The numbers of that time, shape (V,), shared by all clones: never written.
        changes: What has come or gone since, by value; never 0.
    """

    key: str
    classes: NodeClasses[str | None] | None = None
    counts: Ints = field(default_factory=lambda: _NO_COUNTS)
    changes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_pods(cls, key: str, nodes: Nodes, pods: Ints) -> "DomainCounts":
        """Return the sums of ``pods`` (N,), a number for each node, by domain."""
        classes = nodes.label(key)
        return cls(key, classes, sum_by_class(classes, np.where(has_label(nodes, key), pods, 0)))

    def clone(self) -> "DomainCounts":
        """Return a copy with changes of its own."""
        return DomainCounts(self.key, self.classes, self.counts, dict(self.changes))

    def change(self, labels: Mapping[str, str], by: int) -> None:
        """Change the number of a node's domain; nothing happens if the node has none."""
        value = labels.get(self.key)
        if value is None:
            return
        left = self.changes.get(value, 0) + by
        if left:
            self.changes[value] = left
        else:
            self.changes.pop(value, None)

    def of(self, value: str | None) -> int:
        """Return one domain's number; 0 for None, and for a value that was never met."""
        if value is None:
            return 0
        at = self.classes.index.get(value) if self.classes else None
        return self.changes.get(value, 0) + (0 if at is None else int(self.counts[at]))

    def total(self) -> int:
        """Return the sum over all domains."""
        return int(self.counts.sum()) + sum(self.changes.values())

    def table(self) -> Ints:
        """Return the numbers as they are now; shape (V,), do not write."""
        if not self.changes or self.classes is None:
            return self.counts
        table = self.counts.copy()
        for value, by in self.changes.items():
            table[self.classes.index[value]] += by
        return table

    def at(self, nodes: Nodes) -> Ints:
        """Return the number of each node's domain; 0 where it has none; shape (N,)."""
        if len(nodes) == 1:
            return np.array([self.of(nodes.info(0).labels.get(self.key))], np.int64)
        classes = nodes.label(self.key)
        if classes is self.classes:
            return self.table()[classes.ids]
        known = (self.of(value) for value in classes.values)
        return np.fromiter(known, np.int64, len(classes.values))[classes.ids]
