"""Plots of nodes and their GPUs over time: a Gantt chart and a heat map."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gpusched.report.canvas import Clock, Floats, drawing, legend_above, time_axis
from gpusched.report.fleet import GpuNode, gpu_nodes
from gpusched.report.stays import Stay, stays, workload_of
from gpusched.report.style import CAPACITY, OTHERS, Look, looks
from gpusched.run.record import RunRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LANES: Final = 96
_LONG_NAME: Final = 20
"""Characters; three columns of such names are wider than the plot."""
_MOST_ROWS: Final = 48
_BINS: Final = 160


def gantt(record: RunRecord) -> "Figure":
    """Return pods as bars over the GPUs of each node; which GPU of a node is drawn is ours.

    Nodes beyond the first 96 GPUs are left out, and the title says so.
    """
    every = gpu_nodes(record)
    nodes = _first_nodes(every)
    shown = [stay for stay in stays(record) if stay.node in {node.name for node in nodes}]
    found = looks(dict.fromkeys(workload_of(stay.life) for stay in shown))
    lanes = sum(node.lanes for node in nodes)
    with drawing(record, height=min(12.0, 2.2 + 0.16 * lanes)) as (figure, clock):
        axes = figure.subplots()
        bottom = _rows(axes, nodes)
        for stay in shown:
            _bar(axes, clock, stay, bottom[stay.node], found[workload_of(stay.life)])
        for name, look in _legend(found):
            axes.bar(0, 0, color=look.colour, hatch=look.hatch, edgecolor="white", label=name)
        left = len(every) - len(nodes)
        more = f" (first {len(nodes)} of {len(every)} nodes)" if left else ""
        title = f"{record.name}: pods on GPUs{more}"
        columns = 3 if max(map(len, found), default=0) < _LONG_NAME else 2
        axes.set_title(title, pad=12 + 20 * -(-len(_legend(found)) // columns))
        axes.set_ylim(max(1, lanes), 0)
        legend_above(axes, columns)
        time_axis(axes, clock, record)
    return figure


def _legend(found: Mapping[str, Look]) -> list[tuple[str, Look]]:
    """Return names and looks; those who share the grey look share an entry.

    >>> [name for name, _ in _legend(looks("abcdefghij"))][-2:]
    ['g', '3 others']
    """
    own = [(name, look) for name, look in found.items() if look != OTHERS]
    others = len(found) - len(own)
    return [*own, (f"{others} other{'s' if others > 1 else ''}", OTHERS)] if others else own


def _first_nodes(nodes: Sequence[GpuNode]) -> list[GpuNode]:
    ends = np.cumsum([node.lanes for node in nodes])
    return [node for node, end in zip(nodes, ends, strict=True) if end <= _MOST_LANES]


def _rows(axes: Any, nodes: Sequence[GpuNode]) -> dict[str, int]:
    """Label the nodes, draw a line between them, and return where each begins."""
    bottom, at = {}, 0
    ticks = []
    for node in nodes:
        bottom[node.name] = at
        ticks.append(at + node.lanes / 2)
        at += node.lanes
        axes.axhline(at, color=CAPACITY, linewidth=1.0)
    axes.set_yticks(ticks, [f"{node.name}\n{node.lanes} GPUs" for node in nodes], fontsize=11)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    return bottom


def _bar(axes: Any, clock: Clock, stay: Stay, bottom: int, look: Look) -> None:
    """Draw one pod; lanes that lie side by side make one bar."""
    start, end = float(clock(stay.start)), float(clock(stay.end))
    style = {"facecolor": look.colour, "edgecolor": "white", "hatch": look.hatch}
    for first, count in _blocks(stay.lanes):
        axes.broken_barh(
            [(start, end - start)], (bottom + first + 0.06, count - 0.12), linewidth=0.6, **style
        )


def _blocks(lanes: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of neighbouring lanes as (first, how many).

    >>> _blocks((0, 1, 2, 5))
    [(0, 3), (5, 1)]
    """
    found: list[tuple[int, int]] = []
    for lane in lanes:
        if found and sum(found[-1]) == lane:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((lane, 1))
    return found


def heat(record: RunRecord) -> "Figure":
    """Return the share of each node's GPUs that is in use over time, dark where all are.

    Fleets of more than 48 nodes are drawn as groups of neighbouring nodes.
    """
    nodes = gpu_nodes(record)
    if not nodes:
        return _no_nodes(record)
    labels, table = _grouped(nodes, node_use_over_time(record, nodes, _BINS))
    with drawing(record, height=max(4.0, min(11.0, 2.6 + 0.32 * len(labels)))) as (figure, clock):
        axes = figure.subplots()
        span = (0, max(float(clock(record.ended)), 1e-9), len(labels), 0)
        style: dict[str, Any] = {
            "cmap": "Blues",
            "vmin": 0,
            "vmax": 100,
            "interpolation": "nearest",
        }
        image = axes.imshow(table * 100, aspect="auto", extent=span, **style)
        axes.set_yticks(np.arange(len(labels)) + 0.5, labels, fontsize=11)
        axes.grid(visible=False)
        for row in range(1, len(labels)):
            axes.axhline(row, color=CAPACITY, linewidth=0.8)
        figure.colorbar(image, ax=axes, label="% of the node's GPUs in use", pad=0.01)
        axes.set_title(f"{record.name}: use of nodes")
        time_axis(axes, clock, record)
    return figure


def _no_nodes(record: RunRecord) -> "Figure":
    with drawing(record) as (figure, clock):
        axes = figure.subplots()
        axes.set(title=f"{record.name}: use of nodes", yticks=[])
        axes.text(0.5, 0.5, "no node with GPUs", ha="center", transform=axes.transAxes)
        time_axis(axes, clock, record)
    return figure


def node_use_over_time(record: RunRecord, nodes: Sequence[GpuNode], bins: int) -> Floats:
    """Return the mean share of GPUs in use; shape (nodes, bins), each bin an equal part of time."""
    rows = {node.name: row for row, node in enumerate(nodes)}
    edges = np.linspace(0, max(record.ended, 1), bins + 1)
    used = np.zeros((len(nodes), bins))
    for stay in stays(record):
        if stay.node in rows:
            overlap = np.minimum(edges[1:], stay.end) - np.maximum(edges[:-1], stay.start)
            used[rows[stay.node]] += overlap.clip(0) * len(stay.lanes)
    lanes = np.array([node.lanes for node in nodes])[:, None]
    share: Floats = used / np.diff(edges) / lanes
    return share


def _grouped(nodes: Sequence[GpuNode], table: Floats) -> tuple[list[str], Floats]:
    """Return one row per node, or means over groups of nodes of one pool where there are many."""
    if len(nodes) <= _MOST_ROWS:
        return [node.name for node in nodes], table
    size = -(-len(nodes) // _MOST_ROWS)
    starts = list(range(0, len(nodes), size))
    ends = [min(start + size, len(nodes)) - 1 for start in starts]
    labels = [f"{nodes[a].name} … {nodes[b].name}" for a, b in zip(starts, ends, strict=True)]
    means = [table[a : b + 1].mean(axis=0) for a, b in zip(starts, ends, strict=True)]
    return labels, np.array(means)
