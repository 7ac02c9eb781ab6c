"""Random pods: what they ask for, who they are, how far they have come."""

from dataclasses import dataclass
from typing import Any

from conformance.decide import placing
from conformance.decide.draw import Draw
from conformance.decide.nodes import EXTENDED, IMAGES

Json = dict[str, Any]

CPUS = (
    "100m", "250m", "333m", "0.1", "1", "1500m", "1.5", "2", "3", "1e0", "0", "750m", "10m", 1, 2,
    "50m", "0.25", "6",
)  # fmt: skip
MEMORIES = (
    "64Mi", "128M", "0.5Gi", "1Gi", "1.5Gi", "2Gi", "3Gi", "1e9", "123456789", "32M", "0", "7Gi",
    "1G", "200Mi",
)  # fmt: skip
PRIORITIES = (0, 0, 0, 0, 10, 100, 1000, -5, -20)
GATES = ("example.com/quota", "example.com/image")


@dataclass(frozen=True, slots=True)
class Taste:
    """How often a pod has what; probabilities from 0 to 1."""

    extended: float = 0.03
    odd: float = 0.1
    init: float = 0.08
    ports: float = 0.05
    tolerations: float = 0.2
    node_affinity: float = 0.12
    pod_affinity: float = 0.1
    spread: float = 0.1
    priority: float = 0.0
    gates: float = 0.01
    small: float = 0.75


def pod(draw: Draw, name: str, taste: Taste, nodes: int) -> Json:
    """Return a pod that waits to be scheduled; ``nodes`` is the size of the cluster."""
    spec: Json = {"containers": _containers(draw, taste), "priority": 0}
    if draw.often(taste.priority):
        spec["priority"] = draw.one(PRIORITIES)
        if draw.often(0.05):
            spec["preemptionPolicy"] = "Never"
    if draw.often(taste.init):
        spec["initContainers"] = _init_containers(draw, taste)
    if draw.often(taste.odd):
        _make_odd(draw, spec)
    _add_placing(draw, taste, spec, nodes)
    if draw.often(taste.gates):
        spec["schedulingGates"] = [{"name": gate} for gate in draw.some(GATES, 1, 2)]
    labels = {"app": draw.one(placing.APPS)}
    if draw.often(0.4):
        labels["ver"] = draw.one(("v1", "v2"))
    if draw.often(0.1):
        labels["job"] = "j1"
    namespace = draw.one(placing.NAMESPACES) if draw.often(0.25) else "default"
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def bound(draw: Draw, made: Json, node: str) -> Json:
    """Return a pod as it runs on a node, or is about to end there."""
    made["spec"]["nodeName"] = node
    status: Json = {"phase": draw.one(("Running",) * 18 + ("Pending", "Succeeded", "Failed"))}
    if draw.often(0.97):
        day, hour, minute = draw.number(1, 20), draw.number(0, 23), draw.number(0, 59)
        status["startTime"] = f"2026-02-{day:02d}T{hour:02d}:{minute:02d}:00Z"
    if draw.often(0.03):
        made["metadata"] |= {
            "deletionTimestamp": "2026-03-01T00:00:00Z",
            "deletionGracePeriodSeconds": 30,
        }
        if draw.often(0.5):
            reason = draw.one(("PreemptionByScheduler", "EvictionByEvictionAPI"))
            condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
            status["conditions"] = [condition]
    if draw.often(0.04):
        status["containerStatuses"] = [_resized(draw, c) for c in made["spec"]["containers"]]
        if draw.often(0.5):
            reason = draw.one(("Infeasible", "Deferred"))
            condition = {"type": "PodResizePending", "status": "True", "reason": reason}
            status.setdefault("conditions", []).append(condition)
    made["status"] = status
    return made


def _resized(draw: Draw, container: Json) -> Json:
    """Return the status of a container that is being resized in place."""
    status: Json = {"name": container["name"], "image": container["image"], "imageID": "",
                    "ready": True, "restartCount": 0}  # fmt: skip
    amounts = {"cpu": draw.one(("50m", "1", "3")), "memory": draw.one(("64Mi", "3Gi"))}
    if draw.often(0.7):
        status["resources"] = {"requests": amounts}
    if draw.often(0.5):
        status["allocatedResources"] = {"cpu": draw.one(("100m", "2"))}
    return status


