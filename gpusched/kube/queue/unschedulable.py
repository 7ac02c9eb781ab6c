"""The unschedulable pods, in groups of those that an event means the same to.

One event may concern thousands of waiting pods; most of them are replicas that were turned away
for the same reasons. They are asked about once (`hints.QueueingHints.alike`).

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/scheduling_queue.go (unschedulablePods),
v1.36.1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from gpusched.cluster.pod import PodShape
from gpusched.kube.queue.entity import QueuedPod

_Key: TypeAlias = tuple[PodShape, str, frozenset[str], frozenset[str]]


@dataclass(slots=True, eq=False)
class Kin:
    """Waiting pods of one shape that the same plugins rejected and the same gate keeps out.

    Attributes:
        key: What they have in common.
        pods: The pods by UID.
        doubtful: Those among them whose gate may have opened since it was last asked.
    """

    key: _Key
    pods: dict[str, QueuedPod] = field(default_factory=dict)
    doubtful: dict[str, QueuedPod] = field(default_factory=dict)

    @property
    def gated_by(self) -> str:
        """Return the plugin whose PreEnqueue keeps them out; empty if none does."""
        return self.key[1]

    @property
    def rejectors(self) -> frozenset[str]:
        """Return all plugins whose events may wake them."""
        return self.key[2] | self.key[3]

    @property
    def sample(self) -> QueuedPod:
        """Return one of them."""
        return next(iter(self.pods.values()))


class UnschedulablePods:
    """All pods that wait for an event, by who has rejected them.

    Attributes:
        kin_of: The group of each pod, in the order in which the pods came; not to be written.
    """

    def __init__(self) -> None:
        self.kin_of: dict[QueuedPod, Kin] = {}
        self._kins: dict[_Key, Kin] = {}
        self._by_rejector: dict[str, dict[_Key, Kin]] = {}
        self._gated = 0

    def __len__(self) -> int:
        """Return how many pods wait."""
        return len(self.kin_of)

    def __iter__(self) -> Iterator[QueuedPod]:
        """Yield all of them in the order in which they came."""
        return iter(list(self.kin_of))

    @property
    def gated(self) -> int:
        """Return how many of them a gate keeps out."""
        return self._gated

    def add(self, queued: QueuedPod) -> None:
        """Take in a pod; what it is grouped by must stay as it is until it leaves."""
        self.kin_of[queued] = self._join(queued)
        self._gated += bool(queued.gated_by)

    def discard(self, queued: QueuedPod) -> None:
        """Let a pod go, if it is here."""
        kin = self.kin_of.pop(queued, None)
        if kin is not None:
            self._part(queued, kin)
            self._gated -= bool(kin.gated_by)

    def regroup(self, queued: QueuedPod) -> None:
        """Find a pod's group anew after its shape has changed; it keeps its place in the order."""
        kin = self.kin_of[queued]
        if kin.key[0] is not queued.pod.shape:
            self._part(queued, kin)
            self.kin_of[queued] = self._join(queued)

    def doubt(self, queued: QueuedPod) -> None:
        """Say that a gated pod's gate must be asked again when an event comes."""
        kin = self.kin_of.get(queued)
        if kin is not None and kin.gated_by:
            kin.doubtful[queued.pod.uid] = queued

    def trust(self, queued: QueuedPod) -> None:
        """Say that a gated pod's gate was asked and is still closed."""
        self.kin_of[queued].doubtful.pop(queued.pod.uid, None)

    def rejected_by_any(self, plugins: Iterable[str]) -> list[Kin]:
        """Return the groups that one of the plugins has rejected."""
        found: dict[_Key, Kin] = {}
        if not self._kins:
            return []
        for plugin in plugins:
            found.update(self._by_rejector.get(plugin, {}))
        return list(found.values())

    def _join(self, queued: QueuedPod) -> Kin:
        key = (queued.pod.shape, queued.gated_by, queued.rejected_by, queued.pending_on)
        kin = self._kins.get(key)
        if kin is None:
            kin = self._kins[key] = Kin(key)
            for plugin in kin.rejectors:
                self._by_rejector.setdefault(plugin, {})[key] = kin
        kin.pods[queued.pod.uid] = queued
        return kin

    def _part(self, queued: QueuedPod, kin: Kin) -> None:
        uid = queued.pod.uid
        del kin.pods[uid]
        kin.doubtful.pop(uid, None)
        if not kin.pods:
            del self._kins[kin.key]
            for plugin in kin.rejectors:
                del self._by_rejector[plugin][kin.key]
