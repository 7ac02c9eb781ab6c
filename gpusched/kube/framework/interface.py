"""The extension points: one protocol each. A plugin implements those it needs.

A plugin is built by a factory ``(args, handle) -> plugin`` from the registry
(`gpusched.kube.plugins.IN_TREE`); ``args`` is the typed dataclass of its arguments
(`gpusched.api.config`), ``handle`` a `Handle`. A plugin keeps no state of its own between
attempts, except where upstream does (in-memory reservations).

Whole-column convention: ``nodes`` is a table of N nodes (`gpusched.cluster.nodes.Nodes`), the
snapshot's or a one-row copy in a dry run; answers are arrays of shape (N,) over its rows.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from gpusched.api.resource import DeviceClass
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.request_table import RequestTable
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.status import SUCCESS, Rejection, Status
from gpusched.kube.nominator import Nominator

MAX_NODE_SCORE = 100


class Plugin(Protocol):
    """Anything with a name as in KubeSchedulerConfiguration."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class PreFilterResult:
    """PreFilter's answer.

    Attributes:
        status: Success, Skip, a rejection of the pod as a whole, or an error.
        node_names: Only these nodes need to be looked at; None for all of them.
    """

    status: Status = SUCCESS
    node_names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Victims:
    """What preemption wants gone from one node, in the order of importance.

    Attributes:
        node: The node's name.
        pods: All victims; those already terminating are among them.
        violations: How many of them break a PodDisruptionBudget.
    """

    node: str
    pods: tuple[PodInfo, ...]
    violations: int


@dataclass(frozen=True, slots=True)
class PostFilterResult:
    """PostFilter's answer.

    Attributes:
        status: Success (room is being made), Unschedulable, UnschedulableAndUnresolvable or Error.
        nominated_node: The node to nominate; an empty string clears the nomination, None keeps it.
        candidates: All best candidates (they tie); the first is the one taken.
    """

    status: Status
    nominated_node: str | None = None
    candidates: tuple[Victims, ...] = ()


@runtime_checkable
class PreEnqueuePlugin(Plugin, Protocol):
    """Says whether a pod may enter the active queue."""

    def pre_enqueue(self, pod: PodInfo, snapshot: Snapshot, /) -> Status:
        """Return Success, or why the pod must wait outside."""
        ...


@runtime_checkable
class GateByShape(PreEnqueuePlugin, Protocol):
    """A PreEnqueue plugin that knows shapes of which it never keeps a pod out."""

    def lets_in(self, shape: PodShape, /) -> bool:
        """Return whether `pre_enqueue` is Success for every pod of a shape, always."""
        ...


@runtime_checkable
class AnnouncedGate(PreEnqueuePlugin, Protocol):
    """A PreEnqueue plugin that says whose gate may have opened.

    About a pod that it keeps out it need not be asked at every event.
    """

    def opened(self) -> Collection[str]:
        """Return the UIDs of pods that it may let pass now but did not before; tells each once."""
        ...


@runtime_checkable
class QueueSortPlugin(Plugin, Protocol):
    """Orders waiting pods."""

    def sort_key(self, pod: PodInfo, timestamp: int, /) -> tuple[int, ...]:
        """Return a key; the smallest comes first.

        Args:
            pod: A waiting pod.
            timestamp: When it was queued, in microseconds.
        """
        ...


@runtime_checkable
class PreFilterPlugin(Plugin, Protocol):
    """Prepares Filter, or rejects the pod as a whole."""

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, /) -> PreFilterResult:
        """Write what Filter needs to ``state``; Skip if Filter has nothing to say."""
        ...


@runtime_checkable
class PreFilterExtensions(Plugin, Protocol):
    """Keeps PreFilter's data true while a dry run adds and removes pods."""

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes, /) -> Status:
        """Count ``other``, just added to the one node of ``nodes`` (row 0)."""
        ...

    def remove_pod(
        self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes, /
    ) -> Status:
        """Uncount ``other``, just removed from the one node of ``nodes`` (row 0)."""
        ...


@runtime_checkable
class FilterPlugin(Plugin, Protocol):
    """Turns nodes away."""

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes, /) -> Sequence[Rejection]:
        """Return one rejection per reason and code; none for nodes that pass."""
        ...


@runtime_checkable
class PostFilterPlugin(Plugin, Protocol):
    """Tries to make room when no node fits."""

    def post_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, diagnosis: "NodeStatuses", /
    ) -> PostFilterResult:
        """Return what could be done; changes nothing itself."""
        ...


@runtime_checkable
class PreScorePlugin(Plugin, Protocol):
    """Prepares Score."""

    def pre_score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints, /
    ) -> Status:
        """Write what Score needs; Skip if the plugin has nothing to say about these rows.

        Args:
            state: Where to write.
            pod: The pod.
            snapshot: The whole snapshot.
            rows: The feasible nodes, in the order in which they were found; shape (K,).
        """
        ...


@runtime_checkable
class ScorePlugin(Plugin, Protocol):
    """Rates nodes."""

    def score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints, /
    ) -> Ints | Status:
        """Return raw scores of ``rows``, shape (K,), or the error that ends the attempt."""
        ...


@runtime_checkable
class NormalizeScorePlugin(Plugin, Protocol):
    """Brings raw scores into [0, 100]."""

    def normalize_score(self, state: CycleState, pod: PodInfo, scores: Ints, /) -> Ints:
        """Return normalised scores, shape (K,), parallel to the rows that were scored."""
        ...


