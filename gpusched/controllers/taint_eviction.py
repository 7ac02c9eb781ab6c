"""Taint eviction: pods leave a node whose NoExecute taints they do not tolerate, or not for ever.

Source: kubernetes/kubernetes pkg/controller/tainteviction/taint_eviction.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers.interest import EVERY_NEW_STATE, PodInterest
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    Delete,
    Emit,
    Key,
    Outcome,
    PatchPods,
    PodView,
    Reader,
    Wake,
    Work,
)
from gpusched.controllers.taints import no_execute, toleration_seconds

CONDITION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "DeletionByTaintManager",
    "message": "Taint manager: deleting due to NoExecute taint",
}


class TaintEvictionController:
    """Deletes pods from tainted nodes. Its keys are pods."""

    name: ClassVar[str] = "taint-eviction-controller"
    watches: ClassVar[tuple[str, ...]] = ("Node", "Pod")
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 8
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._since: dict[Key, tuple[str, int, int]] = {}
        self._tainted: dict[str, None] = {}

    @property
    def pods(self) -> Sequence[PodInterest]:
        """All of them while there is a tainted node or an eviction planned; else none."""
        return EVERY_NEW_STATE if self._tainted or self._since else ()

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the pods of a node whose NoExecute taints changed, or a pod bound there."""
        if change.kind == "Node":
            return self._of_node(change, reader)
        pod: PodView = change.new
        if change.key in self._since or (pod.node in self._tainted and change.verb != "DELETED"):
            return (Wake(change.key),)
        return ()

    def _of_node(self, change: Change, reader: Reader) -> Iterable[Wake]:
        if change.verb == "MODIFIED" and change.old.get("spec") is change.new.get("spec"):
            return ()
        before = no_execute(change.old) if change.old is not None else []
        after = no_execute(change.new) if change.verb != "DELETED" else []
        if before == after:
            return ()
        if after:
            self._tainted[change.key[1]] = None
        else:
            self._tainted.pop(change.key[1], None)
        return [Wake((pod.namespace, pod.name)) for pod in reader.pods_on(change.key[1])]

    def sync(self, key: Key, reader: Reader) -> Work:
        """Evict a pod, plan its eviction or call it off."""
        pod = reader.pod(*key)
        node = reader.get("Node", "", pod.node) if pod is not None else None
        found = no_execute(node) if node is not None else []
        if pod is None or pod.deletion is not None or not found:
            yield from self._call_off(key, pod)
            return None
        seconds = toleration_seconds(found, pod.spec.get("tolerations") or ())
        if seconds is None:
            yield from self._call_off(key, pod)
            return None
        since = self._since.get(key)
        start = since[1] if since is not None and since[0] == pod.uid else reader.now
        due = start + seconds * SECOND
        if since is not None and since[0] == pod.uid and since[2] < due:
            due = since[2]
        self._since[key] = (pod.uid, start, due)
        if due > reader.now:
            return Outcome(requeue_after=due - reader.now)
        yield from self._evict(key)
        return None

    def _evict(self, key: Key) -> Any:
        self._since.pop(key, None)
        yield Emit(
            _reference(key),
            "Normal",
            "TaintManagerEviction",
            f"Marking for deletion Pod {key[0]}/{key[1]}",
        )
        yield PatchPods([key], condition=CONDITION)
        yield Delete("Pod", [key])

    def _call_off(self, key: Key, pod: PodView | None) -> Any:
        planned = self._since.pop(key, None)
        if planned is not None and (pod is None or pod.uid == planned[0]):
            yield Emit(
                _reference(key),
                "Normal",
                "TaintManagerEviction",
                f"Cancelling deletion of Pod {key[0]}/{key[1]}",
            )


def _reference(key: Key) -> dict[str, str]:
    return {"kind": "Pod", "namespace": key[0], "name": key[1], "apiVersion": "v1"}


_: Controller = TaintEvictionController()
