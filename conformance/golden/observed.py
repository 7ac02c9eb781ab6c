"""What watchers saw of a real control plane, shown as a store, so that the simulator's own observer
writes both worlds down in the same schema.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpusched.controllers.protocol import Change
from gpusched.sim.calendar import Calendar
from gpusched.sim.event_log import EventRecord
from gpusched.sim.journal import Row, What
from gpusched.sim.pod import Pod

Json = dict[str, Any]
Handler = Callable[[Change], None]


class ObservedStore:
    """A store whose history has happened already.

    Args:
        epoch: The wall time of t = 0.
    """

    def __init__(self, epoch: str) -> None:
        self.now = 0
        self.calendar = Calendar(epoch)
        self.micros = self.calendar.micros
        self._handlers: dict[str, list[Handler]] = {}
        self._pods: dict[int, Pod] = {}
        self._events: dict[int, EventRecord] = {}
        self._objects: dict[tuple[str, str, str], Json] = {}

    def watch(self, kind: str, handler: Handler) -> None:
        """Tell ``handler`` of every change of a kind."""
        self._handlers.setdefault(kind, []).append(handler)

    def play(self, rows: Sequence[Row]) -> None:
        """Let the next part of the history happen."""
        for row in rows:
            self.now = row.at
            change = self._change(row)
            for handler in self._handlers.get(change.kind, ()):
                handler(change)

    def pods(self) -> Iterable[Pod]:
        """Return the pods."""
        return self._pods.values()

    @property
    def events(self) -> Sequence[EventRecord]:
        """The events, in order of their first writing."""
        return tuple(self._events.values())

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        return self._objects.get((kind, namespace, name))

    def read_all(self, kind: str) -> list[Json]:
        """Return the objects of a kind, by namespace and name."""
        return [obj for key, obj in sorted(self._objects.items()) if key[0] == kind]

    def _change(self, row: Row) -> Change:
        if row.what is What.POD_REPLACED:
            return self._written("Pod", row.detail.key, self._pods, row.subject, row.detail)
        if row.what is What.POD_DELETED:
            pod = self._pods.pop(row.subject)
            return Change("Pod", "DELETED", pod.key, pod, pod)
        if row.what is What.EVENT_WRITTEN:
            key = (row.detail.namespace, row.detail.name)
            return self._written("Event", key, self._events, row.subject, row.detail)
        if row.what is What.OBJECT_DELETED:
            obj = self._objects.pop(row.detail)
            return Change(row.detail[0], "DELETED", row.detail[1:], obj, obj)
        meta = row.detail["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        kind = row.detail["kind"]
        return self._written(kind, key, self._objects, (kind, *key), row.detail)

    @staticmethod
    def _written(
        kind: str, key: tuple[str, str], place: dict[Any, Any], at: Any, new: Any
    ) -> Change:
        old = place.get(at)
        place[at] = new
        return Change(kind, "ADDED" if old is None else "MODIFIED", key, old, new)
