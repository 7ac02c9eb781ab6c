"""The result of reading a configuration: frozen, complete, with nothing left to default.

Durations are whole microseconds. An affinity or a constraint is kept as the JSON object that it is
on the wire, for the plugin that compiles it.

Source: kubernetes/kubernetes pkg/scheduler/apis/config/{types,types_pluginargs}.go, v1.36.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.config.extension_points import ExtensionPoint


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """A resource that a scorer looks at, and its weight."""

    name: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class ShapePoint:
    """One point of a scoring function: ``utilization`` in percent, ``score`` from 0 to 10."""

    utilization: int
    score: int


CPU_AND_MEMORY: Final = (ResourceSpec("cpu"), ResourceSpec("memory"))


@dataclass(frozen=True, slots=True)
class NodeResourcesFitArgs:
    """Arguments of NodeResourcesFit.

    Attributes:
        ignored_resources: Resource names that the filter leaves out.
        ignored_resource_groups: Name prefixes (before the slash) that the filter leaves out.
        strategy: ``LeastAllocated``, ``MostAllocated`` or ``RequestedToCapacityRatio``.
        resources: What is scored.
        shape: The scoring function of RequestedToCapacityRatio, else empty.
    """

    ignored_resources: tuple[str, ...] = ()
    ignored_resource_groups: tuple[str, ...] = ()
    strategy: str = "LeastAllocated"
    resources: tuple[ResourceSpec, ...] = CPU_AND_MEMORY
    shape: tuple[ShapePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeResourcesBalancedAllocationArgs:
    """Arguments of NodeResourcesBalancedAllocation; every weight is 1."""

    resources: tuple[ResourceSpec, ...] = CPU_AND_MEMORY


@dataclass(frozen=True, slots=True)
class InterPodAffinityArgs:
    """Arguments of InterPodAffinity."""

    hard_pod_affinity_weight: int = 1
    ignore_preferred_terms_of_existing_pods: bool = False


@dataclass(frozen=True, slots=True)
class NodeAffinityArgs:
    """Arguments of NodeAffinity; ``added_affinity`` is a core/v1 NodeAffinity as JSON."""

    added_affinity: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PodTopologySpreadArgs:
    """Arguments of PodTopologySpread.

    Attributes:
        defaulting_type: ``System`` or ``List``.
        default_constraints: core/v1 TopologySpreadConstraints as JSON, without selectors.
    """

    defaulting_type: str = "System"
    default_constraints: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class DefaultPreemptionArgs:
    """Arguments of DefaultPreemption: how many candidate nodes a dry run looks for."""

    min_candidate_nodes_percentage: int = 10
    min_candidate_nodes_absolute: int = 100


@dataclass(frozen=True, slots=True)
class VolumeBindingArgs:
    """Arguments of VolumeBinding."""

    bind_timeout_seconds: int = 600


@dataclass(frozen=True, slots=True)
class DynamicResourcesArgs:
    """Arguments of DynamicResources; times in microseconds, 0 for no limit."""

    filter_timeout_us: int = 10_000_000
    binding_timeout_us: int = 600_000_000


PluginArgs = (
    NodeResourcesFitArgs
    | NodeResourcesBalancedAllocationArgs
    | InterPodAffinityArgs
    | NodeAffinityArgs
    | PodTopologySpreadArgs
    | DefaultPreemptionArgs
    | VolumeBindingArgs
    | DynamicResourcesArgs
)


@dataclass(frozen=True, slots=True)
class ManagedResource:
    """An extended resource that an extender looks after."""

    name: str
    ignored_by_scheduler: bool = False


@dataclass(frozen=True, slots=True)
class Extender:
    """An HTTP extender; an empty verb is a step that it does not take part in."""

    url_prefix: str = ""
    filter_verb: str = ""
    preempt_verb: str = ""
    prioritize_verb: str = ""
    bind_verb: str = ""
    weight: int = 0
    ignorable: bool = False
    node_cache_capable: bool = False
    managed_resources: tuple[ManagedResource, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One scheduling profile with everything worked out.

    Attributes:
        scheduler_name: The ``spec.schedulerName`` of the pods that it schedules.
        percentage_of_nodes_to_score: None where the global value holds.
        plugins: Plugin names in effective order, for every extension point.
        score_weights: Weight of each plugin that scores.
        args: Arguments of each in-tree plugin that has some, whether or not it is enabled.
        other_args: Arguments of all other plugins, as JSON.
    """

    scheduler_name: str
    percentage_of_nodes_to_score: int | None
    plugins: Mapping[ExtensionPoint, tuple[str, ...]]
    score_weights: Mapping[str, int]
    args: Mapping[str, PluginArgs]
    other_args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SchedulerConfiguration:
    """A whole KubeSchedulerConfiguration, as far as it bears on decisions and their timing."""

    parallelism: int
    percentage_of_nodes_to_score: int
    pod_initial_backoff_seconds: int
    pod_max_backoff_seconds: int
    profiles: tuple[Profile, ...]
    extenders: tuple[Extender, ...] = ()

    def profile(self, scheduler_name: str) -> Profile | None:
        """Return the profile for pods of ``scheduler_name``, or None."""
        return next((p for p in self.profiles if p.scheduler_name == scheduler_name), None)
