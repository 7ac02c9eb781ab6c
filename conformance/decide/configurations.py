"""Random scheduler configurations: mostly valid, some wrong in one place."""

import json
from typing import Any

from conformance.decide.draw import Draw
from conformance.decide.nodes import EXTENDED

Json = dict[str, Any]

HEADER = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
FILTERS = (
    "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts",
    "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity",
)  # fmt: skip
SCORERS = (
    "TaintToleration", "NodeAffinity", "NodeResourcesFit", "PodTopologySpread",
    "InterPodAffinity", "NodeResourcesBalancedAllocation", "ImageLocality",
)  # fmt: skip
POINTS = ("preFilter", "filter", "postFilter", "preScore", "score", "reserve", "bind", "queueSort")
ZONES = ("topology.kubernetes.io/zone", "kubernetes.io/hostname", "disk")


def configuration(draw: Draw, wrong: float, several: float, sampled: float) -> str:
    """Return a KubeSchedulerConfiguration.

    Args:
        draw: The stream.
        wrong: Chance of a mistake in it.
        several: Chance of a second profile.
        sampled: Chance per profile of looking at a part of the nodes only.
    """
    profiles = [_profile(draw, wrong)]
    if draw.often(several):
        profiles[0]["schedulerName"] = "default-scheduler"
        profiles.append(_profile(draw, wrong) | {"schedulerName": "packer"})
    for profile in profiles if sampled else ():
        if draw.often(sampled):
            profile["percentageOfNodesToScore"] = draw.one((0, 1, 30, 70, 80, 90, 100))
    whole: Json = {**HEADER, "profiles": profiles}
    if draw.often(wrong * 0.4):
        whole |= draw.one(
            (
                {"parallelism": 0},
                {"podMaxBackoffSeconds": 0},
                {"unknownField": 1},
                {"percentageOfNodesToScore": 101},
                {"podInitialBackoffSeconds": "x"},
            )
        )
    return json.dumps(whole)


def _profile(draw: Draw, wrong: float) -> Json:
    profile: Json = {}
    plugins = _plugins(draw, wrong) if draw.often(0.6) else {}
    if plugins:
        profile["plugins"] = plugins
    config = _plugin_config(draw, wrong) if draw.often(0.7) else []
    if config:
        profile["pluginConfig"] = config
    return profile


def _plugins(draw: Draw, wrong: float) -> Json:
    plugins: Json = {}
    if draw.often(0.5):
        plugins["score"] = _scorers(draw)
    if draw.often(0.3):
        plugins["filter"] = {"disabled": [{"name": n} for n in draw.some(FILTERS, 1, 2)]}
    if draw.often(0.12):
        names = draw.some((*SCORERS, "DefaultPreemption", "DynamicResources"), 1, 2)
        plugins["multiPoint"] = {"disabled": [{"name": name} for name in names]}
        if draw.often(0.3):
            weights = (1, 4, 9)
            plugins["multiPoint"]["enabled"] = [
                {"name": name, "weight": draw.one(weights)} for name in draw.some(SCORERS, 1, 2)
            ]
    if draw.often(0.08):
        plugins["postFilter"] = {"disabled": [{"name": draw.one(("*", "DefaultPreemption"))}]}
    if draw.often(0.04):
        point = draw.one(("preFilter", "preScore"))
        plugins[point] = {"disabled": [{"name": draw.one(FILTERS)}]}
    if draw.often(wrong * 0.5):
        point = draw.one(POINTS)
        names = (*FILTERS, "Bogus", "EBSLimits", "PrioritySort")
        enabled = {"enabled": [{"name": draw.one(names)}]}
        nothing = {"disabled": [{"name": "*"}]}
        plugins[point] = nothing if point == "queueSort" else draw.one((enabled, nothing))
    return plugins


def _scorers(draw: Draw) -> Json:
    weights = (1, 1, 2, 3, 5, 7, 10, 100)
    if draw.often(0.5):
        chosen = draw.some(SCORERS, 0 if draw.often(0.2) else 1, 4)
        enabled = [{"name": name, "weight": draw.one(weights)} for name in chosen]
        return {"disabled": [{"name": "*"}], "enabled": enabled}
    chosen = draw.some(SCORERS, 1, 2)
    disabled = [{"name": name} for name in chosen]
    if draw.often(0.5):
        return {"disabled": disabled}
    return {"enabled": [{"name": name, "weight": draw.one(weights)} for name in chosen]}


