"""Families of random cases: each leans on one topic; two combine everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.decide import devices, owners, placing, pods, storage
from conformance.decide.configurations import configuration
from conformance.decide.draw import Draw
from conformance.decide.nodes import nodes
from conformance.decide.pods import Taste
from gpusched.decide.accepting import accept

Json = dict[str, Any]


_SEVERAL = 0.2


@dataclass(frozen=True, slots=True)
class Family:
    """What the cases of a family are like.

    Attributes:
        taste: What its pods have.
        nodes: Fewest and most nodes, but for the one case in a hundred that has more or none.
        pending: Fewest and most pods in the queue.
        load: Bound pods per node, at the most.
        taints: Chance of taints per node.
        cordoned: Chance of a cordoned node.
        config: Chance of a configuration.
        wrong: Chance of mistakes in it.
        nominated: Chance of a nomination per waiting pod.
        budgets: Chance of disruption budgets.
        volumes: Whether there are volumes.
        devices: Whether there are devices.
        tight: Whether small nodes and greedy pods make preemption likely.
        owned: Chance of an owner per pod.
        several: Chance of a second profile in a configuration.
        sampled: Chance of percentageOfNodesToScore per profile.
    """

    taste: Taste
    nodes: tuple[int, int] = (1, 10)
    pending: tuple[int, int] = (1, 8)
    load: int = 2
    taints: float = 0.1
    cordoned: float = 0.05
    config: float = 0.0
    wrong: float = 0.0
    nominated: float = 0.0
    budgets: float = 0.0
    volumes: bool = False
    devices: bool = False
    tight: bool = False
    owned: float = 0.0
    several: float = _SEVERAL
    sampled: float = 0.0


_RICH = Taste(
    extended=0.04, odd=0.15, init=0.12, ports=0.12, tolerations=0.4, node_affinity=0.25,
    pod_affinity=0.25, spread=0.25, priority=0.4, gates=0.02, small=0.6,
)  # fmt: skip

FAMILIES: Mapping[str, Family] = {
    "resources": Family(Taste(extended=0.12, odd=0.4, init=0.35, small=0.3)),
    "taints": Family(Taste(tolerations=0.8), taints=0.7, cordoned=0.15),
    "nodeaffinity": Family(Taste(node_affinity=0.9), config=0.15),
    "ports_misc": Family(Taste(ports=0.6, odd=0.3, gates=0.1), cordoned=0.1),
    "spread": Family(Taste(spread=0.9, pod_affinity=0.05), load=4, config=0.1),
    "interpod": Family(Taste(pod_affinity=0.9), load=3, config=0.15),
    "preemption": Family(
        Taste(priority=0.9, small=0.3, ports=0.1, pod_affinity=0.1, spread=0.1),
        pending=(1, 4),
        load=5,
        nominated=0.15,
        budgets=0.6,
        tight=True,
    ),  # fmt: skip
    "config": Family(
        Taste(tolerations=0.3, node_affinity=0.3, pod_affinity=0.2, spread=0.2, priority=0.2),
        config=1.0,
        wrong=0.3,
        taints=0.3,
    ),  # fmt: skip
    "volumes": Family(Taste(priority=0.2), volumes=True),
    "dra": Family(Taste(priority=0.1), devices=True),
    "mixed": Family(_RICH, load=4, config=0.3, nominated=0.05, budgets=0.3, taints=0.3),
    "combo": Family(
        _RICH,
        load=3,
        config=0.3,
        wrong=0.02,
        nominated=0.08,
        budgets=0.3,
        taints=0.3,
        volumes=True,
        devices=True,
        tight=True,
    ),  # fmt: skip
    "sequence": Family(
        _RICH,
        pending=(15, 40),
        load=1,
        config=0.2,
        nominated=0.03,
        budgets=0.3,
        taints=0.2,
        volumes=True,
        tight=True,
    ),  # fmt: skip
    "sampling": Family(
        Taste(node_affinity=0.1, tolerations=0.2, spread=0.1, priority=0.1, small=0.9),
        nodes=(101, 170),
        pending=(8, 24),
        cordoned=0.1,
        config=0.8,
        sampled=0.8,
        several=0.3,
    ),
    "owned": Family(
        Taste(spread=0.3, node_affinity=0.15, pod_affinity=0.1, tolerations=0.3),
        pending=(4, 14),
        load=4,
        taints=0.3,
        config=0.3,
        owned=0.7,
    ),
    "profiles": Family(
        Taste(spread=0.2, node_affinity=0.2, pod_affinity=0.2, priority=0.4, extended=0.1),
        pending=(4, 14),
        load=3,
        config=1.0,
        several=0.9,
        sampled=0.3,
        nominated=0.1,
        owned=0.2,
    ),
    "nominated": Family(
        Taste(priority=0.8, ports=0.2, pod_affinity=0.3, spread=0.2, small=0.3),
        pending=(3, 12),
        load=4,
        nominated=0.5,
        budgets=0.3,
        volumes=True,
        tight=True,
    ),
    "claims": Family(
        Taste(priority=0.5, node_affinity=0.1, tolerations=0.3),
        pending=(4, 12),
        nominated=0.1,
        budgets=0.2,
        config=0.15,
        devices=True,
        tight=True,
    ),
}
"""New ones come last: a family's place is part of its seed."""


