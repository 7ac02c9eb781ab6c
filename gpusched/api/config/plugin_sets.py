"""Which plugins a profile enables: the user's plugin sets merged with the defaults.

Defaults live in ``multiPoint`` only; the other sets hold what the user wrote.

Source: kubernetes/kubernetes pkg/scheduler/apis/config/v1/default_plugins.go, v1.36.1
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.config.extension_points import ExtensionPoint
from gpusched.api.config.schema import MULTI_POINT

ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class EnabledPlugin:
    """A plugin in a list of enabled ones; weight 0 stands for none given."""

    name: str
    weight: int = 0


@dataclass(frozen=True, slots=True)
class PluginSet:
    """The enabled plugins, and the names of the disabled ones, in order."""

    enabled: tuple[EnabledPlugin, ...] = ()
    disabled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginSets:
    """All plugin sets of a profile."""

    points: Mapping[ExtensionPoint, PluginSet]
    multi_point: PluginSet

    def names(self) -> set[str]:
        """Return the name of every plugin that is enabled anywhere."""
        return {plugin.name for plugins in self._all() for plugin in plugins.enabled}

    def _all(self) -> Iterator[PluginSet]:
        yield self.multi_point
        yield from self.points.values()


DEFAULT_PLUGINS: Final = (
    EnabledPlugin("SchedulingGates"),
    EnabledPlugin("PrioritySort"),
    EnabledPlugin("NodeUnschedulable"),
    EnabledPlugin("NodeName"),
    EnabledPlugin("TaintToleration", 3),
    EnabledPlugin("NodeAffinity", 2),
    EnabledPlugin("NodePorts"),
    EnabledPlugin("NodeResourcesFit", 1),
    EnabledPlugin("VolumeRestrictions"),
    EnabledPlugin("NodeVolumeLimits"),
    EnabledPlugin("VolumeBinding"),
    EnabledPlugin("VolumeZone"),
    EnabledPlugin("PodTopologySpread", 2),
    EnabledPlugin("InterPodAffinity", 2),
    EnabledPlugin("DynamicResources", 2),
    EnabledPlugin("DefaultPreemption"),
    EnabledPlugin("NodeResourcesBalancedAllocation", 1),
    EnabledPlugin("ImageLocality", 1),
    EnabledPlugin("DefaultBinder"),
    EnabledPlugin("NodeDeclaredFeatures"),
)
"""The default plugins with the default feature gates, in order."""


def merge_with_defaults(plugins: Mapping[str, Any]) -> PluginSets:
    """Merge a profile's ``plugins`` (as on the wire) with the default plugins."""
    return PluginSets(
        {point: _read(plugins.get(point.value, {})) for point in ExtensionPoint},
        _merge(_read(plugins.get(MULTI_POINT, {}))),
    )


def _read(wire: Mapping[str, Any]) -> PluginSet:
    return PluginSet(
        tuple(
            EnabledPlugin(plugin.get("name", ""), plugin.get("weight", 0))
            for plugin in wire.get("enabled", [])
        ),
        tuple(plugin.get("name", "") for plugin in wire.get("disabled", [])),
    )


def _merge(custom: PluginSet) -> PluginSet:
    """Lay the user's multiPoint set over the defaults.

    A default that is enabled once more keeps its place and takes the new weight; every other
    enabled plugin is appended, so that a repeated one is found later.
    """
    last_index = {plugin.name: index for index, plugin in enumerate(custom.enabled)}
    replacing = set()
    enabled = []
    for default in () if ALL in custom.disabled else DEFAULT_PLUGINS:
        if default.name in custom.disabled:
            continue
        index = last_index.get(default.name)
        if index is not None:
            replacing.add(index)
        enabled.append(default if index is None else custom.enabled[index])
    rest = (p for index, p in enumerate(custom.enabled) if index not in replacing)
    return PluginSet((*enabled, *rest), custom.disabled)
