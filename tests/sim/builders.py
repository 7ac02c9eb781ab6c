"""A control plane without latency, and a first-fit binder in place of a scheduler."""

from typing import Any

from gpusched.controllers import node_terms
from gpusched.controllers.protocol import Change
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import ZERO, Latency
from gpusched.sim.pod import Pod

Json = dict[str, Any]
GPU = "nvidia.com/gpu"


def node(name: str, gpus: int = 8, **labels: str) -> Json:
    size = {"cpu": "96", "memory": "1Ti", "pods": "110", GPU: str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": size, "capacity": size},
    }


def pod_spec(gpus: int = 1, **fields: Any) -> Json:
    container = {"name": "c", "image": "x", "resources": {"limits": {GPU: str(gpus)}}}
    return {"containers": [container], **fields}


def pod(name: str, gpus: int = 1, **fields: Any) -> Json:
    meta = {"name": name, "namespace": "default", "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(gpus, **fields)}


def workload(kind: str, name: str, replicas: int, gpus: int = 1, **fields: Any) -> Json:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(gpus)},
            **fields,
        },
    }


def job(name: str, completions: int, parallelism: int) -> Json:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "completions": completions,
            "parallelism": parallelism,
            "template": {"spec": pod_spec(restartPolicy="Never")},
        },
    }


def gpus_of(bound: Pod) -> int:
    containers = bound.spec["containers"]
    return sum(int(item["resources"]["limits"].get(GPU, 0)) for item in containers)


class FirstFit:
    """Binds each waiting pod to the first untainted node with enough free GPUs."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        plane.store.watch("Pod", self._see)
        plane.store.watch("Node", self._see)

    def _see(self, change: Change) -> None:
        del change
        self.plane.loop.soon(self.bind_all)

    def bind_all(self) -> None:
        for waiting in list(self.plane.store.pods()):
            if not waiting.node and waiting.deletion is None:
                self._bind(waiting)

    def _bind(self, waiting: Pod) -> None:
        for found in self.plane.store.objects("Node"):
            fits = node_terms.admits(waiting.spec, found)
            if fits and self._free(found) >= gpus_of(waiting):
                self.plane.api.bind(waiting.key, found["metadata"]["name"])
                return

    def _free(self, found: Json) -> int:
        spec = found.get("spec") or {}
        if spec.get("taints") or spec.get("unschedulable"):
            return -1
        here = self.plane.store.pods_on(found["metadata"]["name"])
        used = sum(gpus_of(item) for item in here if not item.terminal)
        return int(found["status"]["allocatable"][GPU]) - used


def plane(
    *nodes: Json, latency: Latency = ZERO, seed: int = 0, kwoks: tuple[str, ...] = ()
) -> ControlPlane:
    """Return a running control plane with some nodes, all ready.

    Args:
        nodes: The nodes.
        latency: How long things take.
        seed: Seed of the random streams.
        kwoks: KWOK processes, each for nodes with its name in the label ``kwok``; one for all nodes
            by default.
    """
    built = ControlPlane(0, seed, latency)
    for name in kwoks:
        built.start_kwok(name, [f"--manage-nodes-with-label-selector=kwok={name}"])
    if not kwoks:
        built.start_kwok(args=["--manage-all-nodes=true"])
    built.start_controllers(0)
    FirstFit(built)
    for item in nodes:
        built.api.create(item)
    built.run(1)
    return built
