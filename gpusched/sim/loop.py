"""The clock: actions at instants, in a total order of time, priority and insertion.

This file must not know what the actions do.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import simpy
from simpy.events import NORMAL, URGENT, Event, EventPriority

__all__ = ["LATE", "NORMAL", "URGENT", "Alarm", "Loop"]

LATE = 2
"""Runs after everything else of its instant that is already known."""

_MANY: Final = 10_000


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Let the cyclic garbage collector rest: what a run makes lives to its end, without cycles.

    At its usual pace it would walk millions of living pods over and over; a day of 10,000 pods
    leaves 61 objects to it. Afterwards all that lives counts as old, so that nobody's first new
    objects cause a walk through it.
    """
    before = gc.get_threshold()
    gc.set_threshold(10_000_000, 50, 1000)
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.set_threshold(*before)


class Alarm:
    """An action that is due and can still be called off."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Do nothing when the time comes."""
        self.cancelled = True


class Loop:
    """Virtual time over a SimPy environment.

    Args:
        start: The first instant, in microseconds; may lie before 0.

    Attributes:
        now: The current instant in microseconds; asked a score of times for each pod, so it is no
            property.
        standing_still: Is told, now and then, of how many actions have been planned at least while
            the clock stood still; may raise.
    """

    def __init__(self, start: int = 0) -> None:
        self._env = simpy.Environment(initial_time=start)
        self.now = start
        self.standing_still: Callable[[int], None] = lambda _: None
        self._planned = 0
        self._still_since = (start, 0)

    def at(
        self, when: int, action: Callable[..., object], *args: Any, priority: int = NORMAL
    ) -> Alarm:
        """Call ``action(*args)`` at ``when``, or at once if that is past."""
        alarm, due = Alarm(), max(when, self.now)

        def ring(_: Event) -> None:
            self.now = due
            if not alarm.cancelled:
                action(*args)

        self._schedule(ring, due - self.now, priority)
        return alarm

    def soon(self, action: Callable[..., object], *args: Any, priority: int = NORMAL) -> None:
        """Call ``action(*args)`` later in this instant."""
        due = self.now

        def ring(_: Event) -> None:
            self.now = due
            action(*args)

        self._schedule(ring, 0, priority)

    def every(self, first: int, period: int, action: Callable[[], None]) -> Alarm:
        """Call ``action`` at ``first`` and once per ``period`` until the alarm is cancelled."""
        alarm, due = Alarm(), max(first, self.now)

        def ring(_: Event) -> None:
            nonlocal due
            self.now = due
            if not alarm.cancelled:
                due += period
                self._schedule(ring, period, NORMAL)
                action()

        self._schedule(ring, due - self.now, NORMAL)
        return alarm

    def run(self, until: int) -> None:
        """Play everything that is due before ``until`` and stop there."""
        if until > self.now:
            with _collecting_rarely():
                self._env.run(until=until)
            self.now = until

    def next_due(self) -> int | None:
        """Return the instant of the next action, or None when nothing is due."""
        due = self._env.peek()
        return None if due == float("inf") else int(due)

    def _schedule(self, ring: Callable[[Event], None], delay: int, priority: int) -> None:
        event = Event(self._env)
        event._ok, event._value = True, None  # noqa: SLF001 - what SimPy's own Timeout does, without its float
        event.callbacks.append(ring)
        self._env.schedule(event, EventPriority(priority), delay)
        self._planned += 1
        if self._planned % _MANY == 0:
            self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """Tell of a clock that has not moved since the last look."""
        instant, planned = self._still_since
        if instant == self.now:
            self.standing_still(self._planned - planned)
        else:
            self._still_since = self.now, self._planned
