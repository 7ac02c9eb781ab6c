"""Watching a cluster: every change of what a play is about, and when it was heard of."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gpusched.live.clock import now
from gpusched.live.cluster import Cluster, ClusterError, Stream
from gpusched.sim.pod import Json

KINDS_WATCHED: Final = (
    "Namespace", "Node", "PriorityClass", "Pod", "Event", "Deployment", "ReplicaSet", "StatefulSet",
    "DaemonSet", "Job", "PodDisruptionBudget", "Service",
)  # fmt: skip


class Heard(NamedTuple):
    """One change.

    Attributes:
        at: When it was heard of, microseconds since the Unix epoch.
        verb: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        object: The object after it.
    """

    at: int
    verb: str
    object: Json


@dataclass(slots=True)
class PodState:
    """What is known of a pod now."""

    object: Json

    @property
    def is_settled(self) -> bool:
        """Return whether it runs, has ended, or waits for more than its victims' end."""
        meta, spec, status = (
            self.object.get(part) or {} for part in ("metadata", "spec", "status")
        )
        if meta.get("deletionTimestamp"):
            return False
        if spec.get("nodeName"):
            return status.get("phase") != "Pending"
        if status.get("nominatedNodeName"):
            return False
        conditions = status.get("conditions") or ()
        return any(item["type"] == "PodScheduled" for item in conditions)


class Watcher:
    """Hears of all changes from its start on.

    Args:
        cluster: What to watch.
        concerns: Whether an object belongs to the play.
        kinds: What kinds to watch.
    """

    def __init__(
        self,
        cluster: Cluster,
        concerns: Callable[[Json], bool],
        kinds: Sequence[str] = KINDS_WATCHED,
    ) -> None:
        self._cluster = cluster
        self._concerns = concerns
        self._lock = threading.Lock()
        self._heard: list[Heard] = []
        self._pods: dict[str, PodState] = {}
        self._last = now()
        self._stopped = False
        self._lost = ""
        self._streams: list[Stream] = []
        for kind in kinds:
            self._start(kind)

    def heard(self) -> list[Heard]:
        """Return all changes until now, in order of time.

        Raises:
            ClusterError: A connection was lost, so that some are not known.
        """
        with self._lock:
            if self._lost:
                raise ClusterError(f"the watch of {self._lost} was broken off by the server")
            return sorted(self._heard, key=lambda change: change.at)

    def stop(self) -> None:
        """Listen no more."""
        with self._lock:
            self._stopped = True
        for stream in self._streams:
            stream.close()

    def expect_changes(self) -> None:
        """Be told that something was just done whose changes have not been heard of yet."""
        with self._lock:
            self._last = now()

    def since_last(self) -> int:
        """Return the microseconds since the last change of a pod or an event."""
        with self._lock:
            return now() - self._last

    def is_settled(self) -> bool:
        """Return whether no pod is about to change."""
        with self._lock:
            return all(pod.is_settled for pod in self._pods.values())

    def _start(self, kind: str) -> None:
        """Read what is there, then follow; changes between the two are not lost."""
        items, version = self._cluster.listed(kind)
        for obj in items:
            self._take(kind, "ADDED", obj)
        stream = self._cluster.watch(kind, version)
        self._streams.append(stream)
        threading.Thread(target=self._follow, args=(kind, stream), daemon=True).start()

    def _follow(self, kind: str, stream: Stream) -> None:
        try:
            for verb, obj in stream.changes():
                if verb in ("ADDED", "MODIFIED", "DELETED"):
                    self._take(kind, verb, {**obj, "kind": kind})
        finally:
            with self._lock:
                if not self._stopped:
                    self._lost = kind

    def _take(self, kind: str, verb: str, obj: Json) -> None:
        if not self._concerns(obj):
            return
        with self._lock:
            if self._stopped:
                return
            self._heard.append(Heard(now(), verb, obj))
            if kind in ("Pod", "Event"):
                self._last = now()
            if kind == "Pod" and verb == "DELETED":
                self._pods.pop(obj["metadata"]["uid"], None)
            elif kind == "Pod":
                self._pods[obj["metadata"]["uid"]] = PodState(obj)
