"""A whole cluster in motion, driven by operations that can be written down and played again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpusched.api.config import default_configuration
from gpusched.controllers.protocol import ApiError
from gpusched.run.runtimes import run_times
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.latency import MODELS
from gpusched.sim.pod import Pod
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from gpusched.timeline.kubectl import Kubectl
from tests.laws.manifests import (
    AVOIDING,
    GPU,
    PRIORITIES,
    RUN_TIMES,
    SHAPES,
    TAINT,
    WORKLOADS,
    Json,
    budget,
    node,
    pod,
    priority_class,
    template,
    workload,
)

Operation = tuple[str, tuple[Any, ...]]
BEGIN = -10 * SECOND
_CLASSES = tuple(PRIORITIES)
_SPIN = 5_000
"""Writes of pods at one instant after which time is said to stand still."""
_EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")


@dataclass(slots=True)
class Lab:
    """A control plane with its scheduler; numbers in operations are taken modulo what there is.

    Attributes:
        engine: The scheduler's engine.
        seed: The seed of all random streams.
        latency: The name of the latency model.
        nodes: Kinds of the nodes that are there at the start.
        history: Every operation so far.
    """

    engine: str = "auto"
    seed: int = 0
    latency: str = "zero"
    nodes: tuple[int, ...] = (0, 3, 4)
    history: list[Operation] = field(default_factory=list)
    plane: ControlPlane = field(init=False)
    scheduler: Scheduler = field(init=False)
    kubectl: Kubectl = field(init=False)
    _named: int = 0
    _instant: tuple[int, int] = (BEGIN, 0)

    def __post_init__(self) -> None:
        self.plane = ControlPlane(BEGIN, self.seed, MODELS[self.latency])
        stream = self.plane.stream("preemption")
        options = SchedulerOptions(
            draw=lambda bound: int(stream.integers(bound)), started=BEGIN, engine=self.engine
        )
        self.scheduler = start_scheduler(self.plane, default_configuration(), options)
        self.plane.start_controllers(BEGIN)
        draws = run_times((), self.plane.stream("runtimes"))
        self.plane.start_kwok("kwok", ["--manage-all-nodes"], (), draws)
        self.kubectl = Kubectl(self.plane)
        self.plane.store.watch("Pod", lambda _: self._check_that_time_passes())
        for name in _CLASSES:
            self.plane.api.create(priority_class(name))
        for shape in self.nodes:
            self.add_node(shape)
        self.plane.run(0)

    def _check_that_time_passes(self) -> None:
        at, writes = self._instant
        now = self.plane.loop.now
        self._instant = (now, writes + 1 if at == now else 1)
        assert writes < _SPIN, f"time stands still at {now}"

    def do(self, name: str, *arguments: Any) -> None:
        """Carry out an operation and write it down; what the API server refuses is no fault."""
        self.history.append((name, arguments))
        action: Callable[..., None] = getattr(self, name)
        try:
            action(*arguments)
        except ApiError as refusal:
            assert refusal.code in (404, 409, 422, 429, 403), refusal  # noqa: PT017 - a law

    def play(self, operations: Iterable[Operation]) -> "Lab":
        """Carry out what another lab has written down."""
        for name, arguments in operations:
            self.do(name, *arguments)
        return self

    # --- time -------------------------------------------------------------------------------------

    def advance(self, micros: int) -> None:
        """Let time pass."""
        self.plane.run(self.plane.loop.now + micros)

    # --- pods -------------------------------------------------------------------------------------

    def create_pod(self, shape: int, priority: int, run_time: int, gated: bool, grace: int) -> None:
        """Create a bare pod."""
        body = template(shape, _priority(shape, priority), RUN_TIMES[run_time])
        self.plane.api.create(pod(self._name("p"), body, gated=gated, grace=grace))

    def delete_pod(self, number: int, grace: int | None) -> None:
        """Delete a pod, gracefully or at once."""
        found = self._pod(number)
        if found:
            delete(self.plane.store, "Pod", found.key, grace)

    def finish_pod(self, number: int, failed: bool) -> None:
        """Let a running pod end."""
        running = [item for item in self.plane.store.pods() if item.phase == "Running"]
        if running:
            key = running[number % len(running)].key
            self.plane.api.patch_pod(key, phase="Failed" if failed else "Succeeded")

    def ungate(self, number: int) -> None:
        """Take the gates from a pod."""
        gated = [item for item in self.plane.store.pods() if item.template.gated]
        if gated:
            body = {"spec": {"schedulingGates": None}}
            self.plane.api.patch("Pod", gated[number % len(gated)].key, body, "merge")

    def relabel_pod(self, number: int, close: bool) -> None:
        """Change the label by which pods seek and avoid each other."""
        found = self._pod(number)
        if found:
            body = {"metadata": {"labels": {"app": "close" if close else "far"}}}
            self.plane.api.patch("Pod", found.key, body, "merge")

    # --- workloads --------------------------------------------------------------------------------

    def create_workload(
        self, kind: int, replicas: int, shape: int, priority: int, run_time: int
    ) -> None:
        """Create a workload; only a Job's pods end by themselves."""
        name = WORKLOADS[kind % len(WORKLOADS)]
        ends = RUN_TIMES[run_time] if name == "Job" else ""
        body = template(shape, _priority(shape, priority), ends)
        self.plane.api.create(workload(name, self._name("w"), replicas, body))

    def delete_workload(self, number: int, propagation: str) -> None:
        """Delete a workload."""
        found = self._workload(number, WORKLOADS)
        if found:
            delete(self.plane.store, found["kind"], _key(found), None, propagation)

    def scale(self, number: int, replicas: int) -> None:
        """Scale a workload."""
        found = self._workload(number, ("Deployment", "ReplicaSet", "StatefulSet"))
        if found:
            self.plane.api.scale(found["kind"], _key(found), replicas)

    def roll(self, number: int, shape: int, recreate: bool) -> None:
        """Give a Deployment another kind of pods."""
        found = self._workload(number, ("Deployment",))
        if found:
            labels = found["spec"]["selector"]["matchLabels"]
            body = template(shape, _priority(shape, 1))
            body["metadata"]["labels"] |= labels
            strategy = {"type": "Recreate" if recreate else "RollingUpdate"}
            changes = [
                {"op": "replace", "path": "/spec/template", "value": body},
                {"op": "replace", "path": "/spec/strategy", "value": strategy},
            ]
            self.plane.api.patch("Deployment", _key(found), changes, "json")

    def set_budget(self, shape: int, least: int) -> None:
        """Protect the pods of a shape, or no longer."""
        name = f"b{shape}"
        if self.plane.store.get("PodDisruptionBudget", "default", name):
            delete(self.plane.store, "PodDisruptionBudget", ("default", name))
        else:
            self.plane.api.create(budget(name, shape % len(SHAPES), least))

    # --- nodes ------------------------------------------------------------------------------------

    def add_node(self, shape: int) -> None:
        """Add a node."""
        self.plane.api.create(node(self._name("n"), shape))

    def remove_node(self, number: int) -> None:
        """Delete a node's object."""
        name = self._node(number)
        if name:
            delete(self.plane.store, "Node", ("", name))

    def set_gpus(self, number: int, gpus: int) -> None:
        """Lose or regain GPUs."""
        name = self._node(number)
        if name:
            body = {"status": {"allocatable": {GPU: str(gpus)}}}
            self.plane.api.patch("Node", ("", name), body, "merge", "status")

    def move_pool(self, number: int, pool: str) -> None:
        """Label a node anew."""
        self._run("label node {} pool=" + pool + " --overwrite", number)

    def cordon(self, number: int) -> None:
        """Cordon a node."""
        self._run("cordon {}", number)

    def uncordon(self, number: int) -> None:
        """Uncordon a node."""
        self._run("uncordon {}", number)

    def drain(self, number: int) -> None:
        """Begin to drain a node; it goes on for a minute at most."""
        flags = "--ignore-daemonsets --force --delete-emptydir-data --timeout=60s"
        self._run("drain {} " + flags, number)

    def taint(self, number: int, effect: int) -> None:
        """Taint a node."""
        self._run("taint nodes {} " + f"{TAINT}=x:{_EFFECTS[effect]} --overwrite", number)

    def untaint(self, number: int, effect: int) -> None:
        """Remove a taint."""
        self._run("taint nodes {} " + f"{TAINT}:{_EFFECTS[effect]}-", number)

    def silence(self) -> None:
        """Stop KWOK: no heartbeats, no pod starts or ends."""
        self.plane.kubelets["kwok"].stop()

    def wake(self) -> None:
        """Start KWOK again."""
        self.plane.kubelets["kwok"].start()

    # --- picking ----------------------------------------------------------------------------------

    def _name(self, prefix: str) -> str:
        self._named += 1
        return f"{prefix}{self._named}"

    def _pod(self, number: int) -> Pod | None:
        found = list(self.plane.store.pods())
        return found[number % len(found)] if found else None

    def _node(self, number: int) -> str:
        found = self.plane.store.objects("Node")
        return str(found[number % len(found)]["metadata"]["name"]) if found else ""

    def _workload(self, number: int, kinds: Sequence[str]) -> Json | None:
        found = [obj for kind in kinds for obj in self.plane.store.objects(kind)]
        return found[number % len(found)] if found else None

    def _run(self, line: str, number: int) -> None:
        name = self._node(number)
        if name:
            self.kubectl.run(line.format(name), "", lambda _: None)


def _priority(shape: int, number: int) -> str:
    """Return a priority; pods that avoid others must not preempt them.

    A nomination does not keep those others out (InterPodAffinity's PreFilter skips pods without
    terms before it hears of nominated ones), so a preemptor and its victims' replacements would
    chase each other for ever, upstream as here, and without latency all at one instant.
    """
    return "low" if shape % len(SHAPES) in AVOIDING else _CLASSES[number % len(_CLASSES)]


def _key(obj: Json) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]
