"""Who is told of a write, and when.

A pod's change reaches only those whom it concerns (`controllers.interest`). Whom that is hangs on
what happened and on traits that pods of one template share, so it is worked out once for each of
the few combinations and remembered.

This file must not know how objects are stored, nor what watchers do.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from gpusched.controllers.interest import EVERY_CHANGE, PodInterest, Traits
from gpusched.controllers.protocol import Change
from gpusched.sim.loop import Loop

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
        self._pending: list[Change] = []
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

    def notify(self, change: Change) -> None:
        """Let the watchers of a change's kind know of it, after the watch latency."""
        due = self._loop.now + self._latency
        if due != self._due or not self._pending:
            self._due, self._pending = due, []
            self._loop.at(due, self._deliver, self._pending)
        self._pending.append(change)

    def _deliver(self, changes: list[Change]) -> None:
        if changes is self._pending:
            self._pending = []
        changes.reverse()
        audiences = self._audiences
        while changes:  # each is let go as soon as it has been told: a batch may hold a million
            change = changes.pop()
            kind, _, _, _, new, facets = change
            if kind == "Pod":
                traits = new.template.traits
                handlers = audiences.get((facets, traits)) or self.audience(facets, traits)
            else:
                handlers = self.by_kind[kind]
            for handler in handlers:
                handler(change)
