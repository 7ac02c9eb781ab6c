"""A client's request budget: a token bucket in whole microseconds.

Source: k8s.io/client-go util/flowcontrol/throttle.go, v0.36.1
"""

from gpusched.sim.latency import Rate

_SECOND = 1_000_000


class Budget:
    """Hands out the instants at which requests may go, first come, first served.

    Args:
        rate: The bucket, or None for no limit.
        pace: Multiple of its rate; the burst stays.
    """

    def __init__(self, rate: Rate | None, pace: int = 1) -> None:
        self._interval = _SECOND // (rate.per_second * pace) if rate else 0
        self._depth = self._interval * rate.burst if rate else 0
        self._full_at = -1 << 62

    def reserve(self, now: int) -> int:
        """Take a token and return when it is there.

        >>> budget = Budget(Rate(20, 2))
        >>> [budget.reserve(0) for _ in range(4)]
        [0, 0, 50000, 100000]
        """
        if not self._interval:
            return now
        self._full_at = max(self._full_at, now) + self._interval
        return max(now, self._full_at - self._depth)
