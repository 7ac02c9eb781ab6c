"""Real time, for what happens on a real cluster. Nothing outside of this room may import it."""

import time
from datetime import UTC, datetime
from typing import Final

from gpusched.sim.calendar import SECOND

_NANOSECONDS: Final = 1000


def now() -> int:
    """Return microseconds since the Unix epoch."""
    return time.time_ns() // _NANOSECONDS


def sleep_until(instant: int) -> None:
    """Sleep until ``instant``, in microseconds since the Unix epoch."""
    ahead = instant - now()
    if ahead > 0:
        time.sleep(ahead / SECOND)


def sleep(microseconds: int) -> None:
    """Sleep."""
    time.sleep(microseconds / SECOND)


def stamp(instant: int) -> str:
    """Return an instant as RFC 3339, cut to whole seconds."""
    return datetime.fromtimestamp(instant // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
