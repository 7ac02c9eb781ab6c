"""What the plugins of one extension point said together.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go, v1.36.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gpusched.cluster.nodes import Ints, Mask
from gpusched.kube.framework.status import SUCCESS, Code, Rejection, Status


@dataclass(frozen=True, slots=True)
class PreFilterOutcome:
    """What all PreFilter plugins said together.

    Attributes:
        status: Success, or the answer that ends the attempt.
        node_names: The intersection of all restrictions; None if there is none.
        narrowing: The plugins that restricted.
    """

    status: Status
    node_names: frozenset[str] | None = None
    narrowing: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class FilterOutcome:
    """What all Filter plugins said of a table of nodes.

    Attributes:
        passed: True for rows that no plugin turned away; shape (N,).
        rejections: Plugin and rejection, in filter order; each row appears under one plugin only.
    """

    passed: Mask
    rejections: list[tuple[str, Rejection]] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Return whether some plugin failed on some row."""
        return any(rejection.code is Code.ERROR for _, rejection in self.rejections)

    def status(self) -> Status:
        """Return the status of the only row of a one-row table."""
        if not self.rejections:
            return SUCCESS
        for plugin, rejection in self.rejections:
            if rejection.code is Code.ERROR:
                return Status(Code.ERROR, (error_text(plugin, rejection.reason),), plugin)
        code = max(rejection.code for _, rejection in self.rejections)
        reasons = tuple(rejection.reason for _, rejection in self.rejections)
        return Status(code, reasons, self.rejections[0][0])

    def within(self, rows: Mask) -> list[tuple[str, Rejection]]:
        """Return what was said of ``rows`` only."""
        cut = [(plugin, rejection.within(rows)) for plugin, rejection in self.rejections]
        return [(plugin, rejection) for plugin, rejection in cut if rejection.nodes.any()]

    def replace_rows(self, rows: Ints, other: "FilterOutcome") -> None:
        """Put another table's rejections in the place of what was said of some rows.

        Args:
            rows: The rows that the other table's rows stand for; shape (K,).
            other: What was said of them; rows that it let pass keep the answer they have.
        """
        stays = np.ones(len(self.passed), np.bool_)
        stays[rows] = other.passed
        self.rejections = self.within(stays)
        self.passed &= stays
        for plugin, rejection in other.rejections:
            nodes = np.zeros(len(self.passed), np.bool_)
            nodes[rows] = rejection.nodes
            self.rejections.append((plugin, Rejection(rejection.reason, nodes, rejection.code)))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of K feasible nodes.

    Attributes:
        by_plugin: Weighted scores after normalising; shape (K,) each; skipped plugins are absent.
        totals: Their sum; shape (K,).
        raw: Raw scores by plugin, before normalising.
    """

    by_plugin: Mapping[str, Ints]
    totals: Ints
    raw: Mapping[str, Ints]


def error_text(plugin: str, text: str) -> str:
    """Return a Filter error as the attempt reports it; AddPod's errors bring their own words."""
    return f'running "{plugin}" filter plugin: {text}' if plugin else text
