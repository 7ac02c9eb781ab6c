"""Times as kubectl prints them: ``5m29s``, ``45h``, ``Mon, 23 Nov 2026 11:14:04 +0000``.

Times are whole microseconds since the Unix epoch; the instant is always given, never asked.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000
"""Microseconds in a second."""
_ZERO_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)
_SECONDS_UP_TO: Final = 60 * 2
_MINUTES_UP_TO: Final = 60 * 3
_HOURS_UP_TO: Final = 24 * 2
_DAYS_UP_TO: Final = 365 * 2


def parse_time(timestamp: str) -> int:
    """Return an RFC 3339 time as microseconds since the epoch; finer digits are cut off.

    >>> parse_time("1970-01-01T00:00:01.5Z")
    1500000
    """
    return (datetime.fromisoformat(timestamp) - _EPOCH) // _MICROSECOND


def human_duration(microseconds: int) -> str:
    """Return a span with two or three significant figures.

    Source: kubernetes/apimachinery pkg/util/duration/duration.go HumanDuration, v0.36.1

    >>> human_duration(329 * SECOND), human_duration(3600 * SECOND), human_duration(-5 * SECOND)
    ('5m29s', '60m', '<invalid>')
    """
    if microseconds < 0:  # two clocks may disagree by less than two seconds
        return "0s" if microseconds > -2 * SECOND else "<invalid>"
    seconds = microseconds // SECOND
    if seconds < _SECONDS_UP_TO:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < _MINUTES_UP_TO:
        return _two_units(minutes, "m", seconds % 60, "s", below=10)
    if hours < _HOURS_UP_TO:
        return _two_units(hours, "h", minutes % 60, "m", below=8)
    if days < _DAYS_UP_TO:
        return _two_units(days, "d", hours % 24, "h", below=8)
    return _two_units(days // 365, "y", days % 365, "d", below=8)


def _two_units(large: int, large_unit: str, small: int, small_unit: str, *, below: int) -> str:
    """Return ``large`` alone from ``below`` on, else with what is left over of it."""
    if large >= below or not small:
        return f"{large}{large_unit}"
    return f"{large}{large_unit}{small}{small_unit}"


def age(timestamp: Any, now: int) -> str:
    """Return how long ago a time of an object was; ``<unknown>`` where it is not set."""
    return human_duration(now - parse_time(timestamp)) if timestamp else "<unknown>"


def rfc1123(timestamp: Any) -> str:
    """Return a time as ``describe`` spells it, in UTC.

    >>> rfc1123("2026-11-23T11:14:04Z")
    'Mon, 23 Nov 2026 11:14:04 +0000'
    """
    moment = datetime.fromisoformat(timestamp).astimezone(UTC) if timestamp else _ZERO_TIME
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = _MONTHS[moment.month - 1]
    return f"{weekday}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} +0000"


_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
