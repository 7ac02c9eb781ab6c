"""Pods on GPUs: from when to when each held which GPUs of which node.

Kubernetes counts GPUs and does not say which of a node's devices a pod gets; the lanes here are
ours: a pod takes the lowest-numbered lanes that are free when it is bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.run.lives import Life
from gpusched.run.record import RunRecord

FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Stay:
    """One pod's time on a node. Times are microseconds since t = 0.

    Attributes:
        index: The pod's place among ``record.lives``.
        life: The pod.
        node: The node's name.
        start: When it was bound.
        end: When it finished or was removed; the end of the run if it did neither.
        lanes: The GPUs of the node that it holds, ascending.
    """

    index: int
    life: Life
    node: str
    start: int
    end: int
    lanes: tuple[int, ...]


def held_until(life: Life) -> int:
    """Return when a pod gives its GPUs back; `FOREVER` if it does not."""
    ends = [at for at in (life.finished, life.removed) if at is not None]
    return min(ends, default=FOREVER)


def waits_until(life: Life) -> int:
    """Return when a pod stops waiting: bound, ended or removed; `FOREVER` if it does not."""
    return min(FOREVER if life.bound is None else life.bound, held_until(life))


def stays(record: RunRecord) -> list[Stay]:
    """Return the stays of all pods that ask for GPUs, in order of binding."""
    bound = [
        (life.bound, index, life)
        for index, life in enumerate(record.lives)
        if life.bound is not None and life.gpus
    ]
    taken: dict[str, list[int]] = {}
    found = []
    for start, index, life in sorted(bound, key=lambda item: item[:2]):
        until = held_until(life)
        lanes = _take(taken.setdefault(life.pod.node, []), start, until, life.gpus)
        end = min(until, record.ended)
        found.append(Stay(index, life, life.pod.node, max(0, start), end, lanes))
    return found


def _take(ends: list[int], start: int, until: int, count: int) -> tuple[int, ...]:
    """Take the lowest free lanes; ``ends`` holds when each lane becomes free and grows as needed.

    >>> ends = [5, 9]
    >>> _take(ends, 5, 8, 2), ends
    ((0, 2), [8, 9, 8])
    """
    free = [lane for lane, end in enumerate(ends) if end <= start][:count]
    free += range(len(ends), len(ends) + count - len(free))
    ends += [0] * (1 + free[-1] - len(ends))
    for lane in free:
        ends[lane] = until
    return tuple(free)


def workload_of(life: Life) -> str:
    """Return what a pod belongs to: ``namespace/owner``, or itself if nothing owns it.

    A Deployment's pods are owned by a ReplicaSet whose name ends in the template's hash.
    """
    pod = life.pod
    if pod.owner is None:
        return f"{pod.namespace}/{pod.name}"
    kind, name, _ = pod.owner
    suffix = f"-{pod.labels.get('pod-template-hash')}"
    if kind == "ReplicaSet" and name.endswith(suffix):
        name = name.removesuffix(suffix)
    return f"{pod.namespace}/{name}"


def workloads(lives: Sequence[Life]) -> list[str]:
    """Return all workloads, in order of first appearance."""
    return list(dict.fromkeys(workload_of(life) for life in lives))
