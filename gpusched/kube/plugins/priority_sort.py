"""PrioritySort: the queue's order is by priority, then by time."""

from dataclasses import dataclass
from typing import ClassVar

from gpusched.cluster.pod import PodInfo


@dataclass(frozen=True, slots=True)
class PrioritySort:
    """Sort waiting pods: the highest priority first, among equals who came first.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/queuesort/priority_sort.go,
    v1.36.1.
    """

    name: ClassVar[str] = "PrioritySort"

    def sort_key(self, pod: PodInfo, timestamp: int) -> tuple[int, int]:
        """See QueueSortPlugin."""
        return -pod.priority, timestamp
