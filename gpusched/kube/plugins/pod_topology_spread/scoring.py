"""Score: the fewer matching pods a node's domains have, the better.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread/scoring.go, v1.36.1.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import has_label, sum_by_class
from gpusched.cluster.nodes import Ints, Mask, NodeClasses, Nodes
from gpusched.cluster.pod import PodShape
from gpusched.kube.framework.interface import MAX_NODE_SCORE
from gpusched.kube.plugins.pod_topology_spread.constraints import (
    HOSTNAME,
    Constraint,
    MatchingPods,
    has_all_keys,
)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreState:
    """PreScore's data, for the K feasible rows.

    Attributes:
        raw: Raw scores; shape (K,). Worked out at once, since nothing changes before Score.
        ignored: True for rows that lack a topology key where all keys are needed; shape (K,).
    """

    raw: Ints
    ignored: Mask

    def clone(self) -> "ScoreState":
        """See `StateData`; nobody writes to it."""
        return self


def prepare(
    pod: PodShape,
    constraints: tuple[Constraint, ...],
    snapshot: Snapshot,
    rows: Ints,
    *,
    needs_all_keys: bool,
) -> ScoreState:
    """Return raw scores of the feasible ``rows``.

    Args:
        pod: The incoming pod's shape.
        constraints: Its soft constraints, in order.
        snapshot: Who is where.
        rows: The feasible rows; shape (K,).
        needs_all_keys: False for the built-in defaults: nodes without a zone count, too.
    """
    nodes = snapshot.nodes
    complete = np.ones(len(nodes), np.bool_)
    if needs_all_keys:
        complete = has_all_keys(constraints, nodes)
    scored = _Scored(snapshot, rows, complete)
    matching = MatchingPods(pod, snapshot)
    total = np.zeros(len(rows), np.float64)
    for constraint in constraints:
        pods = matching.of(constraint.selector)
        counts, domains = scored.by_domain(pod, constraint, pods)
        cost = counts.astype(np.float64) * math.log(domains + 2) + float(constraint.max_skew - 1)
        total = np.where(has_label(nodes, constraint.key)[rows], total + cost, total)
    ignored = ~complete[rows]
    return ScoreState(np.where(ignored, 0, round_half_away(total)), ignored)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The nodes that are scored: feasible ``rows``, and which nodes have all needed keys."""

    snapshot: Snapshot
    rows: Ints
    complete: Mask

    def by_domain(self, pod: PodShape, constraint: Constraint, pods: Ints) -> tuple[Ints, int]:
        """Return the pods in each row's domain, shape (K,), and how many domains there are."""
        live = self.rows[self.complete[self.rows]]
        if constraint.key == HOSTNAME:
            return pods[self.rows], len(live)
        nodes = self.snapshot.nodes
        classes = topologies(nodes, constraint.key)
        counted = self.complete & constraint.counts_nodes(pod, nodes)
        sums = sum_by_class(classes, np.where(counted, pods, 0))
        return sums[classes.ids[self.rows]], len(np.unique(classes.ids[live]))


def topologies(nodes: Nodes, key: str) -> NodeClasses[str]:
    """Return the nodes by the value of a topology key; those without it have an empty one."""
    return nodes.classes(("label or empty", key), lambda info: info.labels.get(key, ""))


def round_half_away(values: npt.NDArray[np.float64]) -> Ints:
    """Return values rounded as Go's ``math.Round`` does.

    >>> round_half_away(np.array([0.5, 1.5, 2.4999, 0.49999999999999994])).tolist()
    [1, 2, 2, 0]
    """
    whole = np.trunc(values)
    away = np.abs(values - whole) >= 0.5  # noqa: PLR2004 - a half is a half
    return (whole + np.where(away, np.sign(values), 0.0)).astype(np.int64)


def normalise(scores: Ints, ignored: Mask | None = None) -> Ints:
    """Return scores in [0, 100], the fewest pods first; 0 for ignored rows.

    >>> normalise(np.array([3, 0, 7]), np.array([False, False, True])).tolist()
    [0, 100, 0]
    """
    live = scores if ignored is None else scores[~ignored]
    most = max(live.item(live.argmax()), 0) if live.size else 0
    if most:
        least = live.item(live.argmin())
        scores = MAX_NODE_SCORE * (most + least - scores) // most
    else:
        scores = np.full_like(scores, MAX_NODE_SCORE)
    return scores if ignored is None else np.where(ignored, 0, scores)
