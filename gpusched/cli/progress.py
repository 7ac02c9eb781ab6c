"""Bars on a terminal's standard error: how far a run has come, how fast, and how long yet.

And how far the reading of its files.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from gpusched.run.pace import Pace

_WIDTH: Final = 30
_FIRST: Final = 0.4
"""Seconds of wall time after which a bar is worth its flicker."""
_PERIOD: Final = 0.1
_STILL: Final = 1.0
"""Seconds of wall time after which an instant is worth a word of its own."""
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
        self._instant: tuple[Pace, float] | None = None

    def __call__(self, pace: Pace) -> None:
        """Take in how far the run has come."""
        wall = self._clock()
        if self._instant is None or _begins(pace, self._instant[0]):
            self._instant = (pace, wall)
        due = self._began + _FIRST if self._drawn is None else self._drawn + _PERIOD
        if wall >= due:
            self._drawn = wall
            first, since = self._instant
            if wall - since >= _STILL:
                line = self.still(pace, first, wall - since)
            else:
                line = self.line(pace.now, wall - self._began)
            self._write(_CLEAR + line)

    def line(self, now: int, elapsed: float) -> str:
        """Return the bar for virtual time ``now`` after ``elapsed`` wall seconds."""
        part = self._part(now)
        rate = max(0, now) / _SECOND / elapsed if elapsed > 0 else 0.0
        left = elapsed * (1 - part) / part if part > 0 else 0
        return f"{self._bar(now)}  {rate:.1f} s/s  {_eta(left)}"

    def still(self, pace: Pace, first: Pace, elapsed: float) -> str:
        """Return the bar while one instant lasts: pods attempted, or at least what is written.

        Args:
            pace: How far the run is.
            first: How far it was when it came to this instant, or when somebody first looked.
            elapsed: Wall seconds since then.
        """
        attempts = (pace.attempts - first.attempts) / elapsed
        if not attempts:
            writes = (pace.writes - first.writes) / elapsed
            return f"{self._bar(pace.now)}  {writes:,.0f} writes/s"
        eta = _eta(pace.waiting / attempts)
        return f"{self._bar(pace.now)}  {attempts:,.0f} pods/s, {pace.waiting:,} to go  {eta}"

    def _part(self, now: int) -> float:
        return min(1.0, max(0.0, now / self._end))

    def _bar(self, now: int) -> str:
        part = self._part(now)
        bar = "#" * round(part * _WIDTH)
        place = f"{max(0, now) // _SECOND}/{self._end // _SECOND}s"
        return f"[{bar:<{_WIDTH}}] {part:4.0%}  {place}"

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._write(_CLEAR)


def _begins(pace: Pace, first: Pace) -> bool:
    """Return whether virtual time has moved, or attempts come after nothing but creations."""
    return pace.now != first.now or (pace.attempts > 0 == first.attempts)


def _eta(seconds: float) -> str:
    left = round(seconds)
    return f"ETA {left // 60}:{left % 60:02d}"


def wanted(*, quiet: bool) -> bool:
    """Return whether somebody is there to look at a bar."""
    return not quiet and sys.stderr.isatty()


class Loading:
    """Draws a bar while files are read; nothing at all for files that are read at once.

    Args:
        clock: Returns wall seconds.
        write: Takes what goes to the terminal.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        write: Callable[[str], object] = lambda text: click.echo(text, err=True, nl=False),
    ) -> None:
        self._clock = clock
        self._write = write
        self._file = ""
        self._began = clock()
        self._drawn: float | None = None

    def __call__(self, file: str, objects: int, part: float | None) -> None:
        """Take in how far the reading of a file has come."""
        wall = self._clock()
        if file != self._file:
            self._file, self._began = file, wall
        due = self._began + _FIRST if self._drawn is None else self._drawn + _PERIOD
        if wall >= due:
            self._drawn = wall
            self._write(_CLEAR + self.line(objects, part, wall - self._began))

    def line(self, objects: int, part: float | None, elapsed: float) -> str:
        """Return the bar after so many objects, of an unknown number if the part is unknown."""
        rate = f"{objects / elapsed:,.0f} objects/s" if elapsed > 0 else ""
        if not part:
            return f"reading {self._file}  {objects:,} objects  {rate}"
        done = min(1.0, part)
        bar = "#" * round(done * _WIDTH)
        eta = _eta(elapsed * (1 - done) / done)
        return f"[{bar:<{_WIDTH}}] {done:4.0%}  reading {self._file}  {rate}  {eta}"

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._write(_CLEAR)


@contextmanager
def loading(*, quiet: bool = False) -> Iterator[Loading | None]:
    """Give whom to tell of files that are read, if somebody is there to look."""
    if not wanted(quiet=quiet):
        yield None
        return
    bar = Loading()
    try:
        yield bar
    finally:
        bar.close()
