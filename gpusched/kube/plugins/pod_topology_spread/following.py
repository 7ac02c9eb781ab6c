"""What Filter says of a shape's own hard constraints, kept up to date pod by pod.

The same rule as in `filtering`, on counts that follow pods as they come and go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.domains import sum_by_class
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodShape
from gpusched.cluster.tally import Tally, Weigh
from gpusched.kube.framework.interface import OpenDomains
from gpusched.kube.plugins.pod_topology_spread.constraints import Constraint, has_all_keys
from gpusched.kube.plugins.pod_topology_spread.filtering import NO_DOMAIN


@dataclass(frozen=True, slots=True, eq=False)
class FollowedSpread:
    """One hard constraint.

    Attributes:
        tally: Matching pods by domain, on nodes that count.
        counted: The domains that a node that counts is in, as indices.
        is_short: Whether there are fewer domains than ``minDomains``.
        allowance: How many pods more than the least filled domain a domain may have before the
            pod comes.
    """

    tally: Tally
    counted: Ints
    is_short: bool
    allowance: int

    def open_domains(self) -> OpenDomains:
        """Return the domains that have room for the pod."""
        sums = self.tally.sums()
        least = 0
        if not self.is_short:
            least = int(sums[self.counted].min()) if len(self.counted) else NO_DOMAIN
        is_open = self.tally.labelled & (sums <= self.allowance + least)
        return OpenDomains(self.tally.classes.ids, is_open)


def follow(
    pod: PodShape, constraints: Sequence[Constraint], snapshot: Snapshot
) -> list[FollowedSpread]:
    """Return a shape's hard constraints on the nodes as they are."""
    nodes = snapshot.nodes
    complete = has_all_keys(constraints, nodes)
    found = []
    for constraint in constraints:
        counted = complete & constraint.counts_nodes(pod, nodes)
        tally = Tally(snapshot, constraint.key, _matching(pod, constraint), counted, staying=True)
        domains = np.flatnonzero(sum_by_class(tally.classes, counted.astype(np.int64)) > 0)
        own = int(constraint.selector.matches(pod.labels))
        found.append(
            FollowedSpread(
                tally,
                domains,
                is_short=len(domains) < constraint.min_domains,
                allowance=constraint.max_skew - own,
            )
        )
    return found


def _matching(pod: PodShape, constraint: Constraint) -> Weigh:
    """Count pods of the namespace that match; an empty selector matches none (`MatchingPods`)."""

    def weigh(shape: PodShape) -> int:
        if constraint.selector.is_empty or shape.namespace != pod.namespace:
            return 0
        return int(constraint.selector.matches(shape.labels))

    return weigh