@runtime_checkable
class AmountsFilterPlugin(FilterPlugin, Protocol):
    """Reads nothing of a node but its amounts, nothing of a pod but its requests."""

    def fits(self, pods: RequestTable, nodes: Nodes, /) -> Mask:
        """Return True where `filter` turns no node away; shape (P, N).

        Devices that stand for an extended resource are left out: nobody asks about pods that may
        have them.
        """
        ...


@runtime_checkable
class AmountsScorePlugin(ScorePlugin, Protocol):
    """Reads nothing of a node but amounts of some resources, nothing of a pod but its requests."""

    def reads(self, names: ResourceNames, /) -> Iterable[int]:
        """Return the rows of the resources that it reads; -1 for one that nobody has named.

        Of a node it reads what is there of them and what is taken, nothing else.
        """
        ...

    def rate(self, pods: RequestTable, nodes: Nodes, /) -> Ints:
        """Return what `score` gives each pod on each node, devices left out; shape (P, N)."""
        ...


class OpenDomains(NamedTuple):
    """Where Filter lets a pod go, by topology domain.

    Attributes:
        ids: The domain of each node; shape (N,).
        open: Whether the pod may go there; shape (V,).
    """

    ids: Ints
    open: Mask


@runtime_checkable
class FollowingFilterPlugin(FilterPlugin, Protocol):
    """Can keep what it counts of placed pods, and count on as they come and go."""

    def follow_filter(
        self, shape: PodShape, snapshot: Snapshot, /
    ) -> Callable[[], Iterable[OpenDomains]] | None:
        """Return who says at any time where Filter lets the shape's pods go; None if nobody can.

        It holds while no node object changes and `Cache.plan_version` of the shape stays.
        """
        ...


@runtime_checkable
class FollowingScorePlugin(ScorePlugin, Protocol):
    """Can keep what it counts of placed pods, and count on as they come and go."""

    def follow_score(self, shape: PodShape, snapshot: Snapshot, /) -> Callable[[Ints], Ints] | None:
        """Return who gives feasible rows their normalised scores at any time; None if nobody can.

        It holds as long as `FollowingFilterPlugin`'s.
        """
        ...


@runtime_checkable
class LabelReader(Plugin, Protocol):
    """A plugin in the tree whose answers hang on the labels or the owner of the pod."""

    def reading(self, shape: PodShape, snapshot: Snapshot, /) -> Hashable | None:
        """Return what it makes of a shape's labels and owner; None if it is nothing.

        Of two shapes that differ in labels and owner alone and read alike it says the same. If
        it makes nothing of them, PreFilter and PreScore skip the shape's pods, whichever pods
        come and go. It holds while `Cache.plan_version` of the shape stays.
        """
        ...


@runtime_checkable
class ReservePlugin(Plugin, Protocol):
    """Keeps in-memory state about what a chosen pod will use."""

    def reserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str, /) -> Status:
        """Take what the pod needs on ``node``."""
        ...

    def unreserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str, /) -> None:
        """Give it back."""
        ...


@runtime_checkable
class SparingReserve(ReservePlugin, Protocol):
    """A Reserve plugin that knows from the cycle state when a pod is none of its business."""

    def is_idle(self, state: CycleState, /) -> bool:
        """Return whether there is nothing to reserve, to give back or to do before binding."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DeviceCounts:
    """Devices of one class on K nodes.

    Attributes:
        total: How many there are; shape (K,).
        taken: How many of them are allocated; shape (K,).
    """

    total: Ints
    taken: Ints


@runtime_checkable
class DeviceCountingPlugin(Plugin, Protocol):
    """Knows the devices that stand for an extended resource, for those who score by it."""

    def count_devices(
        self, device_class: DeviceClass, snapshot: Snapshot, rows: Ints, /
    ) -> DeviceCounts:
        """Return how many devices of a class ``rows`` have; shape (K,)."""
        ...


class NodeStatuses(Protocol):
    """Which nodes were turned away, and how (`diagnosis.Diagnosis`), as PostFilter reads it."""

    def rows_with(self, code: int) -> Ints:
        """Return the rows whose status has this code, in snapshot order; shape (K,)."""
        ...

    def code_of(self, row: int) -> int:
        """Return the status code of one row (absent nodes: the absent nodes' code)."""
        ...


class Handle(Protocol):
    """What the framework offers to its plugins."""

    @property
    def nominator(self) -> Nominator:
        """Return who is nominated where."""
        ...

    def filter_one(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Status:
        """Run all filters on a one-row table, nominated pods counted as upstream counts them."""
        ...

    def add_pod(self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes, /) -> Status:
        """Put ``other`` on the one node of ``nodes`` and tell all PreFilter extensions."""
        ...

    def remove_pod(
        self, state: CycleState, pod: PodInfo, other: PodInfo, nodes: Nodes, /
    ) -> Status:
        """Take ``other`` from the one node of ``nodes`` and tell all PreFilter extensions."""
        ...

    def devices_of(self, resource: str, snapshot: Snapshot, rows: Ints, /) -> DeviceCounts | None:
        """Return the devices behind an extended resource; None where there can be none."""
        ...

    def active_filters(self, state: CycleState, /) -> Sequence[str]:
        """Return the Filter plugins that have something to say in this attempt, in order."""
        ...

    def draw(self, bound: int) -> int:
        """Return the next number of the run's preemption stream, in [0, bound)."""
        ...
