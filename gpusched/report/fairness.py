"""How evenly namespaces get the GPUs that they ask for, over time.

Source: Jain, Chiu and Hawe, A Quantitative Measure of Fairness, DEC-TR-301, 1984.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from gpusched.report.stays import FOREVER, held_until, waits_until
from gpusched.report.steps import Steps, counted
from gpusched.run.lives import Life
from gpusched.run.record import RunRecord

_RIVALS: Final = 2
"""Nobody is treated unfairly where fewer namespaces than this want something."""


def jain(shares: Iterable[float]) -> float:
    """Return Jain's index of some shares: 1 if all are equal, 1/n if one of n has everything.

    >>> jain([0.5, 0.5]), jain([1.0, 0.0, 0.0, 0.0]), jain([0.0, 0.0])
    (1.0, 0.25, 1.0)
    """
    values = list(shares)
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def gpus_by_namespace(record: RunRecord) -> dict[str, tuple[Steps, Steps]]:
    """Return the GPUs that each namespace's pods hold, and hold or wait for, over time."""
    lives: dict[str, list[Life]] = {}
    for life in record.lives:
        if life.gpus:
            lives.setdefault(life.pod.namespace, []).append(life)
    found = {}
    for namespace, members in sorted(lives.items()):
        held = [(_bound(life), held_until(life), life.gpus) for life in members]
        waiting = [(life.created, waits_until(life), life.gpus) for life in members]
        found[namespace] = (counted(held, record.ended), counted(held + waiting, record.ended))
    return found


def _bound(life: Life) -> int:
    return FOREVER if life.bound is None else life.bound


def fairness(record: RunRecord) -> tuple[float, int] | None:
    """Return the mean of Jain's index over time, and over how many microseconds.

    At each instant the index is taken over the namespaces that want GPUs, of the part of their
    wish that they hold. Instants at which fewer than two namespaces want GPUs do not count.
    """
    columns = list(gpus_by_namespace(record).values())
    if len(columns) < _RIVALS:
        return None
    times = np.unique(np.concatenate([wanted.times for _, wanted in columns]))
    held = np.array([column.at(times[:-1]) for column, _ in columns])
    wanted = np.array([column.at(times[:-1]) for _, column in columns])
    lengths = np.diff(times)
    total, length = 0.0, 0
    for index in np.flatnonzero((wanted > 0).sum(axis=0) >= _RIVALS):
        wish = wanted[:, index]
        total += jain((held[:, index][wish > 0] / wish[wish > 0]).tolist()) * int(lengths[index])
        length += int(lengths[index])
    return (total / length, length) if length else None
