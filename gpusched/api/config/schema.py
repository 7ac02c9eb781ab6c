"""The fields of KubeSchedulerConfiguration and of the plugin arguments, as they are on the wire.

Source: kubernetes/kube-scheduler config/v1/{types,types_pluginargs}.go, v0.36.1
"""

from typing import Final

from gpusched.api.config.extension_points import ExtensionPoint
from gpusched.api.config.wire import Duration, ListOf, MapOf, Raw, Scalar, Struct

GROUP: Final = "kubescheduler.config.k8s.io"
API_VERSION: Final = f"{GROUP}/v1"

_STRING: Final = Scalar("string")
_BOOL: Final = Scalar("bool")
_INT32: Final = Scalar("int32")
_INT64: Final = Scalar("int64")
_BYTES: Final = Scalar("string", "[]uint8")
_TYPE_META: Final = {"kind": _STRING, "apiVersion": _STRING}


def _named(name: str) -> Scalar:
    return Scalar("string", f"v1.{name}")


_PLUGIN: Final = Struct("Plugin", {"name": _STRING, "weight": _INT32})
_PLUGIN_SET: Final = Struct(
    "PluginSet",
    {"enabled": ListOf(_PLUGIN), "disabled": ListOf(_PLUGIN)},
)
MULTI_POINT: Final = "multiPoint"
_PLUGINS: Final = Struct(
    "Plugins",
    dict.fromkeys([*(point.value for point in ExtensionPoint), MULTI_POINT], _PLUGIN_SET),
)
_PROFILE: Final = Struct(
    "KubeSchedulerProfile",
    {
        "schedulerName": _STRING,
        "percentageOfNodesToScore": _INT32,
        "plugins": _PLUGINS,
        "pluginConfig": ListOf(Struct("PluginConfig", {"name": _STRING, "args": Raw()})),
    },
)
_EXTENDER: Final = Struct(
    "Extender",
    {
        "urlPrefix": _STRING,
        "filterVerb": _STRING,
        "preemptVerb": _STRING,
        "prioritizeVerb": _STRING,
        "weight": _INT64,
        "bindVerb": _STRING,
        "enableHTTPS": _BOOL,
        "tlsConfig": Struct(
            "ExtenderTLSConfig",
            {
                "insecure": _BOOL,
                **dict.fromkeys(("serverName", "certFile", "keyFile", "caFile"), _STRING),
                **dict.fromkeys(("certData", "keyData", "caData"), _BYTES),
            },
        ),
        "httpTimeout": Duration(),
        "nodeCacheCapable": _BOOL,
        "managedResources": ListOf(
            Struct("ExtenderManagedResource", {"name": _STRING, "ignoredByScheduler": _BOOL}),
        ),
        "ignorable": _BOOL,
    },
)
_LEADER_ELECTION: Final = Struct(
    "LeaderElectionConfiguration",
    {
        "leaderElect": _BOOL,
        **dict.fromkeys(("leaseDuration", "renewDeadline", "retryPeriod"), Duration()),
        **dict.fromkeys(("resourceLock", "resourceName", "resourceNamespace"), _STRING),
    },
    package="v1alpha1",
)
_CLIENT_CONNECTION: Final = Struct(
    "ClientConnectionConfiguration",
    {
        **dict.fromkeys(("kubeconfig", "acceptContentTypes", "contentType"), _STRING),
        "qps": Scalar("float32"),
        "burst": _INT32,
    },
    package="v1alpha1",
)
CONFIGURATION: Final = Struct(
    "KubeSchedulerConfiguration",
    {
        **_TYPE_META,
        "parallelism": _INT32,
        "leaderElection": _LEADER_ELECTION,
        "clientConnection": _CLIENT_CONNECTION,
        "enableProfiling": _BOOL,
        "enableContentionProfiling": _BOOL,
        "percentageOfNodesToScore": _INT32,
        "podInitialBackoffSeconds": _INT64,
        "podMaxBackoffSeconds": _INT64,
        "profiles": ListOf(_PROFILE),
        "extenders": ListOf(_EXTENDER),
        "delayCacheUntilActive": _BOOL,
    },
    embedded={
        "enableProfiling": "DebuggingConfiguration",
        "enableContentionProfiling": "DebuggingConfiguration",
    },
)

