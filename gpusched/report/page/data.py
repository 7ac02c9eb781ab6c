"""What the report page knows of a run: columns, each text once; aggregated where a run is large."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from gpusched.report.fleet import GpuNode, gpu_nodes
from gpusched.report.gpus import gpu_use
from gpusched.report.measures import measures
from gpusched.report.stays import FOREVER, Stay, held_until, stays, workload_of
from gpusched.report.steps import Steps, counted
from gpusched.report.waiting import main_reason, reasons, reasons_over_time
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay

MOST_PODS: Final = 10_000
"""Runs with more pods show nodes and reasons over time, not single pods."""
MOST_LANES: Final = 1_024
"""Fleets with more GPUs show how many of a node's GPUs are in use, not which pod has which."""
_LEVELS: Final = 400_000
_SAMPLES: Final = 1_000
_NEVER: Final = -1


class _Texts:
    """Each text once, by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def all(self) -> list[str]:
        return list(self._numbers)


def page_data(record: RunRecord) -> dict[str, Any]:
    """Return everything that the page shows, as JSON."""
    nodes, found = gpu_nodes(record), stays(record)
    many = len(record.lives) > MOST_PODS
    levels = many or sum(node.lanes for node in nodes) > MOST_LANES
    return {
        "name": record.name,
        "seed": record.seed,
        "ended": record.ended,
        "simulated": record.simulated,
        "interrupted": record.interrupted,
        "phases": record.phases(),
        "messages": [[count, text] for text, count in record.messages().items()][:20],
        "measures": [[m.name, m.of, m.value, m.unit] for m in measures(record)],
        "nodes": [[node.name, node.pool, node.lanes, node.offers] for node in nodes],
        "series": _series(record),
        "levels": _levels(record, nodes, found) if levels else None,
        "pods": None if many else _pods(record, nodes, found),
    }


def _series(record: RunRecord) -> dict[str, Any]:
    """Return GPUs and waiting pods over time; at evenly spaced instants if there are many."""
    use, waiting = gpu_use(record), reasons_over_time(record)
    columns = {name: use.total(name) for name in ("used", "unusable")}
    columns |= {"capacity": use.capacity()}
    columns |= {f"waiting: {text}": column for text, column in list(waiting.items())[:8]}
    times = np.unique(np.concatenate([column.times for column in columns.values()]))
    if len(times) > _SAMPLES:
        times = np.linspace(0, record.ended, _SAMPLES).astype(np.int64)
    return {
        "times": times.tolist(),
        **{name: column.at(times).tolist() for name, column in columns.items()},
    }


def _levels(record: RunRecord, nodes: Sequence[GpuNode], found: Iterable[Stay]) -> dict[str, Any]:
    """Return the GPUs in use on each node, at evenly spaced instants."""
    bins = int(np.clip(_LEVELS // max(1, len(nodes)), 40, 400))
    times = np.linspace(0, record.ended, bins).astype(np.int64)
    spans: dict[str, list[tuple[int, int, int]]] = {node.name: [] for node in nodes}
    for stay in found:
        until = held_until(stay.life)
        spans.setdefault(stay.node, []).append((stay.start, until, len(stay.lanes)))
    used: list[Steps] = [counted(spans[node.name], record.ended) for node in nodes]
    return {"times": times.tolist(), "used": [steps.at(times).tolist() for steps in used]}


def _pods(record: RunRecord, nodes: Sequence[GpuNode], found: Iterable[Stay]) -> dict[str, Any]:
    texts, workloads, namespaces = _Texts(), _Texts(), _Texts()
    rows = {node.name: index for index, node in enumerate(nodes)}
    lanes = {stay.index: stay.lanes for stay in found}
    lives = record.lives
    columns: dict[str, Any] = {
        "name": [life.pod.name for life in lives],
        "namespace": [namespaces.number(life.pod.namespace) for life in lives],
        "workload": [workloads.number(workload_of(life)) for life in lives],
        "node": [rows.get(life.pod.node, _NEVER) for life in lives],
        "host": [texts.number(life.pod.node) for life in lives],
        "gpus": [life.gpus for life in lives],
        "priority": [life.pod.template.priority for life in lives],
        "phase": [texts.number(_phase(life.removed, life.pod.phase)) for life in lives],
        "created": [life.created for life in lives],
        "bound": [_known(life.bound) for life in lives],
        "end": [_known(held_until(life)) for life in lives],
        "lanes": [list(lanes.get(index, ())) for index in range(len(lives))],
        "why": _why(record, texts),
        "events": _events(record, texts),
    }
    reason = {number: main_reason(text) for number, text in enumerate(texts.all())}
    return {
        **columns,
        "texts": texts.all(),
        "reasons": {n: reason[n] for whys in columns["why"] for _, n in whys},
        "workloads": workloads.all(),
        "namespaces": namespaces.all(),
    }


def _phase(removed: int | None, phase: str) -> str:
    return phase if removed is None else f"removed ({phase} before)"


def _known(at: int | None) -> int:
    return _NEVER if at is None or at == FOREVER else at


def _why(record: RunRecord, texts: _Texts) -> list[list[tuple[int, int]]]:
    """Return for each pod: since when it waited with which message."""
    rows = {life.pod.serial: index for index, life in enumerate(record.lives)}
    said: list[list[tuple[int, int]]] = [[] for _ in rows]
    for reason in reasons(record):
        if reason.end > reason.start:
            said[rows[reason.pod]].append((reason.start, texts.number(reason.message)))
    return said


def _events(record: RunRecord, texts: _Texts) -> list[list[tuple[int, int, int, int]]]:
    """Return for each pod its events: (last time, reason, text, count), in order of writing.

    A pod's own name and its node's are written as ``{pod}`` and ``{node}``, so that replicas share
    their texts.
    """
    rows = {life.pod.uid: index for index, life in enumerate(record.lives)}
    told: list[list[tuple[int, int, int, int]]] = [[] for _ in rows]
    for event in Replay(record.rows).jump(record.ended).events.values():
        index = rows.get(event.regarding.get("uid", ""))
        if index is None:
            continue
        pod = record.lives[index].pod
        text = event.message.replace(f"{pod.namespace}/{pod.name}", "{pod}")
        text = text.replace(pod.node, "{node}") if pod.node else text
        count, last = event.series or (event.count, event.last)
        told[index].append((last, texts.number(event.reason), texts.number(text), count))
    return told
