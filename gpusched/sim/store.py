"""The API server's storage.

Every object's present state, its indexes, the journal and the watchers.

This file must not know defaulting, admission or validation (`sim.api` does), nor who watches.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpusched.controllers.interest import BOUND, CREATED, GONE, REWRITTEN
from gpusched.controllers.protocol import Change, Key, Tally, Verb
from gpusched.sim.calendar import Calendar
from gpusched.sim.event_log import EventRecord, Wording
from gpusched.sim.journal import (
    EVENT_WRITTEN,
    OBJECT_DELETED,
    OBJECT_WRITTEN,
    POD_DELETED,
    POD_REPLACED,
    Journal,
)
from gpusched.sim.kinds import KINDS
from gpusched.sim.leases import Leases
from gpusched.sim.loop import Loop
from gpusched.sim.ownership import Dependents, owner_is_there, owner_uids
from gpusched.sim.pod import TERMINAL, Json, Pod, PodTemplate, uid_of
from gpusched.sim.steps import FACETS, NUMBER, Step
from gpusched.sim.watchers import Handler, Interests, Watchers, every_change


class Store:
    """All objects.

    Args:
        loop: The clock.
        calendar: Wall time of t = 0.
        watch_latency: Microseconds from a write to its watchers.
    """

    def __init__(self, loop: Loop, calendar: Calendar, watch_latency: int = 0) -> None:
        self.loop = loop
        self.calendar = calendar
        self.journal = Journal()
        self.leases = Leases()
        self.version = 0
        self.serial = 0
        self._pods: dict[Key, Pod] = {}
        self._objects: dict[str, dict[Key, Json]] = {name: {} for name in KINDS if name != "Pod"}
        self._by_node: defaultdict[str, dict[Key, Pod]] = defaultdict(dict)
        self._by_owner: defaultdict[str, dict[Key, Pod]] = defaultdict(dict)
        self._open_by_owner: defaultdict[str, dict[Key, Pod]] = defaultdict(dict)
        self._tallies: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._dependents = Dependents()
        self._alive: set[str] = set()
        self.closing: set[str] = set()
        """Namespaces that are being terminated: nothing new is taken in."""
        self._departures: list[Callable[[Pod], None]] = []
        self._event_rows = array("q")
        """By number: the journal's row; it has as many rows as there were versions before."""
        self._swept: set[int] = set()
        self.watchers = Watchers(loop, watch_latency, lambda kind: bool(self._objects[kind]))

    # --- reading ----------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Microseconds since t = 0."""
        return self.loop.now

    def stamp(self, at: int | None = None) -> str:
        """Return the wall time of now or of ``at``."""
        return self.calendar.stamp(self.loop.now if at is None else at)

    def micros(self, stamp: str) -> int:
        """Return the instant of a wall time."""
        return self.calendar.micros(stamp)

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object (not a pod), or None."""
        return self._objects[kind].get((namespace, name))

    def objects(self, kind: str, namespace: str = "") -> Sequence[Json]:
        """Return the objects of a kind (not pods), oldest first."""
        table = self._objects[kind]
        if not table:
            return ()
        if not namespace:
            return list(table.values())
        return [obj for (where, _), obj in table.items() if where == namespace]

    def owned(self, kind: str, uid: str) -> Sequence[Json]:
        """Return the objects of ``kind`` that name ``uid`` as an owner, oldest first."""
        table = self._objects[kind]
        return [
            table[where, name] for other, where, name in self._dependents.of(uid) if other == kind
        ]

    def dependents(self, uid: str) -> Sequence[tuple[str, str, str]]:
        """Return kind, namespace and name of everything that names ``uid`` as an owner."""
        pods = (("Pod", where, name) for where, name in self._by_owner.get(uid, ()))
        return [*self._dependents.of(uid), *pods]

    def exists(self, uid: str) -> bool:
        """Return whether an object (not a pod) with this uid is alive."""
        return uid in self._alive

    def finds(self, owner: Json, namespace: str) -> bool:
        """Return whether the owner is there that an object in ``namespace`` refers to."""
        return owner_is_there(self, owner, namespace)

    def find(self, key: Key) -> Pod | None:
        """Return a pod's present state by namespace and name, or None."""
        return self._pods.get(key)

    def pod(self, namespace: str, name: str) -> Pod | None:
        """Return a pod's present state, or None."""
        return self._pods.get((namespace, name))

    def pods(self, namespace: str = "") -> Iterator[Pod]:
        """Yield the pods, oldest first."""
        return (
            pod
            for pod in self._pods.values()
            if not namespace or pod.template.namespace == namespace
        )

    def __len__(self) -> int:
        """Return how many objects there are, pods and all others."""
        return len(self._pods) + sum(map(len, self._objects.values()))

    def pod_count(self) -> int:
        """Return how many pods there are."""
        return len(self._pods)

    def pods_of(self, uid: str) -> Sequence[Pod]:
        """Return the pods whose controller is ``uid``, oldest first."""
        found = self._by_owner.get(uid)
        return tuple(found.values()) if found else ()

    def open_pods_of(self, uid: str) -> Sequence[Pod]:
        """Return those of an owner's pods that are not over, or that a finalizer holds."""
        found = self._open_by_owner.get(uid)
        return tuple(found.values()) if found else ()

    def pods_on(self, node: str) -> Sequence[Pod]:
        """Return the pods bound to a node, in the order of binding."""
        found = self._by_node.get(node)
        return tuple(found.values()) if found else ()

    def lease_renewed(self, node: str) -> int | None:
        """Return when a node's lease was last renewed; None if never."""
        return self.leases.renewed(node, self.loop.now)

    @property
    def events(self) -> list[EventRecord]:
        """Return all events as they are now, oldest first, but those that went with a namespace."""
        rows = enumerate(self._event_rows)
        return [self.journal.event(row) for number, row in rows if number not in self._swept]

    def event(self, number: int) -> EventRecord:
        """Return an event by its number, as it is now."""
        return self.journal.event(self._event_rows[number])

    def event_written(self, number: int) -> int:
        """Return when an event was last written."""
        return self.journal.written_at(self._event_rows[number])

    def tally(self, uid: str) -> Tally:
        """Return how many pods of an owner are active, ready and terminating."""
        found = self._tallies.get(uid)
        return Tally(*found) if found else Tally(0, 0, 0)

    # --- watching ---------------------------------------------------------------------------------

    def watch(self, kind: str, handler: Handler, interests: Interests = every_change) -> None:
        """Call ``handler`` with each change of ``kind`` from now on, in order; see `Watchers`."""
        self.watchers.add(kind, handler, interests)

    def present(self, kind: str) -> Iterator[Change]:
        """Yield what is there as additions, as a watcher's first list does."""
        if kind == "Pod":
            yield from (
                Change(kind, "ADDED", key, None, pod) for key, pod in list(self._pods.items())
            )
        else:
            yield from (
                Change(kind, "ADDED", key, None, obj)
                for key, obj in list(self._objects[kind].items())
            )

    def on_departure(self, tell: Callable[[Pod], None]) -> None:
        """Call ``tell`` the moment a pod's deletion begins, before any watcher hears of it."""
        self._departures.append(tell)

    def _depart(self, old: Pod | None, new: Pod) -> None:
        if old is None or old.deletion is None:
            for tell in self._departures:
                tell(new)

    # --- writing pods -----------------------------------------------------------------------------

    def add_pod(self, template: PodTemplate, name: str) -> Pod:
        """Store a new pod."""
        self.serial += 1
        pod = Pod(template, name, self.serial, self.loop.now)
        facets = CREATED | BOUND if pod.node else CREATED
        self.journal.append_pod(self.loop.now, pod.serial, template, name)
        if template.further_owners:
            self._dependents.move(("Pod", *pod.key), (), template.further_owners)
        self._commit(None, pod, facets)
        return pod

    def step(self, pod: Pod, step: Step, argument: Any) -> Pod:
        """Take a pod one step further and return its new state."""
        new = step(pod, self.loop.now, argument)
        self.journal.append_step(self.loop.now, NUMBER[step], new.serial, argument)
        self._commit(pod, new, FACETS[step])
        return new

    def replace_pod(self, old: Pod, new: Pod) -> Pod:
        """Store a state that no step describes."""
        self.journal.append(self.loop.now, POD_REPLACED, new.serial, new)
        before, after = old.template.further_owners, new.template.further_owners
        self._dependents.move(("Pod", *new.key), before, after)
        self._commit(old, new, REWRITTEN)
        return new

    def remove_pod(self, pod: Pod) -> None:
        """Take a pod out of the store; ``pod`` is its last state, as the watchers see it."""
        self.version += 1
        key = pod.key
        stored = self._pods.pop(key)
        self._unindex(stored, key)
        self._dependents.move(("Pod", *key), stored.template.further_owners, ())
        if pod.deletion is not None:
            self._depart(stored, pod)
        self.journal.append(self.loop.now, POD_DELETED, pod.serial, None)
        self.watchers.notify_pod(stored, pod, GONE)

    def _commit(self, old: Pod | None, new: Pod, facets: int) -> None:
        self.version += 1
        new.version = self.version
        key = new.key
        self._pods[key] = new
        if new.deletion is not None:
            self._depart(old, new)
        if new.node:
            self._by_node[new.node][key] = new
        counted = old
        if old is not None and old.template.owner != new.template.owner:
            self._disown(old, key)
            counted = None
        owner = new.template.owner
        if owner is not None:
            self._own(owner[2], new)
            self._count(owner[2], counted, new)
        self.watchers.notify_pod(old, new, facets)

    def _unindex(self, pod: Pod, key: Key) -> None:
        if pod.node:
            self._by_node[pod.node].pop(key, None)
        self._disown(pod, key)

    def _disown(self, pod: Pod, key: Key) -> None:
        """Take a pod from the index of its owner: it is gone, or has another owner or none."""
        owner = pod.template.owner
        if owner is not None:
            self._by_owner[owner[2]].pop(key, None)
            self._open_by_owner[owner[2]].pop(key, None)
            self._count(owner[2], pod, None)

    def _own(self, uid: str, pod: Pod) -> None:
        """Enter a pod's new state under its owner, in the order in which the pods came."""
        key, owned, still_open = pod.key, self._by_owner[uid], self._open_by_owner[uid]
        is_new = key not in owned
        owned[key] = pod
        if _is_over(pod):
            still_open.pop(key, None)
        elif is_new or key in still_open:
            still_open[key] = pod
        else:  # it was over, and somebody has given it a finalizer since
            self._open_by_owner[uid] = {k: each for k, each in owned.items() if not _is_over(each)}

    def _count(self, uid: str, old: Pod | None, new: Pod | None) -> None:
        tally = self._tallies[uid]
        for pod, sign in ((old, -1), (new, 1)):
            if pod is None or pod.terminal:
                continue
            if pod.deletion is not None:
                tally[2] += sign
            else:
                tally[0] += sign
                tally[1] += sign * pod.ready

    # --- writing other objects --------------------------------------------------------------------

    def new_uid(self) -> str:
        """Return a uid for an object that is about to be stored."""
        self.serial += 1
        return uid_of(self.serial)

    def put(self, obj: Json) -> Json:
        """Store an object (not a pod) under the next resourceVersion.

        A new one gets uid and creation time too.

        The object given must not be changed afterwards: it is what readers will see.
        """
        self.version += 1
        kind, meta = obj["kind"], obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        old = self._objects[kind].get(key)
        if old is None:
            meta = {
                **meta,
                "uid": meta.get("uid") or self.new_uid(),
                "creationTimestamp": self.stamp(),
            }
        new = {**obj, "metadata": {**meta, "resourceVersion": str(self.version)}}
        self._objects[kind][key] = new
        self._dependents.move((kind, *key), owner_uids(old), owner_uids(new))
        self._alive.add(meta["uid"])
        self.journal.append(self.loop.now, OBJECT_WRITTEN, int(meta["uid"][:8], 16), new)
        self._notify(Change(kind, "ADDED" if old is None else "MODIFIED", key, old, new))
        return new

    def _notify(self, change: Change) -> None:
        """Tell the watchers of a kind other than pods."""
        if change.verb != "MODIFIED" and len(self._objects[change.kind]) <= 1:
            self.watchers.outdate()  # there was no object of it until now, or there is none left
        if change.kind in self.watchers.by_kind:
            self.watchers.notify(change)

    def remove(self, obj: Json) -> None:
        """Take an object (not a pod) out of the store."""
        self.version += 1
        kind, meta = obj["kind"], obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        last = self._objects[kind].pop(key)
        self._dependents.move((kind, *key), owner_uids(last), ())
        self._alive.discard(meta["uid"])
        if kind == "Namespace":
            self.closing.discard(meta["name"])
            numbers = range(len(self._event_rows))
            self._swept |= {n for n in numbers if self.event(n).namespace == meta["name"]}
        self.journal.append(self.loop.now, OBJECT_DELETED, int(meta["uid"][:8], 16), (kind, *key))
        self._notify(Change(kind, "DELETED", key, last, last))

    # --- writing events ---------------------------------------------------------------------------

    def add_event(self, event: EventRecord) -> int:
        """Store a new event and return its number."""
        number = len(self._event_rows)
        self._event_rows.append(self.version)
        self._write_event(number, event, "ADDED")
        return number

    def add_sighting(self, wording: Wording, pod: Pod, note: str) -> int:
        """Store a scheduler's new event about a pod and return its number; see `Sightings`."""
        number = len(self._event_rows)
        self._event_rows.append(self.version)
        self.version += 1
        self.journal.append_sighting(self.loop.now, number, wording, pod, note)
        if "Event" in self.watchers.by_kind:
            self._tell_event(number, "ADDED", None)
        return number

    def update_event(self, number: int, record: EventRecord) -> None:
        """Store an event's new state."""
        old = self.event(number) if "Event" in self.watchers.by_kind else None
        self._event_rows[number] = self.version
        self._write_event(number, record, "MODIFIED", old)

    def _write_event(
        self, number: int, new: EventRecord, verb: Verb, old: EventRecord | None = None
    ) -> None:
        self.version += 1
        self.journal.append(self.loop.now, EVENT_WRITTEN, number, new)
        if "Event" in self.watchers.by_kind:
            self._tell_event(number, verb, old)

    def _tell_event(self, number: int, verb: Verb, old: EventRecord | None) -> None:
        record = self.event(number)
        key = (record.namespace, record.name)
        self.watchers.notify(Change("Event", verb, key, old, record))


def _is_over(pod: Pod) -> bool:
    return pod.phase in TERMINAL and not pod.template.finalizers


__all__ = ["Store", "Verb"]
