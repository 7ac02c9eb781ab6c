"""Why no node fits: every node's status, and the one sentence made of them.

Source: kubernetes/kubernetes pkg/scheduler/framework/types.go (Diagnosis, FitError), v1.36.1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gpusched.cluster.nodes import Ints, Mask
from gpusched.kube.framework.status import Code, Rejection, Status

_ABSENT = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


@dataclass(slots=True)
class Diagnosis:
    """The statuses of one attempt.

    Attributes:
        order: The snapshot's order; shape (N,), rows.
        rejections: Plugin and rejection, masks cut down to nodes that were looked at and that no
            earlier plugin had turned away; in filter order.
        absent: The status of every node without a rejection (PreFilter's, mostly).
        pre_filter: PreFilter's words where it rejected the pod as a whole.
        post_filter: PostFilter's words.
        unschedulable_plugins: Who rejected the pod, for the queue.
        pending_plugins: Who answered Pending, likewise.
        remembered: The message and who rejected the pod, once nothing will be added any more.
    """

    order: Ints
    rejections: list[tuple[str, Rejection]] = field(default_factory=list)
    absent: Status = _ABSENT
    pre_filter: str = ""
    post_filter: str = ""
    unschedulable_plugins: set[str] = field(default_factory=set)
    pending_plugins: set[str] = field(default_factory=set)
    remembered: tuple[str, tuple[frozenset[str], frozenset[str]]] | None = None

    def record(self, rejections: Iterable[tuple[str, Rejection]]) -> None:
        """Keep what plugins said of nodes, and who said it."""
        for plugin, rejection in rejections:
            self.rejections.append((plugin, rejection))
            self.blame(plugin, rejection.code)

    def blame(self, plugin: str, code: Code) -> None:
        """Keep who turned the pod away, for the queue."""
        (self.pending_plugins if code is Code.PENDING else self.unschedulable_plugins).add(plugin)

    def rejectors(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return who rejected the pod and who answered Pending, as the queue keeps them."""
        if self.remembered is not None:
            return self.remembered[1]
        return frozenset(self.unschedulable_plugins), frozenset(self.pending_plugins)

    def forget(self, rows: Mask) -> None:
        """Drop what was said of ``rows``: a node that is looked at again has one status only."""
        kept = ((plugin, rejection.within(~rows)) for plugin, rejection in self.rejections)
        self.rejections = [entry for entry in kept if entry[1].nodes.any()]

    def explicit(self) -> Mask:
        """Return True for rows with a status of their own; shape (N,)."""
        found = np.zeros(len(self.order), np.bool_)
        for _, rejection in self.rejections:
            found |= rejection.nodes
        return found

    def codes(self) -> Ints:
        """Return every row's status code; shape (N,)."""
        codes = np.zeros(len(self.order), np.int64)
        for _, rejection in self.rejections:
            np.maximum(codes, int(rejection.code), out=codes, where=rejection.nodes)
        codes[codes == 0] = int(self.absent.code)
        return codes

    def code_of(self, row: int) -> int:
        """See `interface.NodeStatuses`."""
        codes = [int(r.code) for _, r in self.rejections if r.nodes[row]]
        return max(codes, default=int(self.absent.code))

    def rows_with(self, code: int) -> Ints:
        """See `interface.NodeStatuses`."""
        rows: Ints = self.order[self.codes()[self.order] == code]
        return rows

    def reasons_of(self, row: int) -> list[str]:
        """Return one row's reasons, in filter order."""
        reasons = [r.reason for _, r in self.rejections if r.nodes[row]]
        return reasons or list(self.absent.reasons)

    def message(self) -> str:
        """Return the text of the FailedScheduling event and the PodScheduled condition.

        See the specification, section 5.1.
        """
        if self.remembered is not None:
            return self.remembered[0]
        text = f"0/{len(self.order)} nodes are available:"
        if self.pre_filter:
            text += f" {self.pre_filter}."
        elif reasons := ", ".join(sorted(self._histogram(), key=str.encode)):
            text += f" {reasons}."
        return f"{text} {self.post_filter}" if self.post_filter else text

    def remember(self) -> None:
        """Keep what it says: nothing will be added to this diagnosis any more."""
        self.remembered = self.message(), self.rejectors()

    def _histogram(self) -> Iterator[str]:
        counts: dict[str, int] = {}
        for _, rejection in self.rejections:
            count = int(np.count_nonzero(rejection.nodes))
            counts[rejection.reason] = counts.get(rejection.reason, 0) + count
        absent = len(self.order) - int(np.count_nonzero(self.explicit()))
        for reason in self.absent.reasons:
            counts[reason] = counts.get(reason, 0) + absent
        return (f"{count} {reason}" for reason, count in counts.items() if count)