def _plugin_config(draw: Draw, wrong: float) -> list[Json]:
    makers = {
        "NodeResourcesFit": _fit,
        "NodeResourcesBalancedAllocation": _balanced,
        "InterPodAffinity": _inter_pod,
        "PodTopologySpread": _spread,
        "NodeAffinity": _node_affinity,
        "DefaultPreemption": _preemption,
    }
    names = draw.some(tuple(makers), 1, 3)
    return [{"name": name, "args": makers[name](draw, wrong)} for name in names]


def _specs(draw: Draw, weights: tuple[int, ...]) -> list[Json]:
    names = draw.some(("cpu", "memory", "ephemeral-storage", *EXTENDED), 1, 3)
    return [{"name": name, "weight": draw.one(weights)} for name in names]


def _fit(draw: Draw, wrong: float) -> Json:
    args: Json = {}
    if draw.often(0.2):
        args["ignoredResources"] = [draw.one(EXTENDED)]
    if draw.often(0.1):
        args["ignoredResourceGroups"] = [draw.one(("nvidia.com", "rdma"))]
    kind = draw.one(("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"))
    strategy: Json = {"type": kind, "resources": _specs(draw, (1, 2, 3, 10, 100))}
    if kind == "RequestedToCapacityRatio":
        strategy["requestedToCapacityRatio"] = {"shape": _shape(draw, wrong)}
    if draw.often(wrong * 0.2):
        strategy["resources"][0]["weight"] = draw.one((-1, 101))
    return args | {"scoringStrategy": strategy}


def _shape(draw: Draw, wrong: float) -> list[Json]:
    points = sorted(set(draw.many(lambda: draw.number(0, 100), 1, 4)))
    if draw.often(wrong * 0.2):
        points = [50, 50, 101]
    return [{"utilization": point, "score": draw.number(0, 10)} for point in points]


def _balanced(draw: Draw, wrong: float) -> Json:
    weights = (1, 2) if draw.often(wrong) else (1,)
    return {"resources": _specs(draw, weights)}


def _inter_pod(draw: Draw, wrong: float) -> Json:
    weight = draw.one((-1, 101)) if draw.often(wrong * 0.3) else draw.one((0, 1, 5, 100))
    return {
        "hardPodAffinityWeight": weight,
        "ignorePreferredTermsOfExistingPods": draw.often(0.5),
    }


def _spread(draw: Draw, wrong: float) -> Json:
    if draw.often(0.2):
        return {"defaultingType": "List", "defaultConstraints": []}
    constraints = [
        {
            "maxSkew": 0 if draw.often(wrong * 0.2) else draw.one((1, 2, 5)),
            "topologyKey": key,
            "whenUnsatisfiable": draw.one(("DoNotSchedule", "ScheduleAnyway")),
        }
        for key in draw.some(ZONES, 1, 2)
    ]
    kind = "System" if draw.often(wrong * 0.2) else "List"
    return {"defaultingType": kind, "defaultConstraints": constraints}


def _node_affinity(draw: Draw, wrong: float) -> Json:
    expression = {"key": "disk", "operator": draw.one(("In", "NotIn")), "values": ["ssd"]}
    if draw.often(wrong * 0.2):
        expression["operator"] = draw.one(("Exists", "Gt", "Nope"))
    term = {"matchExpressions": [expression]}
    affinity: Json = {}
    if draw.often(0.6):
        required = {"nodeSelectorTerms": [term]}
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = required
    if draw.often(0.6):
        preferred = [{"weight": draw.one((1, 20)), "preference": term}]
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return {"addedAffinity": affinity}


def _preemption(draw: Draw, wrong: float) -> Json:
    if draw.often(wrong * 0.2):
        return {"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 0}
    return {"minCandidateNodesPercentage": draw.one((0, 10, 100)), "minCandidateNodesAbsolute": 100}
