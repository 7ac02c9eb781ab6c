"""Virtual time as Kubernetes writes it: RFC 3339, whole seconds or microseconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
EPOCH = "2026-01-01T00:00:00Z"
"""The wall time of t = 0 unless a run says otherwise."""


class Calendar:
    """Maps microseconds since t = 0 to wall time and back.

    Args:
        epoch: The wall time of t = 0, a whole second.
    """

    def __init__(self, epoch: str = EPOCH) -> None:
        self._zero = datetime.fromisoformat(epoch).astimezone(UTC)
        self._stamp = lru_cache(maxsize=4096)(self._write)

    def stamp(self, at: int) -> str:
        """Return ``metav1.Time``'s form: whole seconds, rounded down."""
        return self._stamp(at // SECOND)

    def micro_stamp(self, at: int) -> str:
        """Return ``metav1.MicroTime``'s form: six digits after the point."""
        return f"{self.stamp(at)[:-1]}.{at % SECOND:06d}Z"

    def unix(self, at: int) -> int:
        """Return microseconds since the Unix epoch."""
        return at + int(self._zero.timestamp()) * SECOND

    def micros(self, stamp: str) -> int:
        """Return the instant of either form."""
        return (datetime.fromisoformat(stamp) - self._zero) // timedelta(microseconds=1)

    def _write(self, second: int) -> str:
        return (self._zero + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
