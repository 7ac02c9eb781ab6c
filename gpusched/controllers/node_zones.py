"""How fast lost nodes may be given up, zone by zone: slowly, slower, or not at all.

That many nodes are lost at once says more about the network than about the nodes. So a zone's
nodes get their NoExecute taints one every ten seconds; while most of a zone is lost one every
hundred seconds, in a zone of up to fifty nodes none; and none at all while no node anywhere is
ready.

Source: kubernetes/kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go
(handleDisruption, ComputeZoneState), pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go,
v1.36.1; the rates are the defaults of kube-controller-manager's flags.
"""

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Final

from gpusched.controllers.protocol import SECOND, Json

PACE: Final = 10 * SECOND
"""``--node-eviction-rate 0.1``: one node in so long."""
SLOW_PACE: Final = 100 * SECOND
"""``--secondary-node-eviction-rate 0.01``."""
LARGE: Final = 50
"""``--large-cluster-size-threshold``: a zone of more nodes goes on slowly while most are lost."""
UNHEALTHY_PERCENT: Final = 55
"""``--unhealthy-zone-threshold 0.55``: from this share on most of a zone counts as lost."""
FEW: Final = 2
"""So many lost nodes are never most of a zone, however small it is."""
EXCLUDED: Final = "node.kubernetes.io/exclude-disruption"
_ZONE: Final = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
_REGION: Final = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")


class State(Enum):
    """How a zone is."""

    NORMAL = "normal"
    PARTIAL = "most of its nodes are lost"
    FULL = "all of its nodes are lost, others are ready"
    STOPPED = "no node of any zone is ready"


def state_of(ready: int, lost: int) -> State:
    """Return how a zone is, by itself.

    >>> state_of(ready=4, lost=3), state_of(ready=2, lost=3), state_of(ready=1, lost=2)
    (<State.NORMAL: 'normal'>, <State.PARTIAL: 'most of its nodes are lost'>, <State.NORMAL: 'normal'>)
    """  # noqa: E501 - one answer, one line
    if lost and not ready:
        return State.FULL
    most = lost > FEW and 100 * lost >= UNHEALTHY_PERCENT * (lost + ready)
    return State.PARTIAL if most else State.NORMAL


def zone_of(node: Json) -> tuple[str, str]:
    """Return a node's region and zone; nodes without either make a zone of their own."""
    labels = node["metadata"].get("labels") or {}
    return tuple(  # type: ignore[return-value]  # two in, two out
        next((labels[key] for key in keys if key in labels), "") for keys in (_REGION, _ZONE)
    )


class _Zone:
    """A zone's state, and when its next node may be given up (a token bucket of one token)."""

    def __init__(self) -> None:
        self.state = State.NORMAL
        self._pace: int | None = PACE
        self._due = 0

    def admits(self, now: int) -> bool:
        """Return whether a node may be given up now, and count it."""
        if self._pace is None or now < self._due:
            return False
        self._due = now + self._pace
        return True

    def enter(self, state: State, size: int, now: int) -> None:
        """Take another state; who waited for a turn before has to wait anew."""
        if state is self.state:
            return
        self.state, pace = state, _pace_in(state, size)
        if pace == self._pace:
            return
        waiting = not self.admits(now)
        self._pace, self._due = pace, now + (pace or 0) if waiting else now


def _pace_in(state: State, size: int) -> int | None:
    """Return how long the turn of one node takes; None stands for ever."""
    if state is State.PARTIAL:
        return SLOW_PACE if size > LARGE else None
    return None if state is State.STOPPED else PACE


class Zones:
    """All zones of a cluster."""

    def __init__(self) -> None:
        self._zones: dict[tuple[str, str], _Zone] = {}
        self.stopped = False

    @property
    def calm(self) -> bool:
        """Whether nothing was wrong in any zone when they were judged last."""
        return all(zone.state is State.NORMAL for zone in self._zones.values())

    def judge(self, nodes: Iterable[Json], lost: Collection[str], now: int) -> None:
        """Find each zone's state anew.

        Args:
            nodes: All nodes.
            lost: The names of those that are not ready.
            now: The time, microseconds.
        """
        counts: dict[tuple[str, str], list[int]] = {}
        for node in nodes:
            if EXCLUDED not in (node["metadata"].get("labels") or {}):
                ready_and_lost = counts.setdefault(zone_of(node), [0, 0])
                ready_and_lost[node["metadata"]["name"] in lost] += 1
        states = {zone: state_of(*count) for zone, count in counts.items()}
        self.stopped = bool(states) and all(state is State.FULL for state in states.values())
        self._zones = {zone: self._zones.get(zone) or _Zone() for zone in states}
        for zone, state in states.items():
            wanted = State.STOPPED if self.stopped else state
            self._zones[zone].enter(wanted, sum(counts[zone]), now)

    def admit(self, node: Json, now: int) -> bool:
        """Return whether a lost node may be given up now; its zone's next one waits then."""
        return self._zones.setdefault(zone_of(node), _Zone()).admits(now)
