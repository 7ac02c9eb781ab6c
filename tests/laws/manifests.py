"""What the laws' clusters are made of: nodes, pods and workloads by number."""

from typing import Any

Json = dict[str, Any]
GPU = "nvidia.com/gpu"
ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
TAINT = "lab"
PRIORITIES = {"low": 0, "mid": 100, "high": 1000, "never": 1000}
_SAME_APP: Json = {"labelSelector": {"matchLabels": {"app": "close"}}}

SHAPES: tuple[tuple[Json, Json], ...] = (
    ({GPU: "1"}, {}),
    ({GPU: "2"}, {}),
    ({GPU: "4", "cpu": "1"}, {}),
    ({GPU: "16"}, {}),
    ({"cpu": "1500m", "memory": "2Gi"}, {}),
    ({"cpu": "3", "memory": "1Gi"}, {}),
    ({}, {}),
    ({GPU: "1"}, {"nodeSelector": {"pool": "a"}}),
    ({GPU: "1"}, {"tolerations": [{"key": TAINT, "operator": "Exists"}]}),
    (
        {"cpu": "100m"},
        {"tolerations": [{"key": TAINT, "operator": "Exists", "tolerationSeconds": 7}]},
    ),
    ({"cpu": "100m"}, {"hostPort": 8080}),
    (
        {GPU: "1"},
        {
            "affinity": {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {**_SAME_APP, "topologyKey": HOSTNAME}
                    ]
                }
            }
        },
    ),
    (
        {"cpu": "200m"},
        {
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {**_SAME_APP, "topologyKey": ZONE}
                    ]
                }
            }
        },
    ),
    (
        {GPU: "1"},
        {
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": ZONE,
                    "whenUnsatisfiable": "DoNotSchedule",
                    **_SAME_APP,
                }
            ]
        },
    ),
    (
        {GPU: "1", "cpu": "500m"},
        {
            "affinity": {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 50,
                            "preference": {
                                "matchExpressions": [
                                    {"key": "pool", "operator": "In", "values": ["b"]}
                                ]
                            },
                        }
                    ]
                }
            }
        },
    ),
)
"""Limits, and what else a pod's spec says."""

AVOIDING = (11, 13)
"""Shapes that want to be away from others: anti-affinity and hard spreading."""

RUN_TIMES = ("", "5s", "47s", "3m")
_RUN_TIME = "pod-complete.stage.kwok.x-k8s.io/delay"


def node(name: str, shape: int) -> Json:
    """Return one of twelve kinds of nodes: two pools, two zones, 0, 4 or 8 GPUs."""
    pool, zone, gpus = "ab"[shape % 2], f"z{shape // 2 % 2}", (4, 8, 0)[shape // 4 % 3]
    amounts = {"cpu": "8", "memory": "16Gi", "pods": "9"}
    if gpus:
        amounts[GPU] = str(gpus)
    labels = {"pool": pool, ZONE: zone, HOSTNAME: name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"capacity": dict(amounts), "allocatable": dict(amounts)},
    }


def template(shape: int, priority: str = "low", run_time: str = "") -> Json:
    """Return a pod template."""
    limits, more = SHAPES[shape % len(SHAPES)]
    more = dict(more)
    port = more.pop("hostPort", None)
    container: Json = {"name": "c", "image": "registry.k8s.io/pause:3.10"}
    container["resources"] = {"limits": limits, "requests": limits}
    if port:
        container["ports"] = [{"containerPort": port, "hostPort": port}]
    spec = {**more, "priorityClassName": priority, "containers": [container]}
    metadata: Json = {"labels": {"app": "close", "shape": str(shape % len(SHAPES))}}
    if run_time:
        metadata["annotations"] = {_RUN_TIME: run_time}
    return {"metadata": metadata, "spec": spec}


def pod(name: str, body: Json, *, gated: bool, grace: int) -> Json:
    """Return a bare pod."""
    spec = {**body["spec"], "terminationGracePeriodSeconds": grace}
    if gated:
        spec["schedulingGates"] = [{"name": "example.com/hold"}]
    metadata = {**body["metadata"], "name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "Job", "DaemonSet")


def workload(kind: str, name: str, replicas: int, body: Json) -> Json:
    """Return a workload of one of the kinds."""
    labels = {**body["metadata"]["labels"], "of": name}
    body = {**body, "metadata": {**body["metadata"], "labels": labels}}
    spec: Json = {"template": body}
    if kind == "Job":
        body["spec"] = {**body["spec"], "restartPolicy": "Never"}
        spec |= {"completions": replicas, "parallelism": max(1, replicas - 1)}
    else:
        spec["selector"] = {"matchLabels": {"of": name}}
        if kind != "DaemonSet":
            spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def budget(name: str, shape: int, least: int) -> Json:
    """Return a disruption budget over all pods of a shape."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"shape": str(shape)}}},
    }


def priority_class(name: str) -> Json:
    """Return a priority class."""
    policy = "Never" if name == "never" else "PreemptLowerPriority"
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": PRIORITIES[name],
        "preemptionPolicy": policy,
    }
