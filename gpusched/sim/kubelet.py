"""KWOK at work: makes nodes ready, keeps their leases, starts, ends and removes their pods.

Which stage applies and what it does is `kwok`'s; this file plays it in time.
"""

from collections.abc import Callable, Mapping
from heapq import heapreplace
from typing import Any

from gpusched.api.shared import Shared
from gpusched.controllers.interest import (
    BOUND,
    EVERY_NEW_STATE,
    MARKED,
    RELEASED,
    STARTED,
    TOLD,
    PodInterest,
)
from gpusched.controllers.protocol import Change, Key
from gpusched.controllers.selectors import selects
from gpusched.kwok.fast import initialized, is_ready
from gpusched.sim.api import Api
from gpusched.sim.calendar import SECOND
from gpusched.sim.deletion import delete_pod
from gpusched.sim.latency import Latency
from gpusched.sim.leases import Leases
from gpusched.sim.loop import Alarm
from gpusched.sim.pod import Json, Pod
from gpusched.sim.stages import StagePlayer
from gpusched.sim.steps import finished, running

WORKERS = 4
"""How many pods a KWOK process works on at the same time (its podPlayStageParallelism)."""
FAKE = ("kwok.x-k8s.io/node", "fake")
_WITH_FAST_STAGES = (
    PodInterest(BOUND | TOLD | MARKED | RELEASED, before=False),
    PodInterest(STARTED, ("Job",), before=False),
)
"""What can call for the next fast stage. A pod that has ended or left, or has no node, does not."""
_REMOVE, _RUN, _COMPLETE = range(3)
RunTime = Callable[[Pod], tuple[int, int] | None]
"""How long a pod runs in microseconds and the exit code it ends with; None: it never ends."""


class NodeSelector:
    """Which nodes one KWOK process manages.

    Args:
        args: Its command line.
    """

    def __init__(self, args: tuple[str, ...] = ()) -> None:
        self._all = "--manage-all-nodes" in args or "--manage-all-nodes=true" in args
        self._labels: dict[str, str] | None = None
        for index, arg in enumerate(args):
            name, _, value = arg.partition("=")
            if name == "--manage-nodes-with-label-selector":
                text = value or args[index + 1]
                self._labels = dict(
                    part.split("=", 1) for part in text.replace("==", "=").split(",")
                )

    def manages(self, node: Json) -> bool:
        """Return whether the node is managed.

        By labels if any are named, else by KWOK's annotation.
        """
        if self._all:
            return True
        meta: Mapping[str, Any] = node["metadata"]
        if self._labels is not None:
            return selects({"matchLabels": self._labels}, meta.get("labels") or {})
        return bool((meta.get("annotations") or {}).get(FAKE[0]) == FAKE[1])


