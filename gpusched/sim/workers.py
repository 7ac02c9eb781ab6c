"""Runs a controller: its queue of keys, its retries, and its requests at the pace of its client.

Source: k8s.io/client-go util/workqueue, v0.36.1
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, singledispatch
from itertools import islice
from typing import Any

from gpusched.controllers.protocol import (
    TICK,
    ApiError,
    Change,
    Controller,
    Create,
    CreatePods,
    Delete,
    Emit,
    Key,
    Outcome,
    PatchPods,
    Pause,
    Read,
    Request,
    Update,
    UpdateStatus,
    Work,
    key_of,
)
from gpusched.sim.api import Api
from gpusched.sim.budget import Budget
from gpusched.sim.deletion import delete
from gpusched.sim.events import CoreRecorder
from gpusched.sim.latency import Latency
from gpusched.sim.loop import Alarm

Call = Callable[[], Any]
SIDE_BY_SIDE = 8
"""So many creations at most slow each other down."""


class Client:
    """A component's way to the API server.

    Args:
        api: The API server.
        latency: How long a request takes, and how many may go per second.
        component: The name under which events are recorded.
        pace: Its request rate as a multiple of the latency model's.
    """

    def __init__(self, api: Api, latency: Latency, component: str, pace: int = 1) -> None:
        self.api = api
        self.loop = api.store.loop
        self.latency = latency
        self.budget = Budget(latency.rate, pace)
        self.recorder = CoreRecorder(api.store, component, self)
        self._deleted = self.loop.now

    def way(self, request: Request) -> int:
        """Return how long a request is on its way."""
        if isinstance(request, Read) or (isinstance(request, Update) and request.unchanged):
            return self.latency.light
        return (
            self.latency.create
            if isinstance(request, (Create, CreatePods))
            else self.latency.request
        )

    def ways(self, request: Request, count: int) -> list[int]:
        """Return how long each of the calls of a request is on its way."""
        way = self.way(request)
        if isinstance(request, CreatePods):
            way += (min(count, SIDE_BY_SIDE) - 1) * self.latency.together
        apart = self.latency.apart if isinstance(request, Delete) else 0
        return [way + index * apart for index in range(count)]

    def start(self) -> int:
        """Return when the budget lets the next request go."""
        return self.budget.reserve(self.loop.now)

    def deletion(self, due: int) -> int:
        """Return when a deletion arrives that should at ``due``: behind those before it."""
        self._deleted = max(due, self._deleted + self.latency.behind)
        return self._deleted

    def send(self, action: Callable[[], None]) -> None:
        """Carry out an event's write as soon as the budget and the way to the server allow."""
        self.call(self.latency.event, action)

    def call(self, way: int, action: Callable[[], None]) -> None:
        """Carry out a request as soon as the budget allows and the way to the server is gone."""
        if way:
            self.loop.at(self.start() + way, action)
        else:
            action()


@dataclass(slots=True, eq=False)
class _Job:
    """A sync in progress."""

    key: Key
    work: Work