def waiting(draw: Draw, made: Json, nodes: int, nominated: float) -> Json:
    """Return a pod of the queue, with what may have happened to it before."""
    if draw.often(nominated):
        made["status"] = {"nominatedNodeName": f"node-{draw.number(0, nodes):02d}"}
    if draw.often(0.01):
        made["metadata"] |= {
            "deletionTimestamp": "2026-03-01T00:00:00Z",
            "deletionGracePeriodSeconds": 30,
        }
    if draw.often(0.01):
        made["spec"]["schedulerName"] = draw.one(("other", "default-scheduler", "packer"))
    if draw.often(0.02):
        made["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "rs",
             "controller": True}
        ]  # fmt: skip
    return made


def _containers(draw: Draw, taste: Taste) -> list[Json]:
    count = draw.one((1, 1, 1, 2, 3))
    return [_container(draw, f"c{i}", taste) for i in range(count)]


def _container(draw: Draw, name: str, taste: Taste) -> Json:
    container: Json = {"name": name, "image": draw.one(IMAGES)}
    if draw.often(0.93):
        container["resources"] = _resources(draw, taste)
    if draw.often(taste.ports):
        container["ports"] = draw.many(lambda: _port(draw), 1, 2)
    return container


def _resources(draw: Draw, taste: Taste) -> Json:
    amounts: Json = {}
    small = draw.often(taste.small)
    if draw.often(0.8):
        amounts["cpu"] = draw.one(("10m", "50m", "100m", "0.1")) if small else draw.one(CPUS)
    if draw.often(0.75):
        amounts["memory"] = draw.one(("16Mi", "32M", "64Mi")) if small else draw.one(MEMORIES)
    if draw.often(0.06):
        amounts["ephemeral-storage"] = draw.one(("100Mi", "500M", "2e9", "4Gi"))
    extended = {
        name: draw.one((1, 2, "1", "4", "8")) for name in EXTENDED if draw.often(taste.extended)
    }
    if draw.often(taste.odd * 0.2):
        extended["hugepages-2Mi"] = draw.one(("2Mi", "4Mi", "1Gi"))
    form = draw.one(("requests", "requests", "limits", "both"))
    if form == "limits":
        return {"limits": amounts | extended}
    resources: Json = {"requests": amounts | extended}
    if form == "both":
        resources["limits"] = amounts | extended
    elif extended:
        resources["limits"] = dict(extended)
    return resources


def _port(draw: Draw) -> Json:
    port: Json = {"containerPort": draw.one((80, 443, 8080))}
    if draw.often(0.95):
        port["hostPort"] = draw.one((80, 443, 8080))
    if draw.often(0.3):
        port["hostIP"] = draw.one(("0.0.0.0", "127.0.0.1", "10.0.0.1"))
    if draw.often(0.3):
        port["protocol"] = draw.one(("TCP", "UDP", "SCTP"))
    return port


def _init_containers(draw: Draw, taste: Taste) -> list[Json]:
    made = [_container(draw, f"i{i}", taste) for i in range(draw.number(1, 3))]
    for container in made:
        if draw.often(0.5):
            container["restartPolicy"] = "Always"
    return made


def _make_odd(draw: Draw, spec: Json) -> None:
    """Give a pod one of the rarer things."""
    kind = draw.number(0, 3)
    if kind == 0:
        spec["overhead"] = {"cpu": draw.one(("100m", "0")), "memory": "120M"}
    elif kind == 1:
        amounts: Json = {}
        if draw.often(0.7):
            amounts["cpu"] = draw.one(("1", "2500m", "4"))
        if draw.often(0.7):
            amounts["memory"] = draw.one(("1Gi", "3G"))
        spec["resources"] = {draw.one(("requests", "limits")): amounts}
    elif kind == 2:
        spec["hostNetwork"] = True
        spec["containers"][0]["ports"] = [{"containerPort": draw.one((80, 9090))}]
    else:
        spec["nodeSelector"] = placing.node_selector(draw)


def _add_placing(draw: Draw, taste: Taste, spec: Json, nodes: int) -> None:
    if draw.often(taste.tolerations):
        spec["tolerations"] = placing.tolerations(draw)
    affinity: Json = {}
    if draw.often(taste.node_affinity):
        affinity["nodeAffinity"] = placing.node_affinity(draw, nodes)
    if draw.often(taste.pod_affinity):
        affinity |= placing.pod_affinity(draw)
    if affinity:
        spec["affinity"] = affinity
    if draw.often(taste.node_affinity * 0.5):
        spec["nodeSelector"] = placing.node_selector(draw)
    if draw.often(taste.spread):
        spec["topologySpreadConstraints"] = placing.spread(draw)
