"""Who is told of a write, and when.

A pod's change reaches only those whom it concerns (`controllers.interest`). Whom that is hangs on
what happened and on traits that pods of one template share, so it is worked out once for each of
the few combinations and remembered. So it is with the state before a change: it is kept until the
change is told only if somebody will read it, for one instant may bind a million pods.

This file must not know how objects are stored, nor what watchers do.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gpusched.controllers.interest import BOUND, CREATED, EVERY_CHANGE, GONE, PodInterest, Traits
from gpusched.controllers.protocol import Change, Verb
from gpusched.sim.loop import Loop
from gpusched.sim.pod import Pod

_NO_POD: Final = 0
"""Stands where the facets of a pod's change do: what is told is a change already."""
_VERBS: Final[Mapping[int, Verb]] = {CREATED: "ADDED", CREATED | BOUND: "ADDED", GONE: "DELETED"}
_change = tuple.__new__
"""Makes the many changes of pods: a third of the time of the class's own way."""

Handler = Callable[[Change], None]
Interests = Callable[[], Sequence[PodInterest]]


def every_change() -> Sequence[PodInterest]:
    """Return the interest in every change of every pod."""
    return EVERY_CHANGE


class Watchers:
    """All watchers.

    Args:
        loop: The clock.
        latency: Microseconds from a write to its watchers.
        there_is: Whether there is any object of a kind.

    Attributes:
        by_kind: Who watches each kind, in the order in which they came.
    """

    def __init__(self, loop: Loop, latency: int, there_is: Callable[[str], bool]) -> None:
        self._loop = loop
        self._latency = latency
        self._there_is = there_is
        self.by_kind: defaultdict[str, list[Handler]] = defaultdict(list)
        self._of_pods: list[tuple[Handler, Interests]] = []
        self._audiences: dict[tuple[int, Traits], list[Handler]] = {}
        self._reads_before: dict[tuple[int, Traits], bool] = {}
        self._pending: list[Any] = []
        self._due = -1 << 62

    def add(self, kind: str, handler: Handler, interests: Interests = every_change) -> None:
        """Tell ``handler`` of each change of ``kind`` from now on, in order.

        Args:
            kind: The kind.
            handler: Whom to tell.
            interests: Returns which changes of pods are meant; says so to `outdate` when it would
                answer otherwise than before.
        """
        self.by_kind[kind].append(handler)
        if kind == "Pod":
            self._of_pods.append((handler, interests))
            self.outdate()

    def outdate(self) -> None:
        """Work out anew whom pods concern: interests have changed, or which kinds there are."""
        self._audiences.clear()
        self._reads_before.clear()

    def audience(self, facets: int, traits: Traits) -> list[Handler]:
        """Return whom a change of a pod concerns, in the order in which they came."""
        found = self._audiences.get((facets, traits))
        if found is None:
            found = self._audiences[facets, traits] = [
                handler
                for handler, interests in self._of_pods
                if any(each.covers(facets, traits, self._there_is) for each in interests())
            ]
        return found

    def reads_before(self, facets: int, traits: Traits) -> bool:
        """Return whether anybody may read the state before a change of a pod."""
        found = self._reads_before.get((facets, traits))
        if found is None:
            found = self._reads_before[facets, traits] = any(
                each.before and each.may_cover(facets, traits)
                for _, interests in self._of_pods
                for each in interests()
            )
        return found

    def notify(self, change: Change) -> None:
        """Let the watchers of a change's kind, which is not Pod, know of it."""
        if self._loop.now + self._latency != self._due or not self._pending:
            self._begin_line()
        self._pending.extend((change, None, _NO_POD))

    def notify_pod(self, old: Pod | None, new: Pod, facets: int) -> None:
        """Let those whom a pod concerns know of its new state, after the watch latency.

        Until then nothing is made of it: a batch may hold a million.
        """
        if old is not None:
            traits = new.template.traits
            read = self._reads_before.get((facets, traits))
            if read is None:
                read = self.reads_before(facets, traits)
            if not read:
                old = None
        if self._loop.now + self._latency != self._due or not self._pending:
            self._begin_line()
        self._pending.extend((new, old, facets))

    def _begin_line(self) -> None:
        """Begin a line of what will be told after the watch latency: three entries a change."""
        self._due, self._pending = self._loop.now + self._latency, []
        self._loop.at(self._due, self._deliver, self._pending)

    def _deliver(self, line: list[Any]) -> None:
        if line is self._pending:
            self._pending = []
        line.reverse()
        take, audiences = line.pop, self._audiences
        while line:  # each is let go as soon as it has been told
            new, old, facets = take(), take(), take()
            if facets is _NO_POD:
                for handler in self.by_kind[new.kind]:
                    handler(new)
                continue
            traits = new.template.traits
            handlers = audiences.get((facets, traits)) or self.audience(facets, traits)
            verb = _VERBS.get(facets, "MODIFIED")
            change = _change(Change, ("Pod", verb, new.key, old, new, facets))
            for handler in handlers:
                handler(change)
