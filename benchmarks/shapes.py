"""The shapes that are measured: a cluster, pods, and what the real scheduler is asked to do beside.

Nodes and pods are those of the comparison program (`conformance/cmd/bench`): three zones, eight,
eight and four GPUs, the KWOK taint; pods ask for one CPU, 4Gi and GPUs, unless a shape says else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np

Json = dict[str, Any]
TOLERATION: Final = {
    "key": "kwok.x-k8s.io/node",
    "operator": "Equal",
    "value": "fake",
    "effect": "NoSchedule",
}
SELECTOR: Final = {"matchLabels": {"app": "a"}}
ZONE: Final = "topology.kubernetes.io/zone"


def gpus_in_turn(index: int) -> int:
    """Return the GPUs of the ``index``-th node: eight, eight, four, and so on."""
    return (8, 8, 4)[index % 3]


def plain(_index: int) -> Json:
    """Return a spec that asks for one GPU."""
    return spec(gpus=1)


def spec(gpus: int, cpu: str = "1", memory: str = "4Gi", **more: Any) -> Json:
    """Return a pod's spec."""
    asked: Json = {"cpu": cpu, "memory": memory}
    if gpus:
        asked["nvidia.com/gpu"] = str(gpus)
    container = {"name": "c", "image": "x", "resources": {"requests": asked, "limits": asked}}
    return {"tolerations": [TOLERATION], "containers": [container], **more}


def indexed(index: int) -> Json:
    """Return a spec whose container is told its number."""
    pod = spec(gpus=1)
    pod["containers"][0]["command"] = ["train", "--index", str(index)]
    return pod


def too_big(_index: int) -> Json:
    """Return a spec that no node can hold."""
    return spec(gpus=16)


def spread(_index: int) -> Json:
    """Return a spec with a hard spread over zones."""
    constraint = {
        "maxSkew": 5,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": SELECTOR,
    }
    return spec(gpus=1, topologySpreadConstraints=[constraint])


def affine(_index: int) -> Json:
    """Return a spec that wants its like in its zone."""
    term = {"labelSelector": SELECTOR, "topologyKey": ZONE, "namespaces": ["default"]}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return spec(gpus=1, affinity=affinity)


def one_of_128(index: int) -> Json:
    """Return one of 128 specs: sizes, selectors, preferred zones."""
    kind = index % 128
    more: Json = {}
    if kind % 4 == 1:
        more["nodeSelector"] = {ZONE: f"z{kind % 3}"}
    if kind % 4 == 2:  # noqa: PLR2004 - a quarter of them
        expression = {"key": ZONE, "operator": "In", "values": [f"z{kind % 3}"]}
        term = {"weight": 1 + kind % 50, "preference": {"matchExpressions": [expression]}}
        more["affinity"] = {
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}
        }
    cpu, memory = f"{100 * (1 + kind % 16)}m", f"{256 * (1 + kind % 24)}Mi"
    return spec(kind % 3, cpu, memory, **more)


def low(_index: int) -> Json:
    """Return the spec of a pod that may be preempted."""
    return spec(gpus=1, priority=0)


@cache
def drawn(index: int) -> tuple[int, int, int]:
    """Return GPUs, milli-CPU and GiB of the ``index``-th pod of a training cluster."""
    rng = np.random.default_rng([7, index])
    gpus = int(rng.choice([0, 1, 2, 4], p=[0.35, 0.5, 0.1, 0.05]))
    return gpus, int(rng.choice([500, 1000, 2000, 4000, 8000])), int(rng.choice([1, 4, 8, 16]))


def mixed(index: int) -> Json:
    """Return specs as a training cluster sees them: many small, some large, none alike in CPU."""
    gpus, cpu, memory = drawn(index)
    return spec(gpus, f"{cpu}m", f"{memory}Gi")


