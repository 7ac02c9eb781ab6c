"""KubeSchedulerConfiguration, as kube-scheduler reads it: text in, effective profiles out.

The room decodes strictly, applies defaults, validates, and works out which plugin runs at which
extension point, in upstream's words where it refuses. It knows the in-tree plugins by name only:
what a plugin does, and whether one is registered elsewhere, is for the rooms above.

Source: kubernetes/kubernetes pkg/scheduler/apis/config, v1.36.1
"""

from gpusched.api.config.configuration import default_configuration, load_configuration
from gpusched.api.config.errors import ConfigurationError, Stage
from gpusched.api.config.extension_points import IN_TREE_PLUGINS, ExtensionPoint
from gpusched.api.config.model import (
    DefaultPreemptionArgs,
    DynamicResourcesArgs,
    Extender,
    InterPodAffinityArgs,
    ManagedResource,
    NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    PluginArgs,
    PodTopologySpreadArgs,
    Profile,
    ResourceSpec,
    SchedulerConfiguration,
    ShapePoint,
    VolumeBindingArgs,
)

__all__ = [
    "IN_TREE_PLUGINS",
    "ConfigurationError",
    "DefaultPreemptionArgs",
    "DynamicResourcesArgs",
    "Extender",
    "ExtensionPoint",
    "InterPodAffinityArgs",
    "ManagedResource",
    "NodeAffinityArgs",
    "NodeResourcesBalancedAllocationArgs",
    "NodeResourcesFitArgs",
    "PluginArgs",
    "PodTopologySpreadArgs",
    "Profile",
    "ResourceSpec",
    "SchedulerConfiguration",
    "ShapePoint",
    "Stage",
    "VolumeBindingArgs",
    "default_configuration",
    "load_configuration",
]
