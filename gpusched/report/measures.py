"""What a run comes to in numbers. Every definition stands in ``docs/reference/metrics.md``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.report.fairness import fairness
from gpusched.report.gpus import GpuUse, gpu_use
from gpusched.report.waiting import attempts, waiting_times
from gpusched.run.record import RunRecord
from gpusched.run.table import Table
from gpusched.sim.calendar import SECOND

PERCENTILES: Final = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
_HOUR: Final = 3600 * SECOND
_VICTIMS: Final = "scheduler_preemption_victims_sum"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number.

    Attributes:
        name: What is measured.
        of: Of which part of the run: a pool, ``priority N``; empty for all of it.
        value: The number; None where the run has nothing to measure.
        unit: ``GPUs``, ``GPU-hours``, ``pods``, ``seconds``, ``attempts``, or ``ratio``.
    """

    name: str
    of: str
    value: float | int | None
    unit: str


def measures(record: RunRecord) -> list[Measure]:
    """Return all measures of a run, always in the same order."""
    return [
        *_pods(record),
        *_gpus(gpu_use(record)),
        *_waiting(record),
        *_finishing(record),
        *_scheduler(record),
        *_fairness(record),
    ]


def measures_table(record: RunRecord) -> Table:
    """Return all measures as a table."""
    rows = ((m.name, m.of, m.value, m.unit) for m in measures(record))
    return Table(("measure", "of", "value", "unit"), rows, f"Measures of {record.name}")


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile: the smallest value that ``percent`` % do not exceed.

    >>> percentile([10, 20, 30, 40], 50), percentile([10, 20, 30, 40], 51), percentile([], 50)
    (20, 30, None)
    """
    rank = -(-percent * len(ascending) // 100)
    return ascending[max(1, rank) - 1] if ascending else None


def _pods(record: RunRecord) -> Iterator[Measure]:
    yield Measure("pods_created", "", len(record.lives), "pods")
    yield Measure("pods_removed", "", sum(x.removed is not None for x in record.lives), "pods")
    for phase, count in record.phases().items():
        yield Measure("pods_at_end", phase, count, "pods")


def _gpus(use: GpuUse) -> Iterator[Measure]:
    used, capacity, unusable = use.total("used"), use.capacity(), use.total("unusable")
    yield Measure("gpus", "", capacity.last, "GPUs")
    yield Measure("gpus_in_use_at_end", "", used.last, "GPUs")
    for pool, columns in use.pools.items():
        yield Measure("gpus_in_use_at_end", f"pool {pool}", columns.used.last, "GPUs")
    yield Measure("gpus_unusable_at_end", "", unusable.last, "GPUs")
    yield Measure("gpu_hours_in_use", "", _rounded(used.area() / _HOUR), "GPU-hours")
    yield Measure("gpu_hours_offered", "", _rounded(capacity.area() / _HOUR), "GPU-hours")
    yield Measure("gpu_hours_unusable", "", _rounded(unusable.area() / _HOUR), "GPU-hours")
    yield Measure("gpu_allocation_ratio", "", _ratio(used.area(), capacity.area()), "ratio")
    for pool, columns in use.pools.items():
        offered = sum(getattr(columns, name).area() for name in ("used", "free", "unusable"))
        ratio = _ratio(columns.used.area(), offered)
        yield Measure("gpu_allocation_ratio", f"pool {pool}", ratio, "ratio")
    wasted = use.total("wasted")
    at_end = _ratio(wasted.last, use.pods * capacity.last)
    yield Measure("fragmentation_at_end", "", at_end, "ratio")
    mean = _ratio(wasted.area(), use.pods * capacity.area())
    yield Measure("fragmentation", "", mean, "ratio")


def _waiting(record: RunRecord) -> Iterator[Measure]:
    by_priority = waiting_times(record.lives, record.ended)
    everyone = sorted(time for times, _ in by_priority.values() for time in times)
    never = sum(count for _, count in by_priority.values())
    groups = [("", everyone, never)]
    if len(by_priority) > 1:
        groups += [(f"priority {p}", times, left) for p, (times, left) in by_priority.items()]
    for of, times, left in groups:
        yield Measure("pods_never_bound", of, left, "pods")
        yield from _percentiles("waiting_time", of, times)


def _finishing(record: RunRecord) -> Iterator[Measure]:
    finished = [life for life in record.lives if life.finished is not None]
    yield Measure("pods_finished", "", len(finished), "pods")
    taken = sorted((life.finished or 0) - life.created for life in finished)
    yield from _percentiles("completion_time", "", taken)
    makespan = None
    if finished:
        first = min(life.created for life in record.lives)
        makespan = max(life.finished or 0 for life in finished) - first
    yield Measure("makespan", "", _seconds(makespan), "seconds")


def _scheduler(record: RunRecord) -> Iterator[Measure]:
    victims = record.statistics.get("counters", {}).get(_VICTIMS, 0)
    yield Measure("pods_preempted", "", int(victims), "pods")
    tried = sorted(attempts(record).values())
    yield Measure("attempts", "", sum(tried), "attempts")
    mean = _rounded(sum(tried) / len(tried)) if tried else None
    yield Measure("attempts_per_pod_mean", "", mean, "attempts")
    yield Measure("attempts_per_pod_max", "", max(tried, default=None), "attempts")


def _fairness(record: RunRecord) -> Iterator[Measure]:
    found = fairness(record)
    yield Measure("fairness", "", None if found is None else _rounded(found[0]), "ratio")


def _percentiles(name: str, of: str, ascending: Sequence[int]) -> Iterator[Measure]:
    mean = sum(ascending) / len(ascending) / SECOND if ascending else None
    yield Measure(f"{name}_mean", of, None if mean is None else _rounded(mean), "seconds")
    for label, percent in PERCENTILES.items():
        yield Measure(f"{name}_{label}", of, _seconds(percentile(ascending, percent)), "seconds")


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / SECOND


def _ratio(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _rounded(value: float) -> float:
    return round(value, 6)
