"""Defaults of a decoded configuration and of plugin arguments, still as wire fields.

Source: kubernetes/kubernetes pkg/scheduler/apis/config/v1/defaults.go, v1.36.1
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.config.duration import SECOND
from gpusched.api.config.plugin_sets import PluginSets, merge_with_defaults
from gpusched.api.config.schema import ARGS

Fields = Mapping[str, Any]

_CONFIGURATION: Final[Fields] = {
    "parallelism": 16,
    "percentageOfNodesToScore": 0,
    "podInitialBackoffSeconds": 1,
    "podMaxBackoffSeconds": 10,
    "extenders": [],
}
_LEADER_ELECTION: Final[Fields] = {
    "leaderElect": True,
    "resourceLock": "leases",
    "resourceNamespace": "kube-system",
    "resourceName": "kube-scheduler",
    "leaseDuration": 15 * SECOND,
    "renewDeadline": 10 * SECOND,
    "retryPeriod": 2 * SECOND,
}


@dataclass(frozen=True, slots=True)
class PluginConfig:
    """The defaulted arguments of one plugin: wire fields, or any JSON for other plugins."""

    name: str
    args: Any


@dataclass(frozen=True, slots=True)
class DefaultedProfile:
    """A profile with its plugin sets merged and its arguments complete."""

    scheduler_name: str
    percentage_of_nodes_to_score: int | None
    plugins: PluginSets
    plugin_config: tuple[PluginConfig, ...]


@dataclass(frozen=True, slots=True)
class DefaultedConfiguration:
    """A configuration with all defaults.

    Attributes:
        fields: The scalar fields, and ``extenders`` as on the wire.
        leader_election: Its fields; durations in nanoseconds.
        client_burst: ``clientConnection.burst``.
        profiles: The profiles in order.
    """

    fields: Fields
    leader_election: Fields
    client_burst: int
    profiles: tuple[DefaultedProfile, ...]


def apply_defaults(decoded: Fields) -> DefaultedConfiguration:
    """Complete a decoded configuration."""
    given = decoded.get("leaderElection", {})
    filled = {key: value for key, value in given.items() if value not in ("", 0) or value is False}
    profiles = decoded.get("profiles") or [{}]
    if len(profiles) == 1:
        profiles = [{"schedulerName": "default-scheduler", **profiles[0]}]
    return DefaultedConfiguration(
        fields={**_CONFIGURATION, **decoded},
        leader_election={**_LEADER_ELECTION, **filled},
        client_burst=decoded.get("clientConnection", {}).get("burst", 0) or 100,
        profiles=tuple(_default_profile(profile) for profile in profiles),
    )


def _default_profile(profile: Fields) -> DefaultedProfile:
    plugins = merge_with_defaults(profile.get("plugins", {}))
    given = [
        PluginConfig(name, _default_args(name, entry.get("args")))
        for entry in profile.get("pluginConfig", [])
        for name in [entry.get("name", "")]
    ]
    absent = sorted(plugins.names() - {config.name for config in given})
    added = [PluginConfig(n, _default_args(n, {})) for n in absent if f"{n}Args" in ARGS]
    return DefaultedProfile(
        scheduler_name=profile.get("schedulerName", ""),
        percentage_of_nodes_to_score=profile.get("percentageOfNodesToScore"),
        plugins=plugins,
        plugin_config=(*given, *added),
    )


def _default_args(plugin: str, args: Any) -> Any:
    complete = _ARGS.get(plugin)
    return complete(args) if complete else args


def _with(**defaults: Any) -> Callable[[Fields], Fields]:
    return lambda args: {**defaults, **args}


def _weighted(resources: list[Fields] | None) -> list[Fields]:
    """Return the resources with weight 1 where none is given, or cpu and memory."""
    given = resources or [{"name": "cpu"}, {"name": "memory"}]
    return [{"name": spec.get("name", ""), "weight": spec.get("weight", 0) or 1} for spec in given]


def _balanced_allocation(args: Fields) -> Fields:
    return {**args, "resources": _weighted(args.get("resources"))}


def _fit(args: Fields) -> Fields:
    strategy = args.get("scoringStrategy", {"type": "LeastAllocated"})
    resources = _weighted(strategy.get("resources"))
    return {**args, "scoringStrategy": {"type": "", **strategy, "resources": resources}}


def _topology_spread(args: Fields) -> Fields:
    return {
        "defaultConstraints": [],
        **args,
        "defaultingType": args.get("defaultingType") or "System",
    }


_ARGS: Final[Mapping[str, Callable[[Fields], Fields]]] = {
    "DefaultPreemption": _with(minCandidateNodesPercentage=10, minCandidateNodesAbsolute=100),
    "DynamicResources": _with(filterTimeout=10 * SECOND, bindingTimeout=600 * SECOND),
    "InterPodAffinity": _with(hardPodAffinityWeight=1),
    "NodeAffinity": _with(),
    "NodeResourcesBalancedAllocation": _balanced_allocation,
    "NodeResourcesFit": _fit,
    "PodTopologySpread": _topology_spread,
    "VolumeBinding": _with(bindTimeoutSeconds=600),
}
