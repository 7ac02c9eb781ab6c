"""What is told of one attempt: plain values, ready to be printed or written as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gpusched.api.meta import wire_name
from gpusched.explain.changes import Change


@dataclass(frozen=True, slots=True)
class PluginScore:
    """What one plugin gave one node.

    Attributes:
        raw: As the plugin returned it.
        normalized: 0 to 100, after NormalizeScore.
        weighted: Times the plugin's weight; what counts.
    """

    raw: int
    normalized: int
    weighted: int


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """What the attempt found out about one node.

    Attributes:
        node: Its name.
        feasible: Whether the pod fits there.
        looked_at: False if the search ended before it came to this node.
        passed: Filter plugins that let it pass, in order.
        refused_by: The plugin that turned it away; empty if none did.
        reasons: That plugin's words.
        code: The status, as upstream names it; empty if the node is feasible.
        eviction_could_help: Whether preemption may try the node.
        scores: By plugin; of those that scored at all.
        total: The sum of the weighted scores; None unless at least two nodes were feasible.
        changes: What would have to change for the pod to fit here.
    """

    node: str
    feasible: bool
    looked_at: bool = True
    passed: tuple[str, ...] = ()
    refused_by: str = ""
    reasons: tuple[str, ...] = ()
    code: str = ""
    eviction_could_help: bool = False
    scores: Mapping[str, PluginScore] = field(default_factory=dict)
    total: int | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueMove:
    """One step of the pod's way through the scheduler's queue.

    Attributes:
        seconds: Virtual time.
        event: Upstream's label of what moved it; ``attempt`` for an attempt.
        queue: Where it went; for an attempt its number.
    """

    seconds: float
    event: str
    queue: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One attempt taken apart.

    Attributes:
        pod: ``namespace/name``.
        scheduler: The profile's name.
        result: ``scheduled``, ``unschedulable`` or ``error``.
        message: What event and condition say of a failed attempt.
        node: The node that was taken; empty if none was.
        nodes: One verdict for each node, in the order in which nodes are looked at.
        skipped: Filter plugins that had nothing to ask of this pod.
        pre_filter: PreFilter's words where it turned the pod away as a whole.
        ties: Nodes with the best total, in the order found.
        tie: How the tie fell; empty without one.
        nominated: The node that preemption has chosen; empty if it found none.
        victims: Pods that preemption would evict there.
        candidates: Victims by node, of all nodes among which preemption drew lots.
        smallest_change: The nodes with the fewest changes, and these changes.
        changes_seconds: Virtual time at which the changes are counted; None for the attempt's.
        attempt: Number of the attempt, from 1; 0 where there is no queue.
        attempts: How many attempts there were.
        seconds: Virtual time of the attempt; None where there is no clock.
        history: The pod's way through the queue.
        notes: What to know about this explanation itself.
    """

    pod: str
    scheduler: str
    result: str
    message: str = ""
    node: str = ""
    nodes: tuple[NodeVerdict, ...] = ()
    skipped: tuple[str, ...] = ()
    pre_filter: str = ""
    ties: tuple[str, ...] = ()
    tie: str = ""
    nominated: str = ""
    victims: tuple[str, ...] = ()
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    smallest_change: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    changes_seconds: float | None = None
    attempt: int = 0
    attempts: int = 0
    seconds: float | None = None
    history: tuple[QueueMove, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def scores_told(self) -> bool:
        """Whether nodes were scored at all: one feasible node is taken as it is."""
        return any(verdict.total is not None for verdict in self.nodes)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, in camel case; what does not apply is left out."""
        found: dict[str, Any] = _json(asdict(self))
        return found


_BY_NAME = ("scores", "smallest_change", "candidates")
"""Fields whose keys are names of plugins and nodes, not of fields."""


def _json(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        wire_name(name): _named(item) if name in _BY_NAME else _json(item)
        for name, item in value.items()
        if item is not None
    }


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(item) for name, item in values.items()}
