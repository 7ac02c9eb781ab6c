"""A bar on a terminal's standard error: how far the run has come, how fast, and how long yet."""

import sys
import time
from collections.abc import Callable
from typing import Final

import click

_WIDTH: Final = 30
_FIRST: Final = 0.4
"""Seconds of wall time after which a bar is worth its flicker."""
_PERIOD: Final = 0.1
_SECOND: Final = 1_000_000
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Draws a bar; nothing at all for runs that are over at once.

    Args:
        end: The virtual time at which the run ends, microseconds.
        clock: Returns wall seconds.
        write: Takes what goes to the terminal.
    """

    def __init__(
        self,
        end: int,
        clock: Callable[[], float] = time.monotonic,
        write: Callable[[str], object] = lambda text: click.echo(text, err=True, nl=False),
    ) -> None:
        self._end = max(1, end)
        self._clock = clock
        self._write = write
        self._began = clock()
        self._drawn: float | None = None

    def __call__(self, now: int) -> None:
        """Take in that virtual time has come to ``now``."""
        wall = self._clock()
        due = self._began + _FIRST if self._drawn is None else self._drawn + _PERIOD
        if wall >= due:
            self._drawn = wall
            self._write(_CLEAR + self.line(now, wall - self._began))

    def line(self, now: int, elapsed: float) -> str:
        """Return the bar for virtual time ``now`` after ``elapsed`` wall seconds."""
        part = min(1.0, now / self._end)
        bar = "#" * round(part * _WIDTH)
        rate = now / _SECOND / elapsed if elapsed > 0 else 0.0
        left = round(elapsed * (1 - part) / part) if part > 0 else 0
        place = f"{now // _SECOND}/{self._end // _SECOND}s"
        eta = f"{left // 60}:{left % 60:02d}"
        return f"[{bar:<{_WIDTH}}] {part:4.0%}  {place}  {rate:.1f} s/s  ETA {eta}"

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._write(_CLEAR)


def wanted(*, quiet: bool) -> bool:
    """Return whether somebody is there to look at a bar."""
    return not quiet and sys.stderr.isatty()
