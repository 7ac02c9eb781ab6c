"""A run in under a screen: pods by phase, GPUs by node, why pods wait, what was refused."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from gpusched.run.history import is_gpu
from gpusched.run.table import Table

MOST: Final = 12
"""Rows of one section of the short form; the rest is counted."""
_ORDER: Final = ("Running", "Pending", "Succeeded", "Failed")


def summary(result: Mapping[str, Any], *, wide: bool = False) -> str:
    """Return a run's result for the eye.

    Args:
        result: What ``run.result.result_of`` returns.
        wide: Every node with every resource, and how the scheduler's attempts went.
    """
    sections = (
        _head(result),
        _nodes(result["nodes"], result.get("devices") or {}, wide=wide),
        _messages(result["messages"], wide=wide),
        _refusals(result["refusals"], wide=wide),
        _scheduler(result["scheduler"]) if wide else iter(()),
        _differences(result["differences"]),
    )
    blocks = ("\n".join(section) for section in sections)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(result: Mapping[str, Any]) -> Iterator[str]:
    about = ["simulated" if result["simulated"] else "recorded from a cluster"]
    about += [f"seed {result['seed']}", *(["interrupted"] if result["interrupted"] else [])]
    end = f"{result['simulatedSeconds']:g}s"
    yield f"{result['scenario']} after {end} of virtual time ({', '.join(about)})"
    yield ""
    phases = [phase for phase in _ORDER if phase in result["pods"]]
    pods = ", ".join(f"{result['pods'][phase]} {phase}" for phase in phases)
    yield f"Pods: {pods or 'none'}"


def _nodes(nodes: Mapping[str, Any], devices: Mapping[str, Any], *, wide: bool) -> Iterator[str]:
    """Nodes without GPUs are left out of the short form, unless there are no others.

    GPUs that pods claim as devices are none of a node's resources: they are counted beside.
    """
    with_gpus = [name for name, uses in nodes.items() if any(map(is_gpu, uses))]
    shown = list(nodes) if wide or not with_gpus else with_gpus
    rows = [(name, *_use(nodes[name], wide=wide)) for name in shown]
    columns = ("node", "gpus", "in_use", "pods", *(("cpu", "memory") if wide else ()))
    if rows:
        cut = rows if wide else rows[:MOST]
        yield repr(Table(columns, cut))
        yield from _more(len(rows) - len(cut), "node")
    total, used = (sum(row[column] for row in rows) for column in (1, 2))
    left_out = len(nodes) - len(shown)
    others = f"; {_counted(left_out, 'node')} without GPUs not shown" if left_out else ""
    if total:
        counted = "GPUs in use as resources" if devices else "GPUs in use"
        yield f"{counted}: {used} of {total}{others}"
    uses = (f"{use['claimed']} of {use['published']} ({name})" for name, use in devices.items())
    if devices:
        yield f"Devices in use by claims: {', '.join(uses)}"


def _use(uses: Mapping[str, Any], *, wide: bool) -> Iterator[Any]:
    gpus = [use for name, use in uses.items() if is_gpu(name)]
    yield sum(use["allocatable"] for use in gpus)
    yield sum(use["requested"] for use in gpus)
    yield uses.get("pods", {}).get("requested", 0)
    if wide:
        cpu, memory = (uses.get(name, {}) for name in ("cpu", "memory"))
        yield f"{cpu.get('requested', 0)}m/{cpu.get('allocatable', 0)}m"
        yield f"{memory.get('requested', 0) >> 20}Mi/{memory.get('allocatable', 0) >> 20}Mi"


def _messages(messages: Mapping[str, int], *, wide: bool) -> Iterator[str]:
    if messages:
        yield "Why pods wait:"
    cut = list(messages.items())[: None if wide else MOST // 2]
    width = max((len(str(count)) for count in messages.values()), default=1)
    for text, count in cut:
        yield f"  {count:>{width}} x {text}"  # never folded: people search for the sentence
    yield from _more(len(messages) - len(cut), "message")


def _refusals(refusals: list[str], *, wide: bool) -> Iterator[str]:
    if refusals:
        yield "Refused:"
    cut = refusals if wide else refusals[: MOST // 2]
    yield from (f"  {text}" for text in cut)
    yield from _more(len(refusals) - len(cut), "refusal")


def _scheduler(statistics: Mapping[str, Any]) -> Iterator[str]:
    """How attempts were decided comes first, with each reason to fall back to the scan."""
    attempts = statistics.get("attempts", {})
    if attempts:
        paths = ", ".join(f"{count} {path}" for path, count in attempts.items())
        yield f"Attempts by path: {paths}"
    for why, count in statistics.get("fallbacks", {}).items():
        yield f"  {count} x fell back to the scan: {why}"
    rows = {**statistics.get("counters", {}), **statistics.get("gauges", {})}
    if rows:
        yield repr(Table(("metric", "value"), ((name, f"{n:g}") for name, n in rows.items())))


def _differences(differences: list[Mapping[str, Any]]) -> Iterator[str]:
    if differences:
        yield click.style("Not as expected:", fg="red", bold=True)
    yield from (f"  {difference_line(difference)}" for difference in differences)


def difference_line(difference: Mapping[str, Any]) -> str:
    """Return one difference between what a scenario expects and what came out."""
    expected, observed = difference["expected"], difference["observed"]
    return f"{difference['what']}: expected {expected}, observed {observed}"


def _more(count: int, noun: str) -> Iterator[str]:
    if count > 0:
        yield f"  ... and {_counted(count, f'more {noun}')} (-o wide shows all)"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count != 1 else "")
