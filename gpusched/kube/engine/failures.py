"""Why no node fits, remembered by shape or kin: a full fleet says so to everybody who waits.

A failure is given again while nothing has changed at all, or, where it hangs on nothing but node
objects and amounts, whenever the amounts are what they were: a pod has gone and another has come.
"""

from dataclasses import dataclass, replace
from typing import Final

from gpusched.cluster.cache import Cache
from gpusched.kube.cycle import Attempt, Result
from gpusched.kube.engine.kinship import Key, Version
from gpusched.kube.engine.plan import Plan
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.framework.runtime import Framework

_MOST_FAILURES: Final = 256


@dataclass(slots=True, eq=False)
class _Failure:
    """One failure.

    Attributes:
        attempt: The failed attempt.
        version: What the shape's plan hung on.
        moment: What else nothing has changed since, if it is the same still.
        amounts: Every node's amounts; None if the failure hangs on more.
        priority: The pods' priority.
        drawn: Among how many nodes preemption drew the one to look at first; 0 if it drew none.
    """

    attempt: Attempt
    version: Version
    moment: tuple[int, int]
    amounts: Version | None
    priority: int
    drawn: int


class Failures:
    """The last failure of each shape.

    Args:
        cache: The cluster.
        states: The state of each node.
    """

    def __init__(self, cache: Cache, states: NodeStates) -> None:
        self._cache = cache
        self._states = states
        self._known: dict[Key, _Failure] = {}

    def again(self, key: Key, framework: Framework, version: Version, start: int) -> Attempt | None:
        """Return a shape's failure if nothing has changed since.

        Preemption draws once more, as it would if it were asked again: equal seeds give equal runs
        whichever engine decides.

        Args:
            key: Whose failure.
            framework: Its profile.
            version: What its plan hangs on.
            start: The rotating start index.
        """
        known = self._known.get(key)
        if known is None or known.moment != self._now() or known.version != version:
            return None
        return self._given(known, framework, start)

    def still(self, key: Key, framework: Framework, version: Version, start: int) -> Attempt | None:
        """Do what `again` does if every node has the amounts that it had; states are fresh."""
        known = self._known.get(key)
        if known is None or known.version != version or known.amounts is None:
            return None
        if self._may_preempt(known.priority) or known.amounts != self._amounts():
            return None
        known.moment = self._now()
        return self._given(known, framework, start)

    def keep(
        self, key: Key, framework: Framework, plan: Plan, version: Version, attempt: Attempt
    ) -> None:
        """Remember a failed attempt, unless preemption found something to do."""
        result = attempt.post_filter
        if attempt.result is not Result.UNSCHEDULABLE or (result and result.candidates):
            return
        attempt.diagnosis.remember()
        attempt.state.is_bare = framework.reserves_nothing(attempt.state)
        hangs_on_more = plan.looks_at_pods or self._may_preempt(plan.priority)
        amounts = None if hangs_on_more else self._amounts()
        if len(self._known) >= _MOST_FAILURES:
            self._known.clear()
        self._known[key] = _Failure(
            attempt, version, self._now(), amounts, plan.priority, framework.drawn
        )

    def __bool__(self) -> bool:
        """Return whether any is known."""
        return bool(self._known)

    def _given(self, known: _Failure, framework: Framework, start: int) -> Attempt:
        if known.drawn:
            framework.draw(known.drawn)
        attempt = known.attempt
        if attempt.next_start != start:
            attempt = known.attempt = replace(attempt, next_start=start)
        return attempt

    def _may_preempt(self, priority: int) -> bool:
        """Return whether a pod of a priority could push anybody aside."""
        lowest = self._cache.lowest_priority
        return lowest is not None and lowest < priority

    def _now(self) -> tuple[int, int]:
        cache = self._cache
        return cache.nodes.generation, cache.objects.disruption_budgets.version

    def _amounts(self) -> Version:
        return self._states.epoch, self._states.ids.tobytes()
