"""kube-scheduler's own metrics and its log of moves, as far as recordings hold them.

Source: kubernetes/kubernetes pkg/scheduler/metrics/metrics.go, v1.36.1.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class SchedulerMetrics:
    """Counters and gauges by their Prometheus name, labels included.

    Attributes:
        counters: Counters, and the sums and counts of histograms.
        unschedulable: ``scheduler_unschedulable_pods`` by plugin and profile.
    """

    counters: Counter[str] = field(default_factory=Counter)
    unschedulable: dict[tuple[str, str], int] = field(default_factory=dict)
    _waiting: dict[str, frozenset[str]] = field(default_factory=dict)

    def attempt(self, profile: str, result: str) -> None:
        """Count one finished attempt: ``scheduled``, ``unschedulable`` or ``error``."""
        labels = f'{{profile="{profile}",result="{result}"}}'
        self.counters[f"scheduler_schedule_attempts_total{labels}"] += 1

    def scheduled_after(self, attempts: int) -> None:
        """Count the attempts that a bound pod has needed."""
        self.counters["scheduler_pod_scheduling_attempts_sum"] += attempts
        self.counters["scheduler_pod_scheduling_attempts_count"] += 1

    def incoming(self, event: str, queue: str, count: int) -> None:
        """Count arrivals in a queue."""
        labels = f'{{event="{event}",queue="{queue}"}}'
        self.counters[f"scheduler_queue_incoming_pods_total{labels}"] += count

    def preemption_attempt(self) -> None:
        """Count one attempt to preempt, fruitful or not."""
        self.counters["scheduler_preemption_attempts_total"] += 1

    def victims(self, count: int) -> None:
        """Count the victims of one preemption."""
        self.counters["scheduler_preemption_victims_sum"] += count
        self.counters["scheduler_preemption_victims_count"] += 1

    def waits_for(self, uid: str, profile: str, plugins: Iterable[str]) -> None:
        """Say which plugins keep a pod waiting from now on; none once it is tried or gone."""
        before, now = self._waiting.pop(uid, frozenset()), frozenset(plugins)
        for plugin in before ^ now:
            key = (plugin, profile)
            change = 1 if plugin in now else -1
            self.unschedulable[key] = self.unschedulable.get(key, 0) + change
        if now:
            self._waiting[uid] = now

    def gauges(self, depths: dict[str, int]) -> dict[str, float]:
        """Return the gauges as they are now, given the depths of the queues."""
        pending = {
            f'scheduler_pending_pods{{queue="{queue}"}}': float(depth)
            for queue, depth in depths.items()
        }
        waiting = {
            f'scheduler_unschedulable_pods{{plugin="{plugin}",profile="{profile}"}}': float(count)
            for (plugin, profile), count in self.unschedulable.items()
        }
        return dict(sorted({**pending, **waiting}.items()))


@dataclass(slots=True)
class SchedulerLog:
    """What the scheduler would log of its moves; kept only where somebody asked for it.

    Attributes:
        enabled: Whether to keep anything.
        rows: (microseconds, what, fields), in order.
    """

    enabled: bool = False
    rows: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)

    def add(self, at: int, what: str, **fields: Any) -> None:
        """Add a row if the log is kept."""
        if self.enabled:
            self.rows.append((at, what, fields))