_RESOURCES: Final = ListOf(Struct("ResourceSpec", {"name": _STRING, "weight": _INT64}))
_SHAPE: Final = ListOf(
    Struct("UtilizationShapePoint", {"utilization": _INT32, "score": _INT32}),
)
_NODE_REQUIREMENT: Final = Struct(
    "NodeSelectorRequirement",
    {"key": _STRING, "operator": _named("NodeSelectorOperator"), "values": ListOf(_STRING)},
)
_NODE_TERM: Final = Struct(
    "NodeSelectorTerm",
    dict.fromkeys(("matchExpressions", "matchFields"), ListOf(_NODE_REQUIREMENT)),
)
_NODE_AFFINITY: Final = Struct(
    "NodeAffinity",
    {
        "requiredDuringSchedulingIgnoredDuringExecution": Struct(
            "NodeSelector",
            {"nodeSelectorTerms": ListOf(_NODE_TERM)},
        ),
        "preferredDuringSchedulingIgnoredDuringExecution": ListOf(
            Struct("PreferredSchedulingTerm", {"weight": _INT32, "preference": _NODE_TERM}),
        ),
    },
)
_LABEL_SELECTOR: Final = Struct(
    "LabelSelector",
    {
        "matchLabels": MapOf(_STRING),
        "matchExpressions": ListOf(
            Struct(
                "LabelSelectorRequirement",
                {
                    "key": _STRING,
                    "operator": _named("LabelSelectorOperator"),
                    "values": ListOf(_STRING),
                },
            ),
        ),
    },
)
_SPREAD_CONSTRAINT: Final = Struct(
    "TopologySpreadConstraint",
    {
        "maxSkew": _INT32,
        "topologyKey": _STRING,
        "whenUnsatisfiable": _named("UnsatisfiableConstraintAction"),
        "labelSelector": _LABEL_SELECTOR,
        "minDomains": _INT32,
        "nodeAffinityPolicy": _named("NodeInclusionPolicy"),
        "nodeTaintsPolicy": _named("NodeInclusionPolicy"),
        "matchLabelKeys": ListOf(_STRING),
    },
)
_SCORING_STRATEGY: Final = Struct(
    "ScoringStrategy",
    {
        "type": _named("ScoringStrategyType"),
        "resources": _RESOURCES,
        "requestedToCapacityRatio": Struct("RequestedToCapacityRatioParam", {"shape": _SHAPE}),
    },
)

ARGS: Final = {
    kind.name: kind
    for kind in (
        Struct(
            "DefaultPreemptionArgs",
            {
                **_TYPE_META,
                "minCandidateNodesPercentage": _INT32,
                "minCandidateNodesAbsolute": _INT32,
            },
        ),
        Struct(
            "DynamicResourcesArgs",
            {
                **_TYPE_META,
                **dict.fromkeys(("filterTimeout", "bindingTimeout"), Duration(pointer=True)),
            },
        ),
        Struct(
            "InterPodAffinityArgs",
            {
                **_TYPE_META,
                "hardPodAffinityWeight": _INT32,
                "ignorePreferredTermsOfExistingPods": _BOOL,
            },
        ),
        Struct("NodeAffinityArgs", {**_TYPE_META, "addedAffinity": _NODE_AFFINITY}),
        Struct("NodeResourcesBalancedAllocationArgs", {**_TYPE_META, "resources": _RESOURCES}),
        Struct(
            "NodeResourcesFitArgs",
            {
                **_TYPE_META,
                "ignoredResources": ListOf(_STRING),
                "ignoredResourceGroups": ListOf(_STRING),
                "scoringStrategy": _SCORING_STRATEGY,
            },
        ),
        Struct(
            "PodTopologySpreadArgs",
            {
                **_TYPE_META,
                "defaultConstraints": ListOf(_SPREAD_CONSTRAINT),
                "defaultingType": _named("PodTopologySpreadConstraintsDefaulting"),
            },
        ),
        Struct(
            "VolumeBindingArgs",
            {**_TYPE_META, "bindTimeoutSeconds": _INT64, "shape": _SHAPE},
        ),
    )
}
"""Kind of plugin arguments to its fields."""
