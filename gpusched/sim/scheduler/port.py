"""What the scheduler needs of the API server, and how a store gives it: at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from gpusched.controllers.interest import EVERY_NEW_STATE
from gpusched.controllers.protocol import Key
from gpusched.sim.api import Api
from gpusched.sim.deletion import delete, delete_pod
from gpusched.sim.events import SeriesRecorder
from gpusched.sim.pod import Json, Pod
from gpusched.sim.steps import conditioned, failed_attempt
from gpusched.sim.watchers import Handler
from gpusched.sim.writing import ObjectWriter


class StoreWriter:
    """The `ObjectWriter` of a store.

    Args:
        api: The API server's verbs.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self.create = api.create
        self.replace = api.replace
        self.replace_status = api.replace_status

    def wall_time(self) -> int:
        """See `ObjectWriter`."""
        store = self._api.store
        return store.calendar.unix(store.now)

    def read(self, kind: str, key: Key) -> Json:
        """See `ObjectWriter`."""
        return self._api.read(kind, *key)

    def patch_status(self, kind: str, key: Key, status: Json) -> Any:
        """See `ObjectWriter`."""
        return self._api.patch(kind, key, {"status": status}, "merge", "status")

    def delete(self, kind: str, key: Key) -> None:
        """See `ObjectWriter`."""
        delete(self._api.store, kind, key)


class SchedulerPort(Protocol):
    """What a scheduler needs of the API server. Each call takes effect at once.

    Watchers hear of it later.

    `watch` delivers every change of a kind in order: pods as `Pod`, everything else as JSON.
    """

    @property
    def now(self) -> int:
        """Microseconds since t = 0."""

    @property
    def writer(self) -> ObjectWriter:
        """Writes what is no pod, and parts of a pod's status."""

    def watch(self, kind: str, handler: Handler) -> None:
        """Call ``handler`` with each change of ``kind``; of a pod's it reads the new state only."""

    def pods(self, namespace: str = "") -> Iterable[Pod]:
        """Return all pods, oldest first."""

    def pod(self, namespace: str, name: str) -> Pod | None:
        """Return one pod's present state."""

    def objects(self, kind: str, namespace: str = "") -> Sequence[Json]:
        """Return all objects of a kind but pods, oldest first."""

    def bind(self, pod: Pod, node: str) -> None:
        """POST the binding; raises `ApiError` as the API server refuses."""

    def fail_attempt(self, pod: Pod, reason: str, message: str, nominated: str | None) -> Pod:
        """PATCH the PodScheduled condition and, unless None, the nomination.

        A patch without effect writes nothing.
        """

    def condemn(self, victim: Pod, message: str) -> None:
        """PATCH the DisruptionTarget condition of a preemption's victim."""

    def evict(self, victim: Pod) -> None:
        """DELETE a preemption's victim."""

    def on_departure(self, tell: Callable[[Pod], None]) -> None:
        """Call ``tell`` the moment a pod's deletion begins, before any watcher hears of it."""

    def record(self, pod: Pod, type_: str, reason: str, action: str, note: str) -> None:
        """Hand an event to the events.k8s.io recorder."""

    def assigned(self, pod: Pod, node: str) -> None:
        """Hand the event of a binding to the recorder."""


class StorePort:
    """The `SchedulerPort` of a store.

    Args:
        api: The API server's verbs.
        recorder: The scheduler's event recorder.
    """

    def __init__(self, api: Api, recorder: SeriesRecorder) -> None:
        self._api = api
        self._store = api.store
        self.record = recorder.record
        self.assigned = recorder.assigned
        self.pod = api.store.pod
        self.on_departure = api.store.on_departure
        self.writer = StoreWriter(api)

    @property
    def now(self) -> int:
        """Return microseconds since t = 0."""
        return self._store.now

    def watch(self, kind: str, handler: Handler) -> None:
        """See `SchedulerPort`."""
        self._store.watch(kind, handler, lambda: EVERY_NEW_STATE)

    def pods(self, namespace: str = "") -> Iterable[Pod]:
        """See `SchedulerPort`."""
        return self._store.pods(namespace)

    def objects(self, kind: str, namespace: str = "") -> Sequence[Json]:
        """See `SchedulerPort`."""
        return self._store.objects(kind, namespace)

    def bind(self, pod: Pod, node: str) -> None:
        """See `SchedulerPort`."""
        self._api.bind(pod.key, node)

    def fail_attempt(self, pod: Pod, reason: str, message: str, nominated: str | None) -> Pod:
        """See `SchedulerPort`."""
        told = ("PodScheduled", "False", reason, message)
        same = any((c.type, c.status, c.reason, c.message) == told for c in pod.conditions)
        if same and nominated in (None, pod.nominated):
            return pod
        return self._store.step(pod, failed_attempt, (reason, message, nominated))

    def condemn(self, victim: Pod, message: str) -> None:
        """See `SchedulerPort`."""
        words = ("DisruptionTarget", "True", "PreemptionByScheduler", message)
        self._store.step(victim, conditioned, words)

    def evict(self, victim: Pod) -> None:
        """See `SchedulerPort`."""
        delete_pod(self._store, victim)
