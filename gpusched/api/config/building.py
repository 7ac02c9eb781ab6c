"""What kube-scheduler builds of a validated profile: plugins in order, weights, or a refusal.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go (NewFramework), v1.36.1
"""

from collections.abc import Iterable, Mapping
from typing import Final

from gpusched.api.config.extension_points import ExtensionPoint
from gpusched.api.config.plugin_sets import ALL, EnabledPlugin, PluginSet, PluginSets
from gpusched.api.validation.errors import quote

Implementations = Mapping[str, frozenset[ExtensionPoint]]
"""Plugin name to the extension points that it implements."""

_LARGEST_INT64: Final = 2**63 - 1
_LARGEST_SCORE: Final = 100


class BuildError(ValueError):
    """A profile cannot be built; the message is upstream's."""


def effective_plugins(
    plugins: PluginSets,
    implementations: Implementations,
) -> dict[ExtensionPoint, tuple[str, ...]]:
    """Return the plugins of every extension point, in the order in which they run.

    Args:
        plugins: The profile's plugin sets.
        implementations: Every plugin that exists.

    Raises:
        BuildError: A plugin does not exist, does not extend the point, or stands twice.
    """
    for point, plugin_set in plugins.points.items():
        _check_point(point, plugin_set, implementations)
    if not plugins.multi_point.enabled:
        return {p: tuple(e.name for e in s.enabled) for p, s in plugins.points.items()}
    return {
        point: _expand(point, plugin_set, plugins.multi_point, implementations)
        for point, plugin_set in plugins.points.items()
    }


def _check_point(
    point: ExtensionPoint,
    plugin_set: PluginSet,
    implementations: Implementations,
) -> None:
    seen = set()
    for plugin in plugin_set.enabled:
        if plugin.name not in implementations:
            raise BuildError(f"{point.interface} {quote(plugin.name)} does not exist")
        if point not in implementations[plugin.name]:
            name = quote(plugin.name)
            raise BuildError(f"plugin {name} does not extend {point.interface} plugin")
        if plugin.name in seen:
            raise _registered_twice(plugin.name, point)
        seen.add(plugin.name)


def _registered_twice(plugin: str, point: ExtensionPoint) -> BuildError:
    return BuildError(f'plugin "{plugin}" already registered as "{point.interface}"')


def _expand(
    point: ExtensionPoint,
    plugin_set: PluginSet,
    multi_point: PluginSet,
    implementations: Implementations,
) -> tuple[str, ...]:
    """Order: the point's own that stand in multiPoint too, then multiPoint's, then the rest."""
    own = [plugin.name for plugin in plugin_set.enabled]
    if ALL in plugin_set.disabled:
        return tuple(own)
    expanded: list[str] = []
    overridden = set()
    for plugin in multi_point.enabled:
        if plugin.name not in implementations:
            raise BuildError(f"{point.interface} {quote(plugin.name)} does not exist")
        if point not in implementations[plugin.name] or plugin.name in plugin_set.disabled:
            continue
        if plugin.name in own:
            overridden.add(plugin.name)
        elif plugin.name in expanded:
            raise _registered_twice(plugin.name, point)
        else:
            expanded.append(plugin.name)
    first = [name for name in own if name in overridden]
    return (*first, *expanded, *(name for name in own if name not in overridden))


def score_weights(
    plugins: PluginSets,
    implementations: Implementations,
    point: ExtensionPoint = ExtensionPoint.SCORE,
) -> dict[str, int]:
    """Return the weight of every plugin that can score; a point's own weight comes first.

    Raises:
        BuildError: The largest possible total does not fit into 64 bits.
    """
    weights: dict[str, int] = {}
    total = 0
    enabled: Iterable[EnabledPlugin] = (
        *plugins.points[point].enabled,
        *plugins.multi_point.enabled,
    )
    for plugin in enabled:
        if point not in implementations.get(plugin.name, ()) or plugin.name in weights:
            continue
        weights[plugin.name] = plugin.weight or 1
        share = weights[plugin.name] * _LARGEST_SCORE
        # Upstream subtracts in 64 bits: below zero it wraps, and then nothing is small enough.
        if share > _LARGEST_INT64 - total or total < 0:
            raise BuildError("total score of Score plugins could overflow")
        total += share
    return weights
