"""A run's GPU nodes over time: which pool each is in and how many GPUs it offers.

Reads rows about nodes only; what pods hold is in `stays`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gpusched.api.quantity import Quantity
from gpusched.run.history import is_gpu
from gpusched.run.record import RunRecord
from gpusched.sim.journal import OBJECT_DELETED, OBJECT_WRITTEN

POOL_LABELS: Final = (
    "gpu-pool",
    "run.ai/simulated-gpu-node-pool",
    "nvidia.com/gpu.product",
    "node.kubernetes.io/instance-type",
)
"""The first of these labels that a node has names its pool."""
NO_POOL: Final = "gpu"


@dataclass(slots=True)
class GpuNode:
    """One node that offers GPUs at some time.

    Attributes:
        name: Its name.
        pool: Its pool.
        offers: (microseconds, GPUs from then on), ascending; a removed node offers none.
        closed: (microseconds, whether new pods are kept off from then on), ascending.
    """

    name: str
    pool: str
    offers: list[tuple[int, int]] = field(default_factory=list)
    closed: list[tuple[int, bool]] = field(default_factory=list)

    @property
    def lanes(self) -> int:
        """Return the most GPUs that it ever offers."""
        return max(gpus for _, gpus in self.offers)

    def gpus_at(self, at: int) -> int:
        """Return the GPUs that it offers at an instant."""
        return next((gpus for since, gpus in reversed(self.offers) if since <= at), 0)


def gpu_nodes(record: RunRecord) -> list[GpuNode]:
    """Return the nodes that ever offer GPUs, by pool and name; times before 0 count as 0."""
    nodes: dict[str, GpuNode] = {}
    for row in record.rows:
        at = max(0, row.at)
        if row.what is OBJECT_DELETED and row.detail[0] == "Node":
            _set(nodes[row.detail[2]].offers, at, 0)
        elif row.what is OBJECT_WRITTEN and row.detail["kind"] == "Node":
            _see(nodes, at, row.detail)
    found = (node for node in nodes.values() if node.lanes)
    return sorted(found, key=lambda node: (node.pool, _natural(node.name)))


def _see(nodes: dict[str, GpuNode], at: int, obj: Mapping[str, Any]) -> None:
    meta = obj["metadata"]
    node = nodes.setdefault(meta["name"], GpuNode(meta["name"], pool_of(meta.get("labels") or {})))
    allocatable = (obj.get("status") or {}).get("allocatable") or {}
    gpus = sum(Quantity.parse(q).value() for name, q in allocatable.items() if is_gpu(name))
    _set(node.offers, at, gpus)
    _set(node.closed, at, bool((obj.get("spec") or {}).get("unschedulable")))


def _set(column: list[tuple[int, Any]], at: int, value: Any) -> None:
    """Let a value hold from ``at`` on."""
    if column and column[-1][0] == at:
        column.pop()
    if not column or column[-1][1] != value:
        column.append((at, value))


def pool_of(labels: Mapping[str, str]) -> str:
    """Return the pool of a node with these labels.

    >>> pool_of({"gpu-pool": "a100", "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"})
    'a100'
    >>> pool_of({})
    'gpu'
    """
    return next((labels[name] for name in POOL_LABELS if name in labels), NO_POOL)


def pools(nodes: Iterable[GpuNode]) -> Sequence[str]:
    """Return the pools of nodes, in their order."""
    return list(dict.fromkeys(node.pool for node in nodes))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort ``node-10`` behind ``node-9``."""
    text = "".join(c if c.isdigit() else f"\0{c}\0" for c in name)
    parts = [part for part in text.split("\0") if part]
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
