"""Random nodes, and the words that pods and nodes share."""

from typing import Any

from conformance.decide.draw import Draw

Json = dict[str, Any]

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
RACK = "topology.example.com/rack"
EXTENDED = ("nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "amd.com/gpu", "rdma/ib")
IMAGES = (
    "nginx:1.27", "redis", "docker.io/library/busybox:latest", "registry.k8s.io/pause:3.10",
    "nvidia/cuda:12.4.1-base-ubuntu22.04", "ghcr.io/acme/train:v2",
    "redis@sha256:" + "ab" * 32,
)  # fmt: skip
TAINT_KEYS = (
    "dedicated", "gpu", "example.com/x", "other", "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unschedulable", "node.kubernetes.io/disk-pressure",
)  # fmt: skip
TAINT_VALUES = ("", "true", "a", "b")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
LABELS = {
    "disk": ("ssd", "hdd"),
    "gen": ("1", "2", "3", "10", "010", "-4", "x"),
    "pool": ("a", "b", "a100"),
    "empty": ("",),
}
CPUS = ("2", "4", "3900m", "6", "1930m", "8", "16", "0.5", "4000m")
MEMORIES = ("4Gi", "8G", "16Gi", "3964Mi", "8589934592", "7.5Gi", "64Gi", "1e10")


def nodes(draw: Draw, count: int, *, taints: float, cordoned: float, extended: float) -> list[Json]:
    """Return nodes ``node-00``, ``node-01``, … in random order."""
    shared = _resources(draw, extended) if draw.often(0.4) else None
    made = [
        _node(draw, f"node-{i:02d}", shared or _resources(draw, extended), taints, cordoned)
        for i in range(count)
    ]
    return draw.shuffled(made) if draw.often(0.3) else made


def _node(draw: Draw, name: str, resources: Json, taints: float, cordoned: float) -> Json:
    spec: Json = {}
    if draw.often(cordoned):
        spec["unschedulable"] = True
    if draw.often(taints):
        spec["taints"] = draw.many(lambda: _taint(draw), 1, 3)
        distinct = {(taint["key"], taint["effect"]): taint for taint in spec["taints"]}
        spec["taints"] = list(distinct.values())
    status: Json = {}
    if draw.often(0.7):
        status["allocatable"] = resources
    if "allocatable" not in status or draw.often(0.4):
        status["capacity"] = resources if "allocatable" not in status else _larger(resources)
    if draw.often(0.4):
        status["images"] = draw.many(lambda: _image(draw), 0, 4)
    if draw.often(0.05):
        status["declaredFeatures"] = ["GuaranteedQoSPodCPUResize"]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(draw, name)},
        "spec": spec,
        "status": status,
    }


def _labels(draw: Draw, name: str) -> Json:
    labels: Json = {}
    if draw.often(0.95):
        labels[HOSTNAME] = name
    if draw.often(0.8):
        labels[ZONE] = draw.one(("z1", "z2", "z3"))
    if draw.often(0.4):
        labels[REGION] = draw.one(("r1", "r2"))
    if draw.often(0.25):
        labels[RACK] = draw.one(("k1", "k2"))
    if draw.often(0.05):
        labels["failure-domain.beta.kubernetes.io/zone"] = draw.one(("", "z1", "b9"))
    for key, values in LABELS.items():
        if draw.often(0.35):
            labels[key] = draw.one(values)
    return labels


def _resources(draw: Draw, extended: float) -> Json:
    resources: Json = {"cpu": draw.one(CPUS), "memory": draw.one(MEMORIES)}
    if draw.often(0.97):
        resources["pods"] = draw.one(("110", "110", "110", "8", "5", "3", "2"))
    if draw.often(0.3):
        resources["ephemeral-storage"] = draw.one(("5Gi", "10Gi", "20G"))
    if draw.often(0.15):
        resources[draw.one(("hugepages-2Mi", "hugepages-1Gi"))] = draw.one(("2Gi", "4Gi"))
    for name in EXTENDED:
        if draw.often(extended):
            resources[name] = draw.one(("0", "1", "2", "4", "8"))
    return resources


def _larger(resources: Json) -> Json:
    return {**resources, "cpu": "96", "memory": "1Ti"}


def _taint(draw: Draw) -> Json:
    taint = {"key": draw.one(TAINT_KEYS), "effect": draw.one(EFFECTS)}
    value = draw.one(TAINT_VALUES)
    return {**taint, "value": value} if value else taint


def _image(draw: Draw) -> Json:
    name = draw.one(IMAGES)
    names = [name]
    if draw.often(0.4) and "@" not in name:
        names.append(name.partition(":")[0] + "@sha256:" + "ab" * 32)
    size = draw.one((1_000_000, 23_000_000, 90_000_000, 300_000_000, 1_200_000_000))
    return {"names": names, "sizeBytes": size}
