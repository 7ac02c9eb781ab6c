"""Pod garbage collection.

Pods on nodes that are gone, terminating pods that were never bound, too many finished ones.

Source: kubernetes/kubernetes pkg/controller/podgc/gc_controller.go, v1.36.1
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    Delete,
    Key,
    PatchPods,
    PodView,
    Reader,
    Wake,
    Work,
)

QUARANTINE = 40 * SECOND
FINISHED_LIMIT = 12500
CONDITION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "DeletionByPodGC",
    "message": "PodGC: node no longer exists",
}


class PodGcController:
    """Deletes what nobody else would."""

    name: ClassVar[str] = "pod-garbage-collector"
    watches: ClassVar[tuple[str, ...]] = ("Node",)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 20 * SECOND
    workers: ClassVar[int] = 1
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._missing: dict[str, int] = {}
        self._nodes_went = False

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Remember that a node went; everything else waits for the tick."""
        self._nodes_went |= change.verb == "DELETED"
        return ()

    def sync(self, key: Key, reader: Reader) -> Work:  # noqa: ARG002 - there is only the tick
        """Look at every pod, if there is anything to look for."""
        if self._nodes_went or self._missing:
            yield from self._orphans(reader)
        if reader.pod_count() <= FINISHED_LIMIT:
            return None
        finished = [pod for pod in reader.pods() if pod.phase in ("Succeeded", "Failed")]
        if len(finished) > FINISHED_LIMIT:
            finished.sort(key=lambda pod: pod.created)
            yield from self._delete(finished[: len(finished) - FINISHED_LIMIT])
        return None

    def _orphans(self, reader: Reader) -> Any:
        """Delete the pods of nodes that have been missing for the whole quarantine."""
        self._nodes_went = False
        homeless = [
            pod for pod in reader.pods() if pod.node and reader.get("Node", "", pod.node) is None
        ]
        names = {pod.node: None for pod in homeless}
        due = {
            name
            for name, since in self._missing.items()
            if reader.now - since >= QUARANTINE and name in names
        }
        self._missing = {
            name: self._missing.get(name, reader.now) for name in names if name not in due
        }
        yield from self._delete([pod for pod in homeless if pod.node in due], lost=True)

    def _delete(self, pods: Iterable[PodView], *, lost: bool = False) -> Any:
        for pod in pods:
            key = (pod.namespace, pod.name)
            phase = "" if pod.phase in ("Succeeded", "Failed") else "Failed"
            yield PatchPods([key], condition=CONDITION if lost else None, phase=phase)
            yield Delete("Pod", [key], grace=0)


_: Controller = PodGcController()
