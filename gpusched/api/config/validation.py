"""Validation of a defaulted configuration.

Source: kubernetes/kubernetes pkg/scheduler/apis/config/validation/validation.go, v1.36.1
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpusched.api.config.args_validation import ARGS_VALIDATORS
from gpusched.api.config.defaults import DefaultedConfiguration, DefaultedProfile
from gpusched.api.config.duration import format_duration
from gpusched.api.config.extension_points import ExtensionPoint
from gpusched.api.config.plugin_sets import PluginSet
from gpusched.api.config.schema import API_VERSION
from gpusched.api.names import label_key
from gpusched.api.validation.errors import FieldError, duplicate, each, invalid, required

_REMOVED_PLUGINS: Final = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")
_UNCHECKED_POINTS: Final = (ExtensionPoint.PLACEMENT_GENERATE, ExtensionPoint.PLACEMENT_SCORE)
_PERCENT: Final = 100
_REQUESTS_PREFIX: Final = "requests."


def configuration_errors(configuration: DefaultedConfiguration) -> list[FieldError]:
    """Return every error of a configuration, in upstream's order."""
    fields, errors = configuration.fields, []
    if configuration.client_burst < 0:
        burst = configuration.client_burst
        errors.append(invalid("clientConnection.burst", burst, "must be non-negative"))
    errors += _leader_election_errors(configuration.leader_election)
    if fields["parallelism"] <= 0:
        detail = "should be an integer value greater than zero"
        errors.append(invalid("parallelism", fields["parallelism"], detail))
    errors += _profiles_errors(configuration.profiles)
    global_percentage = fields["percentageOfNodesToScore"]
    errors += _percentage_errors("percentageOfNodesToScore", global_percentage)
    initial, longest = fields["podInitialBackoffSeconds"], fields["podMaxBackoffSeconds"]
    if initial <= 0:
        errors.append(invalid("podInitialBackoffSeconds", initial, "must be greater than 0"))
    if longest < initial:
        detail = "must be greater than or equal to PodInitialBackoffSeconds"
        errors.append(invalid("podMaxBackoffSeconds", longest, detail))
    return errors + _extenders_errors(fields["extenders"])


def _leader_election_errors(election: Mapping[str, Any]) -> list[FieldError]:
    if not election["leaderElect"]:
        return []
    errors = [
        invalid(f"leaderElection.{name}", format_duration(election[name]), detail)
        for name in ("leaseDuration", "renewDeadline", "retryPeriod")
        if election[name] <= 0
        for detail in ["must be greater than zero"]
    ]
    if election["leaseDuration"] <= election["renewDeadline"]:
        deadline = format_duration(election["renewDeadline"])
        detail = "must be greater than `RenewDeadline`"
        errors.append(invalid("leaderElection.leaseDuration", deadline, detail))
    if election["resourceLock"] != "leases":
        detail = 'resourceLock value must be "leases"'
        errors.append(invalid("leaderElection.resourceLock", election["resourceLock"], detail))
    return errors


def _percentage_errors(path: str, percentage: int | None) -> list[FieldError]:
    if percentage is None or 0 <= percentage <= _PERCENT:
        return []
    return [invalid(path, percentage, "not in valid range [0-100]")]


def _profiles_errors(profiles: Sequence[DefaultedProfile]) -> list[FieldError]:
    errors, names = [], set()
    for index, profile in enumerate(profiles):
        path = f"profiles[{index}]"
        errors += _profile_errors(path, profile)
        if profile.scheduler_name in names:
            errors.append(duplicate(f"{path}.schedulerName", {}))
        names.add(profile.scheduler_name)
    return errors + _queue_sort_errors(profiles)


def _profile_errors(path: str, profile: DefaultedProfile) -> list[FieldError]:
    errors = [] if profile.scheduler_name else [required(f"{path}.schedulerName")]
    percentage = profile.percentage_of_nodes_to_score
    errors += _percentage_errors(f"{path}.percentageOfNodesToScore", percentage)
    for point, plugins in profile.plugins.points.items():
        if point not in _UNCHECKED_POINTS:
            errors += _removed_plugin_errors(f"{path}.plugins.{point}", plugins)
    return errors + _plugin_config_errors(path, profile)


def _removed_plugin_errors(path: str, plugins: PluginSet) -> list[FieldError]:
    return [
        _removed(f"{path}.enabled[{index}]", plugin.name)
        for index, plugin in enumerate(plugins.enabled)
        if plugin.name in _REMOVED_PLUGINS
    ]


