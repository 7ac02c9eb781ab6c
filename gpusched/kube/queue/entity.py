"""A pod in the queue, and what the queue remembers of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gpusched.cluster.pod import PodInfo

NOBODY: Final[frozenset[str]] = frozenset()


class Place(StrEnum):
    """Where a pod is; values are the labels of ``scheduler_queue_incoming_pods_total``."""

    NOWHERE = ""
    ACTIVE = "active"
    BACKOFF = "backoff"
    UNSCHEDULABLE = "unschedulable"
    IN_FLIGHT = "in flight"


@dataclass(slots=True, eq=False)
class QueuedPod:
    """One waiting pod; compared by identity.

    Attributes:
        pod: The latest version of the pod.
        timestamp: When it was first queued, or when its last attempt failed; microseconds.
        sequence: Order of arrival, the tie-break among equal timestamps.
        place: Where it is.
        attempts: How often it has been popped.
        unschedulable_count: How many attempts ended in a rejection; drives back-off.
        consecutive_errors: How many attempts in a row ended in an error.
        rejected_by: Plugins that rejected it, or keep it out of the queue.
        pending_on: Plugins that answered Pending.
        gated_by: The plugin whose PreEnqueue keeps it out; empty if none.
        backoff_expiration: End of its back-off; None until it is asked for.
        first_queued: When it was first put into the active queue; None before.
        ticket: Grows with each move, so that stale heap entries are known.
    """

    pod: PodInfo
    timestamp: int
    sequence: int
    place: Place = Place.NOWHERE
    attempts: int = 0
    unschedulable_count: int = 0
    consecutive_errors: int = 0
    rejected_by: frozenset[str] = NOBODY
    pending_on: frozenset[str] = NOBODY
    gated_by: str = ""
    backoff_expiration: int | None = None
    first_queued: int | None = None
    ticket: int = 0

    @property
    def rejectors(self) -> frozenset[str]:
        """Return all plugins whose events may wake the pod."""
        return self.rejected_by | self.pending_on if self.pending_on else self.rejected_by