class Worker:
    """One controller's queue and its syncs.

    Args:
        controller: What to run.
        client: Its client.
    """

    def __init__(self, controller: Controller, client: Client) -> None:
        self.controller = controller
        self._client = client
        self._store = client.api.store
        self._loop = client.loop
        self._queue: OrderedDict[Key, None] = OrderedDict()  # a dict would walk its gaps
        self._busy: dict[Key, None] = {}
        self._failures: dict[Key, int] = {}
        self._later: dict[Key, tuple[int, Alarm]] = {}
        self._pumping = False
        self._interests = controller.pods
        for kind in controller.watches:
            self._store.watch(kind, self._see, lambda: controller.pods)
            for change in self._store.present(kind):
                self._see(change)

    def tick(self, first: int) -> None:
        """Begin with the controller's ticks at ``first``."""
        if self.controller.period:
            self._loop.every(first, self.controller.period, lambda: self.enqueue(TICK))

    def enqueue(self, key: Key, after: int = 0) -> None:
        """Sync a key, now or later.

        A key that waits already is synced once, at the earlier of the two times.
        """
        if after:
            self._enqueue_later(key, self._loop.now + after)
            return
        self._queue[key] = None
        if not self._pumping:
            self._pumping = True
            self._loop.soon(self._pump)

    def _enqueue_later(self, key: Key, due: int) -> None:
        known = self._later.get(key)
        if known is not None:
            if known[0] <= due:
                return
            known[1].cancel()
        self._later[key] = (due, self._loop.at(due, self._ripen, key))

    def _ripen(self, key: Key) -> None:
        del self._later[key]
        self.enqueue(key)

    def _see(self, change: Change) -> None:
        for wake in self.controller.concerns(change, self._store):
            self.enqueue(wake.key, wake.after)
        self._follow_interests()

    def _follow_interests(self) -> None:
        if self.controller.pods is not self._interests:
            self._interests = self.controller.pods
            self._store.watchers.outdate()

    def _pump(self) -> None:
        self._pumping = False
        free = self.controller.workers - len(self._busy) + (TICK in self._busy)
        idle = (key for key in self._queue if key not in self._busy and key != TICK)
        ready = list(islice(idle, max(0, free)))
        if TICK in self._queue and TICK not in self._busy:
            ready.insert(0, TICK)
        for key in ready:
            del self._queue[key]
            self._busy[key] = None
            self._advance(_Job(key, self.controller.sync(key, self._store)), None)

    def _advance(self, job: _Job, answer: Any) -> None:
        """Send a sync its answer, and carry out requests until one must be waited for."""
        while True:
            try:
                request = (
                    job.work.throw(answer)
                    if isinstance(answer, ApiError)
                    else job.work.send(answer)
                )
            except StopIteration as stop:
                self._finish(job, stop.value)
                return
            except ApiError:
                self._finish(job, Outcome(retry=True))
                return
            if isinstance(request, Emit):
                self._client.recorder.emit(request)
                answer = None
            elif isinstance(request, Pause):
                self._loop.at(self._loop.now + request.duration, self._advance, job, None)
                return
            elif self._client.latency.request:
                self._send(job, request)
                return
            else:
                answer = _answer(
                    request, [_attempt(call) for call in _calls(request, self._client.api)]
                )

    def _send(self, job: _Job, request: Request) -> None:
        api = self._client.api
        judged = isinstance(request, CreatePods)
        calls = _arrivals(request, api) if isinstance(request, CreatePods) else _calls(request, api)
        answers: list[Any] = [None] * len(calls)
        left = [len(calls)]

        def arrive(index: int, due: int) -> None:
            # What is judged by admission is written later, as it was judged.
            self._loop.at(due, carry_out, index, _attempt(calls[index]))

        def carry_out(index: int, call: Call | ApiError) -> None:
            answers[index] = call if isinstance(call, ApiError) else _attempt(call)
            left[0] -= 1
            if not left[0]:
                self._loop.soon(self._advance, job, _answer(request, answers))

        if not calls:
            self._loop.soon(self._advance, job, [])
        alone = isinstance(request, Delete) and request.collection
        together = self._client.start() if alone else None
        for index, way in enumerate(self._client.ways(request, len(calls))):
            start = self._client.start() if together is None else together
            if judged:
                arrival = start + min(self._client.latency.light, way)
                self._loop.at(arrival, arrive, index, start + way)
            else:
                due = start + way
                if isinstance(request, Delete):
                    due = self._client.deletion(due)
                self._loop.at(due, carry_out, index, calls[index])

    def _finish(self, job: _Job, outcome: Outcome | None) -> None:
        del self._busy[job.key]
        self._follow_interests()
        if outcome is not None and outcome.retry:
            failures = self._failures.get(job.key, 0)
            self._failures[job.key] = failures + 1
            first, longest = outcome.backoff
            self.enqueue(job.key, min(first << min(failures, 30), longest))
        else:
            self._failures.pop(job.key, None)
        if outcome is not None and outcome.requeue_after is not None:
            self.enqueue(job.key, max(1, outcome.requeue_after))
        if self._queue and not self._pumping:
            self._pumping = True
            self._loop.soon(self._pump)


def _attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ApiError as refusal:
        return refusal


@singledispatch
def _calls(request: Request, api: Api) -> list[Call]:
    """Return the single calls of a request."""
    raise TypeError(f"not a request to the API server: {request!r} to {api!r}")


@_calls.register
def _(request: Read, api: Api) -> list[Call]:
    return [partial(api.read, request.kind, *request.key)]


@_calls.register
def _(request: Create, api: Api) -> list[Call]:
    return [partial(api.create, request.obj)]


@_calls.register
def _(request: Update, api: Api) -> list[Call]:
    obj = request.obj
    if not request.owners_only:
        return [partial(api.replace, obj, unchanged=request.unchanged)]
    body = {"metadata": {"ownerReferences": obj["metadata"].get("ownerReferences")}}
    return [partial(api.patch, obj["kind"], key_of(obj), body, "merge")]


@_calls.register
def _(request: UpdateStatus, api: Api) -> list[Call]:
    return [partial(api.replace_status, request.obj, request.status)]


@_calls.register
def _(request: CreatePods, api: Api) -> list[Call]:
    return [
        partial(api.create_pod, request.owner, request.template, name) for name in request.names
    ]


def _arrivals(request: CreatePods, api: Api) -> list[Call]:
    """Return calls that judge the creations; each returns what stores its pod."""
    return [partial(api.admit_pod, request.owner, request.template, name) for name in request.names]


@_calls.register
def _(request: Delete, api: Api) -> list[Call]:
    more = (request.grace, request.propagation)
    return [partial(delete, api.store, request.kind, key, *more) for key in request.keys]


@_calls.register
def _(request: PatchPods, api: Api) -> list[Call]:
    more = (request.condition, request.phase, request.drop_finalizer)
    return [partial(api.patch_pod, key, *more) for key in request.keys]


def _answer(request: Request, answers: Sequence[Any]) -> Any:
    return answers[0] if isinstance(request, (Read, Create, Update, UpdateStatus)) else answers