def _removed(path: str, plugin: str) -> FieldError:
    version = f'"v1" (KubeSchedulerConfiguration is version "{API_VERSION}")'
    return invalid(path, plugin, f"was invalid in version {version}")


def _plugin_config_errors(path: str, profile: DefaultedProfile) -> list[FieldError]:
    errors, seen = [], set()
    for index, config in enumerate(profile.plugin_config):
        place = f"{path}.pluginConfig[{index}]"
        if config.name in seen:
            errors.append(duplicate(place, config.name))
        seen.add(config.name)
        if config.name in _REMOVED_PLUGINS:
            errors.append(_removed(place, config.name))
        elif config.name in ARGS_VALIDATORS:
            errors += ARGS_VALIDATORS[config.name](f"{place}.args", config.args)
    return errors


def _queue_sort_errors(profiles: Sequence[DefaultedProfile]) -> list[FieldError]:
    first = profiles[0].plugins.points[ExtensionPoint.QUEUE_SORT]
    errors = []
    if len(first.enabled) > 1:
        path = "profiles[0].plugins.queueSort.Enabled"
        detail = "only one queue sort plugin can be enabled"
        errors.append(invalid(path, len(first.enabled), detail))
    for index, profile in enumerate(profiles[1:], 1):
        other = profile.plugins.points[ExtensionPoint.QUEUE_SORT]
        if other != first:
            path = f"profiles[{index}].plugins.queueSort"
            errors.append(invalid(path, _as_go(other), "must be the same for all profiles"))
        errors += _queue_sort_args_errors(
            f"profiles[{index}].pluginConfig.args", profiles[0], profile
        )
    return errors


def _queue_sort_args_errors(
    path: str,
    first: DefaultedProfile,
    profile: DefaultedProfile,
) -> list[FieldError]:
    """Compare the arguments of the queue sort plugin.

    Where the first profile names none at this point, upstream compares those of a plugin without
    a name.
    """
    enabled = first.plugins.points[ExtensionPoint.QUEUE_SORT].enabled
    name = enabled[0].name if enabled else ""
    theirs = [config.args for config in first.plugin_config if name and config.name == name]
    detail = "queueSort must be the same for all profiles"
    return [
        invalid(path, config.args, detail)
        for config in profile.plugin_config
        if config.name == name and config.args != (theirs[-1] if theirs else None)
    ]


def _as_go(plugins: PluginSet) -> dict[str, Any]:
    """Return a plugin set as upstream's internal struct prints itself."""
    return {
        "Enabled": [{"Name": p.name, "Weight": p.weight} for p in plugins.enabled] or None,
        "Disabled": [{"Name": name, "Weight": 0} for name in plugins.disabled] or None,
    }


def _extenders_errors(extenders: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    errors: list[FieldError] = []
    managed: set[str] = set()
    for index, extender in enumerate(extenders):
        path = f"extenders[{index}]"
        weight = extender.get("weight", 0)
        if extender.get("prioritizeVerb") and weight <= 0:
            detail = "must have a positive weight applied to it"
            errors.append(invalid(f"{path}.weight", weight, detail))
        for position, resource in enumerate(extender.get("managedResources", [])):
            name = resource.get("name", "")
            place = f"{path}.managedResources[{position}].name"
            errors += _extended_resource_errors(place, name)
            if name in managed:
                errors.append(invalid(place, name, "duplicate extender managed resource name"))
            managed.add(name)
    binders = sum(1 for extender in extenders if extender.get("bindVerb"))
    if binders > 1:
        found = f"found {binders} extenders implementing bind"
        errors.append(invalid("extenders", found, "only one extender can implement bind"))
    return errors


def _extended_resource_errors(path: str, name: str) -> list[FieldError]:
    errors = list(each(path, name, label_key(name)))
    if not errors and not _is_extended_resource(name):
        errors.append(invalid(path, name, "is an invalid extended resource name"))
    return errors


def _is_extended_resource(name: str) -> bool:
    """Return whether a resource is one that Kubernetes itself does not know.

    Source: kubernetes/kubernetes pkg/apis/core/v1/helper/helpers.go, v1.36.1
    """
    native = "/" not in name or "kubernetes.io/" in name
    if native or name.startswith(_REQUESTS_PREFIX):
        return False
    return not label_key(_REQUESTS_PREFIX + name)
