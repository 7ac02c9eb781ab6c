"""The extension points of the scheduling framework, and which in-tree plugin implements which.

Source: kubernetes/kubernetes pkg/scheduler/framework/runtime/framework.go (getExtensionPoints) and
pkg/scheduler/framework/plugins/registry.go, v1.36.1
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ExtensionPoint(StrEnum):
    """A step of the scheduling cycle at which plugins run; the value is its name in the YAML.

    The members stand in the order in which the framework registers plugins, which decides which of
    several mistakes is reported.
    """

    PRE_FILTER = "preFilter"
    FILTER = "filter"
    POST_FILTER = "postFilter"
    RESERVE = "reserve"
    PRE_SCORE = "preScore"
    SCORE = "score"
    PRE_BIND = "preBind"
    BIND = "bind"
    POST_BIND = "postBind"
    PERMIT = "permit"
    PRE_ENQUEUE = "preEnqueue"
    QUEUE_SORT = "queueSort"
    PLACEMENT_GENERATE = "placementGenerate"
    PLACEMENT_SCORE = "placementScore"

    @property
    def interface(self) -> str:
        """Name of the Go interface, as error messages give it, e.g. ``PreFilterPlugin``."""
        return f"{self.value[0].upper()}{self.value[1:]}Plugin"


_P = ExtensionPoint

_FILTERS: Final = frozenset({_P.PRE_FILTER, _P.FILTER})
_SCORES: Final = frozenset({_P.PRE_SCORE, _P.SCORE})
_BINDS: Final = frozenset({_P.RESERVE, _P.PRE_BIND})

IN_TREE_PLUGINS: Final[Mapping[str, frozenset[ExtensionPoint]]] = MappingProxyType(
    {
        "DefaultBinder": frozenset({_P.BIND}),
        "DefaultPreemption": frozenset({_P.PRE_ENQUEUE, _P.POST_FILTER}),
        "DynamicResources": _FILTERS | _BINDS | {_P.PRE_ENQUEUE, _P.POST_FILTER, _P.SCORE},
        "GangScheduling": frozenset({_P.PRE_ENQUEUE, _P.PERMIT}),
        "ImageLocality": frozenset({_P.SCORE}),
        "InterPodAffinity": _FILTERS | _SCORES,
        "NodeAffinity": _FILTERS | _SCORES,
        "NodeDeclaredFeatures": _FILTERS,
        "NodeName": frozenset({_P.FILTER}),
        "NodePorts": _FILTERS,
        "NodeResourcesBalancedAllocation": _SCORES,
        "NodeResourcesFit": _FILTERS | _SCORES | {_P.PLACEMENT_SCORE},
        "NodeUnschedulable": frozenset({_P.FILTER}),
        "NodeVolumeLimits": _FILTERS,
        "PodGroupPodsCount": frozenset({_P.PLACEMENT_SCORE}),
        "PodTopologySpread": _FILTERS | _SCORES,
        "PrioritySort": frozenset({_P.QUEUE_SORT}),
        "SchedulingGates": frozenset({_P.PRE_ENQUEUE}),
        "TaintToleration": _SCORES | {_P.FILTER},
        "TopologyPlacementGenerator": frozenset({_P.PLACEMENT_GENERATE}),
        "VolumeBinding": _FILTERS | _SCORES | _BINDS,
        "VolumeRestrictions": _FILTERS,
        "VolumeZone": _FILTERS,
    },
)
"""Every plugin that is built into kube-scheduler, with the extension points that it implements."""
