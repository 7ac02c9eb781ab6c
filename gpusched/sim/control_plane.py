"""The control plane: the store and its API, the controllers with their clients, KWOK.

The one place where they meet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256

import numpy as np

from gpusched.controllers.protocol import Controller
from gpusched.controllers.registry import default_controllers
from gpusched.kwok.stage import Stage
from gpusched.sim.api import Api
from gpusched.sim.calendar import EPOCH, SECOND, Calendar
from gpusched.sim.kubelet import Kubelet, NodeSelector, RunTime
from gpusched.sim.latency import ZERO, Latency
from gpusched.sim.loop import Loop
from gpusched.sim.stages import StagePlayer
from gpusched.sim.standstill import refuse_to_stand_still
from gpusched.sim.store import Store
from gpusched.sim.workers import Client, Worker

SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1"],
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "type": "ClusterIP",
    },
}


class ControlPlane:
    """Everything of a cluster but its scheduler.

    Args:
        start: The first instant, in microseconds; may lie before 0.
        seed: Seed of every random stream.
        latency: How long things take.
        epoch: Wall time of t = 0.
    """

    def __init__(
        self, start: int = 0, seed: int = 0, latency: Latency = ZERO, epoch: str = EPOCH
    ) -> None:
        self.seed = seed
        self.latency = latency
        self.loop = Loop(start)
        self.store = Store(self.loop, Calendar(epoch), latency.watch)
        self.loop.standing_still = partial(refuse_to_stand_still, self.store)
        self.api = Api(self.store, self.stream("names"))
        self.kubelets: dict[str, Kubelet] = {}
        self.workers: list[Worker] = []
        for name in SYSTEM_NAMESPACES:
            self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.api.create(_SERVICE)
        self.loop.at(start + latency.bootstrap, self._create_system_classes)

    def _create_system_classes(self) -> None:
        for name, value in SYSTEM_CLASSES.items():
            self.store.put(
                {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {"name": name},
                    "value": value,
                    "preemptionPolicy": "PreemptLowerPriority",
                }
            )

    def stream(self, purpose: str) -> np.random.Generator:
        """Return the random stream of one purpose; another purpose's draws do not shift it."""
        return np.random.default_rng([self.seed, *sha256(purpose.encode()).digest()[:8]])

    def start_controllers(self, at: int, controllers: Iterable[Controller] | None = None) -> None:
        """Start the controller manager: each controller with a client and a budget of its own.

        Args:
            at: When it starts; ticks count from here.
            controllers: Which controllers; all by default.
        """
        for controller in default_controllers() if controllers is None else controllers:
            worker = Worker(
                controller, Client(self.api, self.latency, controller.name, controller.pace)
            )
            worker.tick(at)
            self.workers.append(worker)

    def start_kwok(
        self,
        name: str = "kwok",
        args: Sequence[str] = (),
        stages: Sequence[Stage] = (),
        run_time: RunTime = lambda _: None,
    ) -> Kubelet:
        """Start a KWOK process with user-defined pod stages or, without any, the fast ones."""
        player = self._stage_player(name, stages) if stages else None
        kubelet = Kubelet(
            self.api, self.latency, self.store.leases, NodeSelector(tuple(args)), player, run_time
        )
        self.kubelets[name] = kubelet
        return kubelet

    def _stage_player(self, name: str, stages: Sequence[Stage]) -> StagePlayer:
        """Return what plays stages; its events are bound by no request budget, as KWOK's client."""
        client = Client(self.api, replace(self.latency, rate=None), "kwok_controller")
        rng = self.stream(f"stages/{name}")
        return StagePlayer(stages, self.store.calendar, rng, client.recorder)

    def run(self, until: int) -> None:
        """Play until an instant."""
        self.loop.run(until)


__all__ = ["SECOND", "ControlPlane", "Mapping"]
