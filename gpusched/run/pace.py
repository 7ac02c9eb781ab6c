"""How a run goes on in wall time: told a few times a second, however much one instant holds."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NamedTuple

PERIOD: Final = 0.1
"""Seconds of wall time between two beats."""


class Pace(NamedTuple):
    """Where a run is.

    Attributes:
        now: Virtual time, microseconds.
        writes: How often something was written to the store.
        attempts: How many attempts the scheduler has made.
        waiting: How many pods will be attempted next.
    """

    now: int
    writes: int = 0
    attempts: int = 0
    waiting: int = 0


class Teller:
    """Tells somebody the pace; never while it is telling already.

    Args:
        progress: Who is told.
        pace: Returns what is told.
    """

    def __init__(self, progress: Callable[[Pace], None], pace: Callable[[], Pace]) -> None:
        self._progress = progress
        self._pace = pace
        self._busy = False

    def __call__(self) -> None:
        """Tell the pace as it is now."""
        if not self._busy:
            self._busy = True
            try:
                self._progress(self._pace())
            finally:
                self._busy = False


@contextmanager
def beating(tell: Callable[[], None] | None) -> Iterator[None]:
    """Call a function every so often, in the midst of whatever goes on; it may look, not touch.

    An alarm of the system costs a run nothing between two beats. Where there is none, or somebody
    else has it, nothing is called.
    """
    alarm = getattr(signal, "SIGALRM", None)
    is_main = threading.current_thread() is threading.main_thread()
    if tell is None or alarm is None or not is_main or signal.getsignal(alarm) != signal.SIG_DFL:
        yield
        return

    def beat(_number: int, _frame: FrameType | None) -> Any:
        tell()

    signal.signal(alarm, beat)
    signal.setitimer(signal.ITIMER_REAL, PERIOD, PERIOD)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(alarm, signal.SIG_DFL)
