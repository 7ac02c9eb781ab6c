"""When a Job may replace failed pods.

10 s, doubled with each failure since the last success, at most 10 minutes.

Source: kubernetes/kubernetes pkg/controller/job/backoff_utils.go, v1.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gpusched.controllers.protocol import SECOND, PodView

FIRST = 10 * SECOND
LONGEST = 600 * SECOND


@dataclass(frozen=True, slots=True)
class Backoff:
    """A Job's failures since its last success.

    Attributes:
        failures: How many.
        last: When the last one ended; None without any.
    """

    failures: int = 0
    last: int | None = None

    def after(self, succeeded: Sequence[PodView], failed: Sequence[PodView]) -> "Backoff":
        """Return the record with newly finished pods counted in."""
        if not succeeded:
            return (
                Backoff(self.failures + len(failed), max(map(finish_time, failed)))
                if failed
                else self
            )
        success = max(map(finish_time, succeeded))
        later = [time for time in map(finish_time, failed) if time > success]
        return Backoff(len(later), max(later, default=None))

    def remaining(self, now: int) -> int:
        """Return how long to wait before pods are created again."""
        if not self.failures or self.last is None:
            return 0
        return max(0, self.last + min(FIRST << min(self.failures - 1, 16), LONGEST) - now)


def finish_time(pod: PodView) -> int:
    """Return when a pod ended, as well as it can be told."""
    if pod.finished is not None:
        return pod.finished
    if pod.condition("Ready") is not None and not pod.ready:
        return pod.ready_since
    return pod.deletion if pod.deletion is not None else pod.created
