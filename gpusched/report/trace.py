"""A run as a Chrome trace, which Perfetto (ui.perfetto.dev) and chrome://tracing open.

Each GPU node is a process and each of its GPUs a thread; pods are slices. Waiting pods are
asynchronous slices of a process of their own; GPUs in use and waiting pods are counters.
Times are microseconds of virtual time.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gpusched.report.fleet import gpu_nodes
from gpusched.report.gpus import gpu_use
from gpusched.report.stays import stays, waits_until, workload_of
from gpusched.report.waiting import main_reason, reasons_over_time
from gpusched.run.record import RunRecord

CLUSTER: Final = 1
"""The process that holds counters and waiting pods; nodes follow it."""


def write_trace(record: RunRecord, path: Path) -> None:
    """Write a run's trace."""
    path.write_text(json.dumps(trace(record), separators=(",", ":")), encoding="utf-8")


def trace(record: RunRecord) -> dict[str, Any]:
    """Return a run as an object in the Trace Event Format."""
    about = {"scenario": record.name, "seed": record.seed, "simulated": record.simulated}
    events = [*_names(record), *_slices(record), *_waits(record), *_counters(record)]
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}


def _names(record: RunRecord) -> Iterator[dict[str, Any]]:
    yield _name("process_name", CLUSTER, 0, f"cluster ({record.name})")
    for process, node in enumerate(gpu_nodes(record), CLUSTER + 1):
        yield _name("process_name", process, 0, f"{node.pool}: {node.name}")
        for lane in range(node.lanes):
            yield _name("thread_name", process, lane, f"GPU {lane}")


def _name(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _slices(record: RunRecord) -> Iterator[dict[str, Any]]:
    processes = {node.name: row for row, node in enumerate(gpu_nodes(record), CLUSTER + 1)}
    for stay in stays(record):
        pod = stay.life.pod
        about = {
            "namespace": pod.namespace,
            "gpus": stay.life.gpus,
            "priority": pod.template.priority,
            "waited_seconds": (stay.start - stay.life.created) / 1_000_000,
        }
        for lane in stay.lanes:
            yield {
                "ph": "X",
                "name": pod.name,
                "cat": workload_of(stay.life),
                "pid": processes.get(stay.node, CLUSTER),
                "tid": lane,
                "ts": stay.start,
                "dur": stay.end - stay.start,
                "args": about,
            }


def _waits(record: RunRecord) -> Iterator[dict[str, Any]]:
    for life in record.lives:
        end = min(waits_until(life), record.ended)
        if end > life.created:
            same = {"name": life.pod.name, "cat": "waiting", "id": life.pod.serial, "pid": CLUSTER}
            why = {"reason": main_reason(life.waiting)} if life.waiting else {}
            yield {"ph": "b", "ts": life.created, "tid": 0, "args": why, **same}
            yield {"ph": "e", "ts": end, "tid": 0, **same}


def _counters(record: RunRecord) -> Iterator[dict[str, Any]]:
    use = gpu_use(record)
    used, unusable = use.total("used"), use.total("unusable")
    for at, in_use, lost in zip(
        used.times.tolist(), used.values.tolist(), unusable.values.tolist(), strict=True
    ):
        yield _counter("GPUs", at, {"in use": in_use, "unusable": lost})
    for reason, column in reasons_over_time(record).items():
        for at, pods in zip(column.times.tolist(), column.values.tolist(), strict=True):
            yield _counter(f"waiting: {reason}", at, {"pods": pods})


def _counter(name: str, at: int, values: dict[str, int]) -> dict[str, Any]:
    return {"ph": "C", "name": name, "pid": CLUSTER, "tid": 0, "ts": at, "args": values}
