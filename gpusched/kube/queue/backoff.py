"""How long a pod must wait after a failure.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/backoff_queue.go, v1.36.1;
specification, section 7.5.
"""

from dataclasses import dataclass

from gpusched.kube.queue.entity import QueuedPod

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Backoff:
    """The back-off rule.

    Attributes:
        initial: First back-off, microseconds.
        maximum: Longest back-off, microseconds; 0 switches back-off off.
        aligned: Expirations are cut to whole seconds (gate SchedulerPopFromBackoffQ).
        phase: Where in a second the ticker that ends back-offs lies, microseconds: 0 if
            aligned, else it counts from the scheduler's start.
    """

    initial: int = 1 * SECOND
    maximum: int = 10 * SECOND
    aligned: bool = True
    phase: int = 0

    def duration(self, failures: int) -> int:
        """Return the back-off after that many failures, microseconds.

        >>> [Backoff().duration(n) // SECOND for n in range(7)]
        [0, 1, 2, 4, 8, 10, 10]
        """
        if failures == 0 or self.maximum == 0:
            return 0
        if self.initial > self.maximum >> (failures - 1):
            return self.maximum
        return self.initial << (failures - 1)

    def expiration(self, queued: QueuedPod) -> int:
        """Return when the pod's back-off ends; worked out once per failure."""
        if queued.backoff_expiration is None:
            failures = queued.consecutive_errors or queued.unschedulable_count
            duration = self.duration(failures)
            end = queued.timestamp + duration
            if self.aligned:
                end -= end % SECOND
            queued.backoff_expiration = end if duration else 0
        return queued.backoff_expiration

    def holds(self, queued: QueuedPod, now: int) -> bool:
        """Return whether the pod must still wait: if aligned, to the end of the expiry's second."""
        expiration = self.expiration(queued)
        return expiration != 0 and expiration >= (now - now % SECOND if self.aligned else now)

    def released(self, expiration: int) -> int:
        """Return the first tick after the end of a back-off."""
        return expiration - (expiration - self.phase) % SECOND + SECOND
