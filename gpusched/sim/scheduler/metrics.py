"""kube-scheduler's own metrics and its log of moves, as far as recordings hold them.

Source: kubernetes/kubernetes pkg/scheduler/metrics/metrics.go, v1.36.1.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from gpusched.kube.queue.entity import NOBODY


@dataclass(slots=True)
class SchedulerMetrics:
    """Counters and gauges by their Prometheus name, labels included.

    Attributes:
        unschedulable: ``scheduler_unschedulable_pods`` by plugin and profile.
    """

    unschedulable: dict[tuple[str, str], int] = field(default_factory=dict)
    _plain: Counter[str] = field(default_factory=Counter)
    _attempts: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    _incoming: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    _waiting: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def counters(self) -> dict[str, int]:
        """Return the counters, and the sums and counts of histograms."""
        found = dict(self._plain)
        for (profile, result), count in self._attempts.items():
            labels = f'{{profile="{profile}",result="{result}"}}'
            found[f"scheduler_schedule_attempts_total{labels}"] = count
        for (event, queue), count in self._incoming.items():
            labels = f'{{event="{event}",queue="{queue}"}}'
            found[f"scheduler_queue_incoming_pods_total{labels}"] = count
        return found

    def attempt(self, profile: str, result: str) -> None:
        """Count one finished attempt: ``scheduled``, ``unschedulable`` or ``error``."""
        self._attempts[profile, result] += 1

    def scheduled_after(self, attempts: int) -> None:
        """Count the attempts that a bound pod has needed."""
        self._plain["scheduler_pod_scheduling_attempts_sum"] += attempts
        self._plain["scheduler_pod_scheduling_attempts_count"] += 1

    def incoming(self, event: str, queue: str, count: int) -> None:
        """Count arrivals in a queue."""
        self._incoming[event, queue] += count

    def preemption_attempt(self) -> None:
        """Count one attempt to preempt, fruitful or not."""
        self._plain["scheduler_preemption_attempts_total"] += 1

    def victims(self, count: int) -> None:
        """Count the victims of one preemption."""
        self._plain["scheduler_preemption_victims_sum"] += count
        self._plain["scheduler_preemption_victims_count"] += 1

    def waits_for(self, uid: str, profile: str, plugins: frozenset[str]) -> None:
        """Say which plugins keep a pod waiting from now on; none once it is bound or gone."""
        before = self._waiting.get(uid, NOBODY)
        if before == plugins:
            return
        for plugin in before ^ plugins:
            key = (plugin, profile)
            change = 1 if plugin in plugins else -1
            self.unschedulable[key] = self.unschedulable.get(key, 0) + change
        if plugins:
            self._waiting[uid] = plugins
        else:
            del self._waiting[uid]

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

    @property
    def follows(self) -> bool:
        """Whether it wants to be told of every attempt and every move."""
        return self.enabled

    def tried(self, at: int, pod: str) -> None:
        """Add the start of an attempt."""
        self.add(at, "attempt", pod=pod)

    def moved(self, at: int, pod: str, event: str, queue: str, hint: int | None) -> None:
        """Add a move: why, to which queue, and what a failed attempt was judged to be worth."""
        more = {} if hint is None else {"hint": str(hint)}
        self.add(at, "queue", pod=pod, event=event, queue=queue.capitalize(), **more)

    def add(self, at: int, what: str, **fields: Any) -> None:
        """Add a row if the log is kept."""
        if self.enabled:
            self.rows.append((at, what, fields))
