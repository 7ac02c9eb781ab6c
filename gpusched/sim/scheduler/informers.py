"""The scheduler's event handlers: changes of the store become cache, queue and cluster events.

Source: kubernetes/kubernetes pkg/scheduler/eventhandlers.go, v1.36.1; specification, 1.7 and 7.7.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from gpusched.cluster.cache import Cache
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import Change as Write
from gpusched.kube.framework.events import Action, Change, ClusterEvent
from gpusched.kube.nominator import Nominator
from gpusched.kube.queue.entity import Place
from gpusched.kube.queue.scheduling_queue import SchedulingQueue
from gpusched.sim.pod import TERMINAL, Pod
from gpusched.sim.scheduler.changes import (
    ASSIGNED_ADD,
    ASSIGNED_DELETE,
    NODE_ADD,
    NODE_DELETE,
    node_changes,
    pod_changes,
)
from gpusched.sim.scheduler.compiling import WATCHED, Compiler, WatchedKind, lister_key, refresh

_OTHER_ACTIONS = {"ADDED": (Action.ADD, "Add"), "DELETED": (Action.DELETE, "Delete")}


class Informers:
    """Keeps cache, queue and nominator in step with what the scheduler is told.

    Args:
        compiler: Makes compiled objects.
        cache: Pods on nodes.
        queue: Waiting pods.
        nominator: Nominated pods.
        profiles: Whether a scheduler name is ours.
        clock: Returns now, microseconds.
    """

    def __init__(
        self,
        compiler: Compiler,
        cache: Cache,
        queue: SchedulingQueue,
        nominator: Nominator,
        profiles: Callable[[str], bool],
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._compiler = compiler
        self._cache = cache
        self._queue = queue
        self._nominator = nominator
        self._is_ours = profiles
        self._clock = clock
        self._placed: dict[str, PodInfo] = {}

    # Assumed pods.

    def assume(self, info: PodInfo, node: str) -> None:
        """Count a pod on its node before the API server has heard of it."""
        self._nominator.remove(info.uid)
        self._cache.add_pod(info, node)
        self._placed[info.uid] = info
        info.assumed = True

    def forget(self, info: PodInfo) -> PodInfo:
        """Take back an assumed pod whose binding has failed; return it as it was on its node."""
        info.assumed = False
        gone = copy(info)
        if self._placed.pop(info.uid, None) is not None:
            self._cache.remove_pod(info)
            info.node_name = ""
        return gone

    # Pods.

    def pod_changed(self, write: Write) -> None:
        """Handle one change of a pod. A terminal pod is a deleted one for the scheduler."""
        pod: Pod = write.new
        gone = write.verb == "DELETED" or pod.phase in TERMINAL
        if not pod.node:
            if gone:
                self._unassigned_gone(pod)
            elif self._is_ours(pod.template.spec.get("schedulerName") or ""):
                self._unassigned(pod)
            return
        placed = self._placed.get(pod.uid)
        if gone:
            if placed is not None:
                self._assigned_gone(pod, placed)
        elif placed is None or placed.assumed:
            self._newly_assigned(pod, placed)
        else:
            self._assigned_updated(pod, placed)

    def _newly_assigned(self, pod: Pod, placed: PodInfo | None) -> None:
        if placed is not None:
            placed.assumed = False
        self._queue.delete(pod.uid)
        self._nominator.remove(pod.uid)
        info = self._place(pod, placed)
        self._move(ASSIGNED_ADD, None, info)

    def _place(self, pod: Pod, placed: PodInfo | None) -> PodInfo:
        """Put a bound pod where it is bound; an assumed one is confirmed."""
        if placed is not None and placed.node_name == pod.node:
            return self._replace(pod, placed)
        if placed is not None:
            self._cache.remove_pod(placed)
        info = self._compiler.pod(pod)
        self._cache.add_pod(info, pod.node)
        self._placed[pod.uid] = info
        return info

    def _assigned_updated(self, pod: Pod, placed: PodInfo) -> None:
        info = self._replace(pod, placed)
        if not self._queue.listens:
            return
        for event in pod_changes(placed, info, assigned=True):
            self._move(event, placed, info)

    def _replace(self, pod: Pod, placed: PodInfo) -> PodInfo:
        """Update a placed pod: upstream takes it out and adds it again, at the end of its node."""
        if isinstance(pod.detail, dict) or placed.shape is not self._compiler.shape(pod):
            info = self._compiler.pod(pod)
            self._cache.update_pod(placed, info)
            self._placed[pod.uid] = info
            return info
        if placed.terminating == (pod.deletion is not None):
            self._cache.touch_pod(placed, anew=refresh(placed, pod))
            return placed
        self._cache.remove_pod(placed)
        refresh(placed, pod)
        self._cache.add_pod(placed, pod.node)
        return placed

    def _assigned_gone(self, pod: Pod, placed: PodInfo) -> None:
        del self._placed[pod.uid]
        self._queue.delete(pod.uid)
        self._cache.remove_pod(placed)
        self._move(ASSIGNED_DELETE, placed, None)

    def _unassigned(self, pod: Pod) -> None:
        info = self._compiler.pod(pod)
        if pod.uid in self._placed:
            return
        queued = self._queue.find(pod.uid)
        if queued is None:
            self._queue.add(info, self._clock())
            self._nominate(info)
            return
        old = queued.pod
        snapshot = self._cache.snapshot()
        events = [
            (event, Change(old, info, snapshot)) for event in pod_changes(old, info, assigned=False)
        ]
        self._queue.update(info, events, self._clock())
        self._renominate(old, info)

    def _nominate(self, info: PodInfo) -> None:
        """A gated pod's nomination counts for nobody."""
        if not info.nominated_node:
            return
        queued = self._queue.find(info.uid)
        if queued is not None and queued.place is Place.ACTIVE:
            self._nominator.add(info, info.nominated_node)

    def _renominate(self, old: PodInfo, info: PodInfo) -> None:
        """With no nomination in either version the one in memory stays."""
        if info.nominated_node:
            self._nominator.add(info, info.nominated_node)
        elif old.nominated_node:
            self._nominator.remove(info.uid)
            self.room_released(old)
        elif where := self._nominator.node_of(info.uid):
            self._nominator.add(info, where)

    def _unassigned_gone(self, pod: Pod) -> None:
        queued = self._queue.find(pod.uid)
        if queued is None:
            return
        info = queued.pod
        self._queue.delete(pod.uid)
        self._nominator.remove(pod.uid)
        if placed := self._placed.get(pod.uid):
            self._move(ASSIGNED_DELETE, self.forget(placed), None)
        elif info.nominated_node:
            self.room_released(info)

    def room_released(self, info: PodInfo) -> None:
        """A nomination is given up: wake those that had to respect it."""
        self._queue.move(
            ASSIGNED_DELETE,
            Change(info, None, self._cache.snapshot()),
            self._clock(),
            lambda other: other.priority <= info.priority,
        )

    # Nodes and everything else.

    def node_changed(self, write: Write) -> None:
        """Handle one change of a node."""
        state = self._cache.state(write.key[1])
        old = state.info if state is not None else None
        if write.verb == "DELETED":
            if old is not None:
                self._move(NODE_DELETE, old, None)
                self._cache.remove_node(old.name)
            return
        info = self._compiler.node(write.new)
        if old is None:
            self._cache.add_node(info)
            self._move(NODE_ADD, None, info)
            return
        self._node_updated(old, info)

    def _node_updated(self, old: NodeInfo, info: NodeInfo) -> None:
        events = node_changes(old, info)
        if not events and old.images == info.images:
            return
        self._cache.update_node(info)
        for event in events:
            self._move(event, old, info)

    def other_changed(self, write: Write) -> None:
        """Handle one change of a kind that plugins read.

        What is not newer than what is known was told before: the scheduler hears of its own
        writes at once.
        """
        kind = WATCHED[write.kind]
        lister = kind.lister(self._cache.objects)
        key = lister_key(kind, write.key)
        old = lister.get(key)
        new = None if write.verb == "DELETED" else self._compiler.other(write.new)
        if new is not None and old is not None and not _is_newer(new, old):
            return
        if new is None:
            lister.delete(key)
        else:
            lister.put(key, new)
        self._tell(kind, write.verb, old, new)

    def _tell(self, kind: WatchedKind, verb: str, old: Any, new: Any) -> None:
        if kind.event is None:
            return
        action, word = _OTHER_ACTIONS.get(verb, (Action.UPDATE, "Update"))
        label = kind.event.value.rpartition("/")[2] + word
        self._move(ClusterEvent(kind.event, action, label), old, new)

    def _move(self, event: ClusterEvent, old: Any, new: Any) -> None:
        if self._queue.listens:
            change = Change(old, new, self._cache.snapshot())
            self._queue.move(event, change, self._clock())


def _is_newer(new: Any, old: Any) -> bool:
    versions = [obj.metadata.resource_version for obj in (old, new)]
    return not all(versions) or int(versions[0]) < int(versions[1])
