"""The in-tree plugins: one file each, named as in KubeSchedulerConfiguration, listed here.

Adding a plugin is one file and one line. Plugins do not know each other.
"""

from collections.abc import Callable
from typing import Any

from gpusched.kube.framework.interface import Plugin
from gpusched.kube.framework.runtime import PluginFactory, Registry
from gpusched.kube.plugins.default_binder import DefaultBinder
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.kube.plugins.dynamic_resources import DynamicResources
from gpusched.kube.plugins.image_locality import ImageLocality
from gpusched.kube.plugins.inter_pod_affinity import InterPodAffinity
from gpusched.kube.plugins.node_affinity import NodeAffinity
from gpusched.kube.plugins.node_declared_features import NodeDeclaredFeatures
from gpusched.kube.plugins.node_name import NodeName
from gpusched.kube.plugins.node_ports import NodePorts
from gpusched.kube.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from gpusched.kube.plugins.node_resources_fit import NodeResourcesFit
from gpusched.kube.plugins.node_unschedulable import NodeUnschedulable
from gpusched.kube.plugins.node_volume_limits import NodeVolumeLimits
from gpusched.kube.plugins.pod_topology_spread import PodTopologySpread
from gpusched.kube.plugins.priority_sort import PrioritySort
from gpusched.kube.plugins.scheduling_gates import SchedulingGates
from gpusched.kube.plugins.taint_toleration import TaintToleration
from gpusched.kube.plugins.volume_binding import VolumeBinding
from gpusched.kube.plugins.volume_restrictions import VolumeRestrictions
from gpusched.kube.plugins.volume_zone import VolumeZone


def _plain(plugin: Callable[[], Plugin]) -> PluginFactory:
    """Return the factory of a plugin that takes nothing."""
    return lambda _args, _handle: plugin()


def _configured(plugin: Callable[[Any], Plugin]) -> PluginFactory:
    """Return the factory of a plugin that takes its arguments only."""
    return lambda args, _handle: plugin(args)


IN_TREE: Registry = {
    "SchedulingGates": _plain(SchedulingGates),
    "PrioritySort": _plain(PrioritySort),
    "NodeUnschedulable": _plain(NodeUnschedulable),
    "NodeName": _plain(NodeName),
    "TaintToleration": _plain(TaintToleration),
    "NodeAffinity": _configured(NodeAffinity),
    "NodePorts": _plain(NodePorts),
    "NodeResourcesFit": NodeResourcesFit,
    "VolumeRestrictions": _plain(VolumeRestrictions),
    "NodeVolumeLimits": _plain(NodeVolumeLimits),
    "VolumeBinding": _plain(VolumeBinding),
    "VolumeZone": _plain(VolumeZone),
    "PodTopologySpread": _configured(PodTopologySpread.create),
    "InterPodAffinity": _configured(InterPodAffinity.create),
    "DynamicResources": DynamicResources,
    "DefaultPreemption": DefaultPreemption.create,
    "NodeResourcesBalancedAllocation": NodeResourcesBalancedAllocation,
    "ImageLocality": _plain(ImageLocality),
    "NodeDeclaredFeatures": _plain(NodeDeclaredFeatures),
    "DefaultBinder": _plain(DefaultBinder),
}
"""Plugin name to factory ``(args, handle) -> plugin``."""


def is_in_tree(registry: Registry) -> bool:
    """Return whether a registry holds no plugin of the user's own."""
    return all(IN_TREE.get(name) is factory for name, factory in registry.items())
