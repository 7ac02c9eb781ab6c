"""Reading a KubeSchedulerConfiguration from text to effective profiles.

Source: kubernetes/kubernetes cmd/kube-scheduler/app/options/configfile.go and
pkg/scheduler/scheduler.go (New, buildExtenders), v1.36.1
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from gpusched.api.config import model
from gpusched.api.config.args_validation import fit_args_errors
from gpusched.api.config.building import (
    BuildError,
    Implementations,
    effective_plugins,
    score_weights,
)
from gpusched.api.config.decoding import decode_configuration
from gpusched.api.config.defaults import DefaultedConfiguration, DefaultedProfile, apply_defaults
from gpusched.api.config.errors import ConfigurationError, Stage
from gpusched.api.config.extension_points import IN_TREE_PLUGINS, ExtensionPoint
from gpusched.api.config.field_errors import aggregate
from gpusched.api.config.schema import ARGS
from gpusched.api.config.validation import configuration_errors
from gpusched.api.validation.errors import quote

Fields = Mapping[str, Any]

_NONE: Final[Implementations] = MappingProxyType({})
_FIT: Final = "NodeResourcesFit"
_NANOSECONDS_PER_MICROSECOND: Final = 1000


def load_configuration(text: str, extra: Implementations = _NONE) -> model.SchedulerConfiguration:
    r"""Read a configuration as kube-scheduler does when it starts.

    Args:
        text: A YAML or JSON document of kind KubeSchedulerConfiguration.
        extra: Plugins that are registered besides the in-tree ones, with the extension points
            that they implement.

    Raises:
        ConfigurationError: The configuration cannot be used.

    >>> text = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
    >>> load_configuration(text).profiles[0].scheduler_name
    'default-scheduler'
    """
    defaulted = apply_defaults(decode_configuration(text))
    errors = configuration_errors(defaulted)
    if errors:
        raise ConfigurationError(Stage.VALIDATE, aggregate(errors))
    return _build(defaulted, {**IN_TREE_PLUGINS, **extra})


@cache
def default_configuration() -> model.SchedulerConfiguration:
    """Return the configuration of a kube-scheduler that is given none."""
    return _build(apply_defaults({}), IN_TREE_PLUGINS)


def _build(
    configuration: DefaultedConfiguration,
    implementations: Implementations,
) -> model.SchedulerConfiguration:
    fields = configuration.fields
    extenders = tuple(_extender(extender) for extender in fields["extenders"])
    return model.SchedulerConfiguration(
        parallelism=fields["parallelism"],
        percentage_of_nodes_to_score=fields["percentageOfNodesToScore"],
        pod_initial_backoff_seconds=fields["podInitialBackoffSeconds"],
        pod_max_backoff_seconds=fields["podMaxBackoffSeconds"],
        profiles=_profiles(configuration.profiles, implementations, extenders),
        # Ignorable extenders are asked last.
        extenders=tuple(sorted(extenders, key=lambda extender: extender.ignorable)),
    )


def _profiles(
    profiles: tuple[DefaultedProfile, ...],
    implementations: Implementations,
    extenders: tuple[model.Extender, ...],
) -> tuple[model.Profile, ...]:
    ignored = [r.name for e in extenders for r in e.managed_resources if r.ignored_by_scheduler]
    built: list[model.Profile] = []
    for profile in profiles:
        prefix = f"creating profile for scheduler name {profile.scheduler_name}: "
        try:
            built.append(_profile(profile, implementations, ignored))
        except BuildError as error:
            raise _build_error(f"{prefix}{error}") from None
        _check_queue_sort(built[0], built[-1])
    return tuple(built)


def _check_queue_sort(first: model.Profile, last: model.Profile) -> None:
    """All profiles share one queue, and so one order."""
    ours = last.plugins[ExtensionPoint.QUEUE_SORT][0]
    theirs = first.plugins[ExtensionPoint.QUEUE_SORT][0]
    name = quote(last.scheduler_name)
    if ours != theirs:
        plugins = f"{quote(ours)}, first: {quote(theirs)}"
        raise _build_error(f"different queue sort plugins for profile {name}: {plugins}")
    if last.other_args.get(ours) != first.other_args.get(theirs):
        raise _build_error(f"different queue sort plugin args for profile {name}")


def _build_error(detail: str) -> ConfigurationError:
    return ConfigurationError(Stage.BUILD, f"initializing profiles: {detail}")


def _profile(
    profile: DefaultedProfile,
    implementations: Implementations,
    ignored: list[str],
) -> model.Profile:
    args = {config.name: config.args for config in profile.plugin_config}
    if ignored:
        # What extenders look after takes the place of the user's list.
        args[_FIT] = {**args.get(_FIT, {}), "ignoredResources": ignored}
    if _FIT in profile.plugins.names():
        errors = fit_args_errors(args[_FIT])
        if errors:
            raise BuildError(f'initializing plugin "{_FIT}": {aggregate(errors)}')
    plugins = effective_plugins(profile.plugins, implementations)
    _check_counts(profile.scheduler_name, plugins)
    try:
        weights = score_weights(profile.plugins, implementations)
    except BuildError as error:
        raise BuildError(f"score plugins: {error}") from None
    return model.Profile(
        scheduler_name=profile.scheduler_name,
        percentage_of_nodes_to_score=profile.percentage_of_nodes_to_score,
        plugins=plugins,
        score_weights={name: weights[name] for name in plugins[ExtensionPoint.SCORE]},
        args={name: _TYPED[name](value) for name, value in args.items() if name in _TYPED},
        other_args={name: value for name, value in args.items() if f"{name}Args" not in ARGS},
    )


def _check_counts(name: str, plugins: Mapping[ExtensionPoint, tuple[str, ...]]) -> None:
    sorters = len(plugins[ExtensionPoint.QUEUE_SORT])
    place = f"for profile with scheduler name {quote(name)}"
    if sorters != 1:
        raise BuildError(f"only one queue sort plugin required {place}, but got {sorters}")
    if not plugins[ExtensionPoint.BIND]:
        raise BuildError(f"at least one bind plugin is needed {place}")
    if len(plugins[ExtensionPoint.PLACEMENT_GENERATE]) > 1:
        raise BuildError(f"at most one placement generate plugin is allowed {place}")


def _extender(wire: Fields) -> model.Extender:
    return model.Extender(
        url_prefix=wire.get("urlPrefix", ""),
        filter_verb=wire.get("filterVerb", ""),
        preempt_verb=wire.get("preemptVerb", ""),
        prioritize_verb=wire.get("prioritizeVerb", ""),
        bind_verb=wire.get("bindVerb", ""),
        weight=wire.get("weight", 0),
        ignorable=wire.get("ignorable", False),
        node_cache_capable=wire.get("nodeCacheCapable", False),
        managed_resources=tuple(
            model.ManagedResource(r.get("name", ""), r.get("ignoredByScheduler", False))
            for r in wire.get("managedResources", [])
        ),
    )


def _resources(specs: list[Fields]) -> tuple[model.ResourceSpec, ...]:
    return tuple(model.ResourceSpec(spec["name"], spec["weight"]) for spec in specs)


def _fit_args(args: Fields) -> model.NodeResourcesFitArgs:
    strategy = args["scoringStrategy"]
    ratio = strategy.get("requestedToCapacityRatio", {})
    return model.NodeResourcesFitArgs(
        ignored_resources=tuple(args.get("ignoredResources", ())),
        ignored_resource_groups=tuple(args.get("ignoredResourceGroups", ())),
        strategy=strategy["type"],
        resources=_resources(strategy["resources"]),
        shape=tuple(
            model.ShapePoint(point.get("utilization", 0), point.get("score", 0))
            for point in ratio.get("shape", ())
        ),
    )


def _dynamic_resources_args(args: Fields) -> model.DynamicResourcesArgs:
    return model.DynamicResourcesArgs(
        filter_timeout_us=args["filterTimeout"] // _NANOSECONDS_PER_MICROSECOND,
        binding_timeout_us=args["bindingTimeout"] // _NANOSECONDS_PER_MICROSECOND,
    )


_TYPED: Final[Mapping[str, Callable[[Fields], model.PluginArgs]]] = {
    "DefaultPreemption": lambda args: model.DefaultPreemptionArgs(
        args["minCandidateNodesPercentage"],
        args["minCandidateNodesAbsolute"],
    ),
    "DynamicResources": _dynamic_resources_args,
    "InterPodAffinity": lambda args: model.InterPodAffinityArgs(
        args["hardPodAffinityWeight"],
        args.get("ignorePreferredTermsOfExistingPods", False),
    ),
    "NodeAffinity": lambda args: model.NodeAffinityArgs(args.get("addedAffinity")),
    "NodeResourcesBalancedAllocation": lambda args: model.NodeResourcesBalancedAllocationArgs(
        _resources(args["resources"]),
    ),
    "NodeResourcesFit": _fit_args,
    "PodTopologySpread": lambda args: model.PodTopologySpreadArgs(
        args["defaultingType"],
        tuple(args["defaultConstraints"]),
    ),
    "VolumeBinding": lambda args: model.VolumeBindingArgs(args["bindTimeoutSeconds"]),
}