@dataclass(frozen=True, slots=True)
class Shape:
    """One measurement.

    Attributes:
        nodes: How many nodes.
        pods: How many pods are created at once and timed.
        pod: Returns the spec of the n-th pod.
        gpus: Returns the GPUs of the n-th node.
        percentage: ``percentageOfNodesToScore``; 0 is the adaptive default.
        filled: Fill every GPU with pods of low priority first; not timed.
        priority: The priority of the timed pods.
        real: Arguments of the comparison program; None if it cannot do the shape.
        real_pods: How many pods it is given, so that it ends in a minute.
        target: What was aimed at, for the table.
        draws: Whether pods are drawn at random; that is done before the clock starts.
        labels: The pods' labels.
        deployed: Whether one Deployment makes the pods.
    """

    nodes: int
    pods: int
    pod: Callable[[int], Json] = plain
    gpus: Callable[[int], int] = gpus_in_turn
    percentage: int = 0
    filled: bool = False
    priority: int = 0
    real: tuple[str, ...] | None = None
    real_pods: int = 0
    target: str = ""
    draws: bool = False
    labels: Json = field(default_factory=lambda: {"app": "a"})
    deployed: bool = False

    def prepare(self) -> None:
        """Draw what is drawn at random."""
        for index in range(self.pods if self.draws else 0):
            drawn(index)

    def manifests(self) -> Iterator[Json]:
        """Yield the timed pods, or who makes them."""
        if self.deployed:
            yield deployment(self.pods, self.pod(0), self.labels)
            return
        for index in range(self.pods):
            pod = self.pod(index)
            if self.priority:
                pod = {**pod, "priorityClassName": "high"}
            yield manifest(f"pod-{index:07d}", pod, self.labels)


def manifest(name: str, pod: Json, labels: Json) -> Json:
    """Return a pod's manifest."""
    meta = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}


def deployment(replicas: int, pod: Json, labels: Json) -> Json:
    """Return the manifest of a Deployment."""
    template = {"metadata": {"labels": labels}, "spec": pod}
    selector = {"matchLabels": labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def node(index: int, gpus: int) -> Json:
    """Return the n-th node's manifest."""
    name = f"node-{index:06d}"
    allocatable = {"cpu": "96", "memory": "1024Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, ZONE: f"z{index % 3}"},
        },
        "spec": {"taints": [{"key": TOLERATION["key"], "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": allocatable, "capacity": allocatable},
    }


SHAPES: Final[dict[str, Shape]] = {
    "gpu-5000": Shape(5000, 10_000, real=("gpu",), real_pods=10_000, target=">= 20x"),
    "gpu-5000-all": Shape(
        5000, 10_000, percentage=100, real=("gpu", "all"), real_pods=1000, target=">= 100x"
    ),
    "unschedulable-5000": Shape(
        5000, 10_000, too_big, real=("unschedulable",), real_pods=500, target=">= 100x"
    ),
    "spread-5000": Shape(5000, 10_000, spread, real=("spread",), real_pods=2000, target=">= 10x"),
    "deployment-5000": Shape(
        5000, 10_000, deployed=True, real=("deployment",), real_pods=2000, target=">= 10x"
    ),
    "affinity-5000": Shape(
        5000, 10_000, affine, real=("affinity",), real_pods=1000, target=">= 10x"
    ),
    "shapes-5000": Shape(
        5000, 10_000, one_of_128, real=("shapes",), real_pods=5000, target=">= 10x"
    ),
    "indexed-5000": Shape(5000, 10_000, indexed),
    "preempt-5000": Shape(
        5000,
        1000,
        filled=True,
        priority=1000,
        real=("preempt",),
        real_pods=200,
        target=">= 10x",
    ),
    "mixed-1200": Shape(
        1200,
        7064,
        mixed,
        real=("mixed",),
        real_pods=7064,
        target="<= 0.6 s, <= 150 MB",
        draws=True,
    ),
    "gpu-500": Shape(500, 4000, gpus=lambda _index: 8, target="<= 0.3 s, <= 120 MB"),
    "gpu-100000": Shape(100_000, 1_000_000, gpus=lambda _index: 16, target="<= 60 s, <= 2 GB"),
}
