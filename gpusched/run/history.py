"""A run over time: pods by phase and resources in use, as columns.

One row per instant at which something changed; a value holds until the next row.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gpusched.api.quantity import Quantity
from gpusched.run.replay import PodChange
from gpusched.sim.journal import OBJECT_DELETED, OBJECT_WRITTEN, Row
from gpusched.sim.pod import Pod, PodTemplate

Ints = npt.NDArray[np.int64]
PHASES: Final = ("Pending", "Running", "Succeeded", "Failed")
GPU_WORDS: Final = ("gpu", "/mig-")


def is_gpu(resource: str) -> bool:
    """Return whether an extended resource counts GPUs or slices of them.

    >>> [is_gpu(name) for name in ("nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "rdma/ib")]
    [True, True, False]
    """
    return "/" in resource and any(word in resource for word in GPU_WORDS)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Columns over time; all of shape (T,).

    Attributes:
        times: Microseconds since t = 0, ascending.
        phases: Pods in each phase; a deleted pod is in none.
        gpus: GPUs that pods hold on nodes, terminating pods included, finished ones not.
        capacity: Allocatable GPUs of all nodes.
    """

    times: Ints
    phases: Mapping[str, Ints]
    gpus: Ints
    capacity: Ints


@dataclass(slots=True)
class _Tally:
    phases: Counter[str] = field(default_factory=Counter)
    gpus: int = 0
    _asked: dict[PodTemplate, int] = field(default_factory=dict)

    def count(self, change: PodChange) -> None:
        for pod, sign in ((change.old, -1), (change.new, 1)):
            if pod is not None:
                self.phases[pod.phase] += sign
                if pod.node and not pod.terminal:
                    self.gpus += sign * self._gpus_of(pod)

    def _gpus_of(self, pod: Pod) -> int:
        known = self._asked.get(pod.template)
        if known is None:
            known = self._asked[pod.template] = gpus_of(pod)
        return known


def gpus_of(pod: Pod) -> int:
    """Return how many GPUs a pod asks for, over its containers."""
    total = 0
    for container in pod.spec.get("containers") or ():
        requests = (container.get("resources") or {}).get("requests") or {}
        total += sum(Quantity.parse(q).value() for name, q in requests.items() if is_gpu(name))
    return total


class Recorder:
    """A run over time as its journal is replayed."""

    def __init__(self) -> None:
        self._tally, self._capacity = _Tally(), _Capacity()
        self._times: list[int] = []
        self._samples: list[tuple[int, ...]] = []

    def see(self, row: Row, change: PodChange | None) -> None:
        """Take in the next row, and the write of a pod if it was one."""
        times, samples = self._times, self._samples
        if change is not None:
            self._tally.count(change)
        elif not self._capacity.see(row) and samples:
            return
        phases = self._tally.phases
        sample = (*(phases[phase] for phase in PHASES), self._tally.gpus, self._capacity.total)
        if times and times[-1] == row.at:
            samples[-1] = sample
        elif not samples or samples[-1] != sample:
            times.append(row.at)
            samples.append(sample)

    def history(self) -> History:
        """Return what was taken in."""
        samples = self._samples
        table = np.array(samples, np.int64).reshape(len(samples), len(PHASES) + 2)
        phases = {phase: table[:, index] for index, phase in enumerate(PHASES)}
        return History(np.array(self._times, np.int64), phases, table[:, -2], table[:, -1])


class _Capacity:
    """Allocatable GPUs of the nodes that exist."""

    def __init__(self) -> None:
        self._by_node: dict[str, int] = {}
        self.total = 0

    def see(self, row: Row) -> bool:
        """Take in a row about a node and return whether it was one; others say nothing here."""
        if row.what is OBJECT_DELETED and row.detail[0] == "Node":
            self._set(row.detail[2], 0)
            return True
        if row.what is OBJECT_WRITTEN and row.detail["kind"] == "Node":
            allocatable = (row.detail.get("status") or {}).get("allocatable") or {}
            gpus = sum(Quantity.parse(q).value() for name, q in allocatable.items() if is_gpu(name))
            self._set(row.detail["metadata"]["name"], gpus)
            return True
        return False

    def _set(self, node: str, gpus: int) -> None:
        self.total += gpus - self._by_node.get(node, 0)
        self._by_node[node] = gpus