def draw_case(family: str, seed: int, index: int) -> Json:
    """Return one case; the same arguments give the same case."""
    draw = Draw(seed, list(FAMILIES).index(family), index)
    plan = FAMILIES[family]
    count = draw.number(40, 110) if draw.often(0.01) else draw.number(*plan.nodes)
    if draw.often(0.01):
        count = 0
    objects = _namespaces(draw)
    objects += nodes(draw, count, taints=plan.taints, cordoned=plan.cordoned, extended=0.5)
    bound = _bound(draw, plan, count) if count else []
    pending = [
        pods.waiting(
            draw, pods.pod(draw, f"p{i}", plan.taste, max(count, 1)), count, plan.nominated
        )
        for i in range(draw.number(*plan.pending))
    ]
    if plan.tight:
        _tighten(draw, bound, (0, 0, 0, 10, 100, -5))
        _tighten(draw, pending, (0, 10, 100, 1000, 1000, 1000))
    if plan.volumes and count:
        objects += _with_volumes(draw, count, bound, pending)
    if plan.devices and count:
        objects += _with_devices(draw, count, bound, pending)
    if draw.often(plan.budgets):
        objects += draw.many(lambda: _budget(draw), 1, 3)
        for at, budget in enumerate(o for o in objects if o["kind"] == "PodDisruptionBudget"):
            budget["metadata"]["name"] = f"pdb-{at}"
    if plan.owned:
        objects += owners.many_owners(draw)
        owners.own(draw, [*bound, *pending], plan.owned)
    elif draw.often(0.15):
        objects += owners.few_owners(draw)
    case: Json = {"name": f"{family}-{seed}-{index:06d}"}
    if draw.often(plan.config):
        case["config"] = configuration(draw, plan.wrong, plan.several, plan.sampled)
        for pod in pending if plan.several > _SEVERAL else ():
            if draw.often(0.4 if "packer" in case["config"] else 0.02):
                pod["spec"]["schedulerName"] = "packer"
    objects += draw.shuffled(bound)
    if draw.often(0.97):
        objects = [obj for obj in objects if not accept(obj).errors]
    return case | {"objects": objects, "pending": pending}


def _bound(draw: Draw, plan: Family, count: int) -> list[Json]:
    made = []
    for i in range(draw.number(0, min(plan.load * count, 60))):
        last = count if draw.often(0.03) else count - 1
        node = f"node-{draw.number(0, last):02d}"
        made.append(pods.bound(draw, pods.pod(draw, f"run-{i:03d}", plan.taste, count), node))
    for pod in made:
        pod["spec"].pop("schedulingGates", None)
    return made


def _tighten(draw: Draw, made: list[Json], priorities: tuple[int, ...]) -> None:
    """Let pods ask for so much that they are in each other's way."""
    for pod in made:
        if draw.often(0.7):
            pod["spec"]["priority"] = draw.one(priorities)
        if draw.often(0.6):
            resources = pod["spec"]["containers"][0].setdefault("resources", {})
            requests = {"cpu": draw.one(("500m", "800m", "1", "1500m", "2"))}
            requests["memory"] = draw.one(("500Mi", "1Gi", "2G", "3Gi"))
            resources.pop("limits", None)
            resources["requests"] = requests


def _with_volumes(draw: Draw, count: int, bound: list[Json], pending: list[Json]) -> list[Json]:
    objects = storage.storage_objects(draw, count)
    claims = [o["metadata"]["name"] for o in objects if o["kind"] == "PersistentVolumeClaim"]
    owned = draw.shuffled([int(name.rpartition("-")[2]) for name in claims])
    for pod in pending:
        if draw.often(0.6):
            storage.use_volumes(draw, pod, owned)
    for pod in bound:
        if draw.often(0.25):
            storage.use_volumes(draw, pod, owned)
    return objects


def _with_devices(draw: Draw, count: int, bound: list[Json], pending: list[Json]) -> list[Json]:
    running = [p["metadata"]["name"] for p in bound if p["metadata"]["namespace"] == "default"]
    objects = devices.device_objects(draw, count, running)
    names = [o["metadata"]["name"] for o in objects if o["kind"] == "ResourceClaim"]
    for pod in pending:
        if draw.often(0.6):
            devices.use_devices(draw, pod, names)
    return objects


def _namespaces(draw: Draw) -> list[Json]:
    if draw.often(0.3):
        return []
    labels: Mapping[str, Json] = {
        "default": {},
        "team-a": {"team": "a", "tier": "gold"},
        "team-b": {"team": "b", "tier": "gold"},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}
        for name, own in labels.items()
    ]


def _budget(draw: Draw) -> Json:
    selector = draw.one(({}, {"matchLabels": {"app": draw.one(placing.APPS)}}))
    spec: Json = {"selector": selector, draw.one(("minAvailable", "maxUnavailable")): 1}
    status: Json = {
        "disruptionsAllowed": draw.one((0, 0, 1, 2)),
        "currentHealthy": 3,
        "desiredHealthy": 2,
        "expectedPods": 3,
        "observedGeneration": 1,
    }
    if draw.often(0.1):
        status["disruptedPods"] = {"run-001": "2026-03-01T00:00:00Z"}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"namespace": "default"},
        "spec": spec,
        "status": status,
    }