class Kubelet:
    """One KWOK process.

    Args:
        api: The API server.
        latency: How fast it reacts.
        leases: Where node leases are kept.
        selector: Which nodes it manages.
        stages: User-defined pod stages instead of the fast ones.
        run_time: How long pods run, under the fast stages.
    """

    def __init__(
        self,
        api: Api,
        latency: Latency,
        leases: Leases,
        selector: NodeSelector,
        stages: StagePlayer | None = None,
        run_time: RunTime = lambda _: None,
    ) -> None:
        self._api = api
        self._store = api.store
        self._loop = api.store.loop
        self._latency = latency
        self._delay = latency.kwok
        self._warm = False
        self._removes_from: int | None = None
        self._written = self._loop.now
        self._leases = leases
        self._selector = selector
        self._stages = stages
        self._run_time = run_time
        self._nodes: dict[str, None] = {}
        self._running = True
        self._initialized = Shared(initialized)
        self._next_address = 1
        self._due: dict[tuple[int, int], list[Key]] = {}
        self._actions = (self._remove, self._run, self._complete)
        self._free_at = [self._loop.now] * WORKERS
        self._stage_alarms: dict[Key, Alarm] = {}
        self._timed: set[int] = set()
        self._store.watch("Node", self._see_node)
        interests = _WITH_FAST_STAGES if stages is None else EVERY_NEW_STATE
        self._store.watch("Pod", self._see_pod, lambda: interests)

    # --- start and stop ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Do nothing any more; what is under way is lost."""
        self._running = False
        self._due.clear()
        for alarm in self._stage_alarms.values():
            alarm.cancel()
        self._stage_alarms.clear()
        for node in self._nodes:
            self._leases.stop(node, self._loop.now)
        self._nodes.clear()

    def start(self) -> None:
        """Begin again: look at every node and pod."""
        self._running = True
        for node in self._store.objects("Node"):
            self._manage(node)
            for pod in self._store.pods_on(node["metadata"]["name"]):
                self._look_at(pod)

    # --- nodes ------------------------------------------------------------------------------------

    def _see_node(self, change: Change) -> None:
        if not self._running:
            return
        name = change.key[1]
        if change.verb == "DELETED":
            if name in self._nodes:
                del self._nodes[name]
                self._leases.drop(name)
            return
        known = name in self._nodes
        self._manage(change.new)
        if not known and name in self._nodes:
            for pod in self._store.pods_on(name):
                self._look_at(pod)

    def _manage(self, node: Json) -> None:
        name = node["metadata"]["name"]
        if not self._selector.manages(node):
            return
        due = self._loop.now + (self._latency.kwok_node if self._warm else self._latency.kwok_start)
        self._warm = True
        if name not in self._nodes:
            self._nodes[name] = None
            self._loop.at(due, self._begin, name, not is_ready(node))
        elif not is_ready(node):
            self._loop.at(due, self._initialize, name)

    def _begin(self, name: str, initialize: bool) -> None:
        """Keep a new node's lease; make it ready if it was not when it came."""
        if name in self._nodes:
            self._leases.start(name, self._loop.now)
        if initialize:
            self._initialize(name)

    def _initialize(self, name: str) -> None:
        node = self._store.get("Node", "", name)
        if self._running and node is not None and not is_ready(node):
            created, now = node["metadata"]["creationTimestamp"], self._store.stamp()
            self._api.replace_status(
                node, self._initialized.of((node.get("status"),), created, now)
            )

    # --- pods -------------------------------------------------------------------------------------

    def _see_pod(self, change: Change) -> None:
        if self._running and change.verb != "DELETED" and change.new.node in self._nodes:
            self._look_at(change.new)

    def _look_at(self, pod: Pod) -> None:
        """Plan what the pod's present state calls for."""
        if self._stages is not None:
            self._plan_stage(pod)
        elif pod.deletion is not None:
            self._plan(_REMOVE, pod)
        elif pod.phase == "Pending":
            self._plan(_RUN, pod)
        elif pod.phase == "Running" and pod.serial not in self._timed and _of_job(pod):
            self._plan(_COMPLETE, pod)

    def _next_worker(self, *, removal: bool = False) -> int:
        """Return when the next free worker will have played a stage that is due now.

        What comes while the very first pod is being removed ends with it at the earliest.
        """
        now, latency = self._loop.now, self._latency
        if not latency.kwok:
            return now
        delay = latency.kwok_removal if removal else latency.kwok
        due = max(max(now, self._free_at[0]) + delay, self._written + latency.kwok_apart)
        if removal:
            if self._removes_from is None:
                self._removes_from = due + latency.kwok_first_removal
            due = max(due, self._removes_from)
        self._written = due
        heapreplace(self._free_at, due)
        return due

    def _plan(self, action: int, pod: Pod) -> None:
        """Let a worker carry out an action; what is due at one instant goes together."""
        due = (self._next_worker(removal=action == _REMOVE), action)
        keys = self._due.get(due)
        if keys is None:
            keys = self._due[due] = []
            self._loop.at(due[0], self._carry_out, due)
        keys.append(pod.key)

    def _carry_out(self, due: tuple[int, int]) -> None:
        action = self._actions[due[1]]
        for key in self._due.pop(due, ()):
            pod = self._store.find(key)
            if pod is not None:
                action(pod)

    def _run(self, pod: Pod) -> None:
        if pod.phase != "Pending" or pod.deletion is not None:
            return
        new = self._store.step(pod, running, self._next_address)
        self._next_address += 1
        run = self._run_time(new)
        if run is not None:
            self._timed.add(new.serial)
            self._loop.at(self._loop.now + run[0], self._end, new.key, new.serial, run[1])

    def _end(self, key: Key, serial: int, code: int) -> None:
        self._timed.discard(serial)
        pod = self._store.find(key)
        if (
            self._running
            and pod is not None
            and pod.serial == serial
            and pod.phase == "Running"
            and pod.deletion is None
        ):
            self._store.step(pod, finished, code)

    def _complete(self, pod: Pod) -> None:
        if pod.phase == "Running" and pod.deletion is None:
            self._store.step(pod, finished, 0)

    def _remove(self, pod: Pod) -> None:
        """Remove a deleted pod whatever its grace period, as ``pod-delete`` does.

        No finalizers, grace 0.
        """
        for finalizer in pod.finalizers:
            self._api.patch_pod(pod.key, drop=finalizer)
        left = self._store.find(pod.key)
        if left is not None:
            delete_pod(self._store, left, 0)

    # --- user-defined stages ----------------------------------------------------------------------

    def _plan_stage(self, pod: Pod) -> None:
        assert self._stages is not None
        alarm = self._stage_alarms.pop(pod.key, None)
        if alarm is not None:
            alarm.cancel()
        if self._store.find(pod.key) is None:
            return
        plan = self._stages.plan(self._api.read("Pod", *pod.key), self._loop.now)
        if plan is None:
            return
        if not plan.delay:
            self._engage(pod.key, plan.stage)
            return
        ripe = self._loop.now + plan.delay
        play = self._engage if self._delay else self._play_stage
        self._stage_alarms[pod.key] = self._loop.at(ripe, play, pod.key, plan.stage)

    def _engage(self, key: Key, stage: Any) -> None:
        """Let a worker play a stage whose delay is over."""
        due = self._next_worker(removal=stage.delete)
        self._stage_alarms[key] = self._loop.at(due, self._play_stage, key, stage)

    def _play_stage(self, key: Key, stage: Any) -> None:
        assert self._stages is not None
        self._stage_alarms.pop(key, None)
        pod = self._store.find(key)
        if pod is None or not self._running:
            return
        self._next_address = self._stages.play(self._api, pod, stage, self._next_address)


def _of_job(pod: Pod) -> bool:
    return pod.owner is not None and pod.owner[0] == "Job"


__all__ = ["FAKE", "SECOND", "Kubelet", "NodeSelector", "RunTime"]
