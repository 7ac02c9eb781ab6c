"""How ``kubectl drain`` gets the pods of one node to go, and waits until they have.

Each pod has a thread of its own: a generator that yields how long to wait.

Source: kubernetes/kubectl pkg/drain/drain.go, v0.36.1
"""

from collections.abc import Callable, Generator, Iterator
from typing import TypeAlias

from gpusched.api.config.duration import format_duration
from gpusched.controllers.protocol import ApiError, Json
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import budget_guarding, delete_pod, evict
from gpusched.sim.pod import Pod
from gpusched.timeline.arguments import Arguments
from gpusched.timeline.flag_values import micros

EVICT_AGAIN = 5 * SECOND
"""When an eviction that a disruption budget forbids is tried again."""
LOOK_AGAIN = SECOND
"""How often kubectl looks whether a pod has gone."""
CONFLICT_PAUSE, CONFLICT_JITTER = 500_000, 50_000
"""Microseconds after which the API server tries again to take an eviction from a budget that
somebody else has written since it was read, and up to how many more it draws.

Source: kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go (EvictionsRetry), v1.36.1
"""
_NANOSECONDS = 1000
_EXPIRED = "context deadline exceeded"
_NOT_FOUND, _TOO_MANY = 404, 429
_GRANTED, _LATER, _OVER = "granted", "later", "over"

Thread: TypeAlias = Iterator[int]
Ended: TypeAlias = Callable[[list[str]], None]
"""Is told why pods did not go."""


class Eviction:
    """The pods of one node on their way out.

    Args:
        plane: The control plane.
        given: The command's words and flags.
        node: The node.
        say: Where output and errors go: ``say(text, "stdout")``.
        ended: Whom to tell the end.
    """

    def __init__(
        self,
        plane: ControlPlane,
        given: Arguments,
        node: str,
        say: Callable[[str, str], None],
        ended: Ended,
    ) -> None:
        self._plane = plane
        self._say = say
        self._ended = ended
        self._problems: list[str] = []
        self._under_way = 0
        self._stream = plane.stream(f"evictions/{node}")
        grace = int(given.flag("grace-period") or -1)
        self._grace = None if grace < 0 else grace
        timeout = micros(given.flag("timeout") or "0")
        self._timeout = format_duration(timeout * _NANOSECONDS)
        self._deadline = plane.loop.now + timeout if timeout else None

    def begin(self, pods: tuple[Pod, ...], *, deleting: bool) -> None:
        """Begin with some pods; they are deleted or asked to go."""
        if not pods:
            self._ended([])
            return
        # Go runs the thread that was started last first, the others in order.
        threads = [self._delete(pods)] if deleting else [*map(self._evict, (pods[-1], *pods[:-1]))]
        self._under_way = len(threads)
        for thread in threads:
            self._go_on(thread)

    def _go_on(self, thread: Thread) -> None:
        pause = next(thread, None)
        if pause is None:
            self._under_way -= 1
            if not self._under_way:
                self._ended(self._problems)
        else:
            self._plane.loop.at(self._plane.loop.now + pause, self._go_on, thread)

    def _evict(self, pod: Pod) -> Thread:
        """Ask for a pod's eviction until it is granted, then wait."""
        answer = _LATER
        while answer == _LATER:
            self._say(f"evicting pod {pod.namespace}/{pod.name}\n", "stdout")
            if self._is_late():
                self._fail(pod, f"global timeout reached: {self._timeout}")
                return
            answer = yield from self._ask(pod)
            if answer == _LATER:
                yield EVICT_AGAIN
                pod = self._plane.store.pod(*pod.key) or pod
        if answer == _GRANTED and not (yield from self._wait([pod], "evicted")):
            which = f'pod "{pod.name}" in namespace "{pod.namespace}"'
            self._problems.append(f"error when waiting for {which} to terminate: {_EXPIRED}")

    def _ask(self, pod: Pod) -> Generator[int, None, str]:
        """Ask once; return whether the eviction is granted, put off or out of question."""
        try:
            yield from self._post(pod)
        except ApiError as refusal:
            closing = "NamespaceTerminating" in refusal.causes
            if closing and pod.deletion is not None:
                return _GRANTED
            if closing or refusal.code == _TOO_MANY:
                self._say(_put_off(pod, refusal, closing=closing), "stderr")
                return _LATER
            if refusal.code != _NOT_FOUND:
                self._fail(pod, refusal.message)
            return _OVER
        return _GRANTED

    def _fail(self, pod: Pod, why: str) -> None:
        self._problems.append(f"error when evicting {_named(pod)}: {why}")

    def _post(self, pod: Pod) -> Thread:
        """POST an eviction; where its budget was written since it was read, begin again."""
        store, delay = self._plane.store, self._plane.latency.light
        while delay:
            now = store.pod(*pod.key)
            read = None if now is None else budget_guarding(store, now)
            if read is None or not _allows(read):
                break
            yield delay
            if store.get(*_place(read)) is read:
                break
            yield CONFLICT_PAUSE + int(self._stream.integers(CONFLICT_JITTER))
        evict(store, pod.key, self._grace)

    def _delete(self, pods: tuple[Pod, ...]) -> Thread:
        """Delete pods without asking their budgets, and wait."""
        for pod in pods:
            now = self._plane.store.pod(*pod.key)
            if now is not None:
                delete_pod(self._plane.store, now, self._grace)
        if not (yield from self._wait(list(pods), "deleted")):
            self._problems.append(_EXPIRED)

    def _wait(self, pods: list[Pod], verb: str) -> Generator[int, None, bool]:
        """Look every second which pods have gone, until all have or the time is over."""
        while True:
            for pod in list(pods):
                now = self._plane.store.pod(*pod.key)
                if now is None or now.serial != pod.serial:
                    self._say(f"pod/{pod.name} {verb}\n", "stdout")
                    pods.remove(pod)
            if not pods:
                return True
            if self._is_late():
                return False
            rest = LOOK_AGAIN if self._deadline is None else self._deadline - self._plane.loop.now
            yield min(LOOK_AGAIN, rest)

    def _is_late(self) -> bool:
        return self._deadline is not None and self._plane.loop.now >= self._deadline


def _put_off(pod: Pod, refusal: ApiError, *, closing: bool) -> str:
    """Return what is said of a pod that may not go yet."""
    which = _named(pod)
    if closing:
        which = f'pod "{pod.name}" from terminating namespace "{pod.namespace}"'
    return f"error when evicting {which} (will retry after 5s): {refusal.message}\n"


def _named(pod: Pod) -> str:
    return f'pods/"{pod.name}" -n "{pod.namespace}"'


def _allows(budget: Json) -> bool:
    return bool((budget.get("status") or {}).get("disruptionsAllowed", 0) > 0)


def _place(obj: Json) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]
