"""Plots over time: one function each, returning the figure; matplotlib is imported when drawn."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gpusched.report.canvas import drawing, legend_above, stacked, stepped, time_axis, whole_numbers
from gpusched.report.gpus import gpu_use
from gpusched.report.maps import gantt, heat
from gpusched.report.steps import Ints, Steps
from gpusched.report.style import (
    CAPACITY,
    FREE,
    IN_USE,
    LOOKS,
    PHASE_COLOURS,
    PHASE_LINES,
    UNUSABLE,
    Look,
    looks,
)
from gpusched.report.waiting import queue_depths, reasons_over_time, waiting_times
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import SECOND

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PHASE_HATCHES = {"Running": "", "Pending": "///", "Succeeded": "...", "Failed": "xxx"}
_MOST_REASONS = 6
_QUEUE_LOOKS = (LOOKS[1], LOOKS[2], LOOKS[0])
"""The deepest part of the queue flickers most, so its line is the solid one."""


def _phase_look(phase: str) -> Look:
    return Look(PHASE_COLOURS[phase], _PHASE_HATCHES[phase], PHASE_LINES[phase])


def _from_zero(record: RunRecord, values: Ints) -> Steps:
    """Return a column of the run's history as steps from t = 0 to the end."""
    times = record.history.times
    inside = times[(times > 0) & (times < record.ended)]
    at = np.unique(np.concatenate([[0], inside, [record.ended]]))
    position = np.searchsorted(times, at, side="right") - 1
    return Steps(at, np.where(position >= 0, values[position.clip(0)], 0) if len(times) else at * 0)


def pending(record: RunRecord) -> "Figure":
    """Return pods waiting and running, and GPUs in use, over time."""
    history = record.history
    with drawing(record) as (figure, clock):
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        top = 0
        for phase in ("Running", "Pending"):
            column = _from_zero(record, history.phases[phase])
            label = f"{phase} ({column.last} at the end)"
            stepped(above, clock, column, _phase_look(phase), label)
            top = max(top, int(column.values.max()))
        above.set(ylabel="pods")
        above.set_title(f"{record.name}: pods waiting and running", pad=30)
        whole_numbers(above, top)
        legend_above(above)
        used = _from_zero(record, history.gpus)
        capacity = _from_zero(record, history.capacity)
        below.fill_between(
            clock(used.times), used.values, step="post", color=IN_USE, alpha=0.35, linewidth=0
        )
        stepped(below, clock, used, LOOKS[0], "in use")
        stepped(below, clock, capacity, Look(CAPACITY, "", ":"), "allocatable")
        below.set(ylabel="GPUs")
        whole_numbers(below, float(capacity.values.max()))
        legend_above(below)
        time_axis(below, clock, record)
    return figure


def phases(record: RunRecord) -> "Figure":
    """Return the number of pods in each phase over time, stacked."""
    columns = {
        phase: _from_zero(record, values)
        for phase, values in record.history.phases.items()
        if values.any()
    }
    with drawing(record) as (figure, clock):
        axes = figure.subplots()
        stacked(axes, clock, columns, {phase: _phase_look(phase) for phase in columns})
        axes.set(ylabel="pods")
        axes.set_title(f"{record.name}: pods by phase", pad=30)
        legend_above(axes, 4)
        time_axis(axes, clock, record)
    return figure


def gpus(record: RunRecord) -> "Figure":
    """Return each pool's GPUs over time: in use, unusable, free (see `gpusched.report.gpus`)."""
    use = gpu_use(record)
    rows = max(1, len(use.pools))
    wanted = {"in use": Look(IN_USE, "", "-"), "unusable": Look(UNUSABLE, "xxx", "-")}
    wanted["free"] = Look(FREE, "", "-")
    with drawing(record, height=2.0 + 1.8 * rows) as (figure, clock):
        panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
        for axes, (pool, columns) in zip(panels, use.pools.items(), strict=False):
            parts = {"in use": columns.used, "unusable": columns.unusable, "free": columns.free}
            stacked(axes, clock, parts, wanted)
            axes.set(ylabel=f"{pool}\nGPUs")
        panels[0].set_title(f"{record.name}: GPUs by pool", pad=30)
        legend_above(panels[0])
        time_axis(panels[-1], clock, record)
    return figure


def waiting(record: RunRecord) -> "Figure":
    """Return by priority which share of pods was bound within which time."""
    found = waiting_times(record.lives, record.ended)
    with drawing(record) as (figure, _):
        axes = figure.subplots()
        for (priority, (times, never)), look in zip(
            found.items(), looks(map(str, found)).values(), strict=True
        ):
            total = len(times) + never
            left = f", {never} never bound" if never else ""
            label = f"priority {priority}: {total} pods{left}"
            seconds = np.array([0, *times, max([record.ended, *times])]) / SECOND
            share = np.minimum(np.arange(len(times) + 2), len(times)) / total * 100
            style: dict[str, Any] = {"color": look.colour, "linestyle": look.line}
            axes.step(seconds, share, where="post", label=label, **style)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlim(0, max(1.0, record.ended / SECOND))
        axes.set(xlabel="seconds from creation to binding (logarithmic above 1)")
        axes.set(ylabel="% of pods bound", ylim=(0, 103))
        pad = 12 + 20 * -(-len(found) // 2)
        axes.set_title(f"{record.name}: waiting time by priority", pad=pad)
        legend_above(axes, 2)
    return figure


def reasons(record: RunRecord) -> "Figure":
    """Return how many pods wait over time, by the reason that refused most nodes."""
    found = reasons_over_time(record)
    shown = dict(list(found.items())[:_MOST_REASONS])
    with drawing(record) as (figure, clock):
        axes = figure.subplots()
        stacked(axes, clock, shown, looks(shown))
        left = len(found) - len(shown)
        axes.set(ylabel="waiting pods")
        more = f" (the {_MOST_REASONS} most frequent of {len(found)})" if left else ""
        title = f"{record.name}: why pods wait{more}"
        axes.set_title(title, pad=12 + 20 * -(-len(shown) // 2))
        legend_above(axes, 2)
        time_axis(axes, clock, record)
    return figure


def queues(record: RunRecord) -> "Figure":
    """Return the depths of the scheduler's queue over time: active, backoff, unschedulable."""
    depths = queue_depths(record)
    with drawing(record) as (figure, clock):
        axes = figure.subplots()
        for (name, column), look in zip(depths.items(), _QUEUE_LOOKS, strict=True):
            most = int(column.values.max())
            stepped(axes, clock, column, look, f"{name} (at most {most})")
        axes.set(ylabel="pods")
        axes.set_title(f"{record.name}: the scheduler's queue", pad=30)
        whole_numbers(axes, float(max(column.values.max() for column in depths.values())))
        legend_above(axes)
        time_axis(axes, clock, record)
    return figure


def all_plots() -> Mapping[str, Callable[[RunRecord], "Figure"]]:
    """Return every plot of a run by its name."""
    drawn = (pending, phases, gpus, gantt, heat, waiting, reasons, queues)
    return {plot.__name__: plot for plot in drawn}
