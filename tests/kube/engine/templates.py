"""Pods and objects of all kinds that a scheduler treats differently, to draw from."""

from typing import Any, Final

from tests.kube.engine.clusters import HOSTNAME, ZONE

Json = dict[str, Any]

_WEB: Final = {"matchLabels": {"app": "web"}}


def pod(requests: Json | None = None, *, container: Json | None = None, **spec: Any) -> Json:
    """Return a template; ``labels`` and ``owners`` go into its metadata."""
    metadata = {"labels": spec.pop("labels", {}), "ownerReferences": spec.pop("owners", [])}
    main = {"name": "c", "image": "x:1", "resources": {"requests": requests or {}}}
    return {"metadata": metadata, "spec": {"containers": [main | (container or {})], **spec}}


def _spread(key: str, when: str, **more: Any) -> list[Json]:
    constraint = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when}
    return [{**constraint, "labelSelector": _WEB, **more}]


def _near(kind: str, key: str, **more: Any) -> Json:
    term = {"topologyKey": key, "labelSelector": _WEB, **more}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _rather_near(kind: str, key: str) -> Json:
    term = {"weight": 7, "podAffinityTerm": {"topologyKey": key, "labelSelector": _WEB}}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}


def _in_zone(zone: str) -> Json:
    expression = {"key": ZONE, "operator": "In", "values": [zone]}
    return {"weight": 3, "preference": {"matchExpressions": [expression]}}


def _claimed(name: str) -> list[Json]:
    return [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]


def _owned_by(kind: str, api_version: str = "apps/v1") -> list[Json]:
    owner = {"apiVersion": api_version, "kind": kind, "name": "web", "uid": "web"}
    return [{**owner, "controller": True}]


_HOST_PORT: Final = {"ports": [{"containerPort": 80, "hostPort": 80}]}
_DISK: Final = {"name": "disk", "gcePersistentDisk": {"pdName": "one"}}
_GPU: Final = {"x.com/gpu": "1"}
_DEVICE: Final = {"dra.com/gpu": "1"}
_TEAM: Final = {"matchLabels": {"team": "a"}}

PODS: Final[dict[str, Json]] = {
    "idle": pod(),
    "small": pod({"cpu": "1"}),
    "large": pod({"cpu": "3", "memory": "5Gi"}),
    "too large": pod({"cpu": "9"}),
    "gpu": pod({"cpu": "500m"}, container={"resources": {"requests": _GPU, "limits": _GPU}}),
    "device": pod(container={"resources": {"requests": _DEVICE, "limits": _DEVICE}}),
    "claim": pod(
        resourceClaims=[{"name": "d", "resourceClaimName": "own"}],
        container={"resources": {"claims": [{"name": "d"}]}},
    ),
    "picky": pod({"cpu": "1"}, nodeSelector={ZONE: "a"}),
    "fond": pod(
        {"cpu": "1"},
        affinity={
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_in_zone("b")]}
        },
    ),
    "tolerant": pod({"cpu": "1"}, tolerations=[{"key": "k", "operator": "Exists"}]),
    "port": pod({"cpu": "1"}, container=_HOST_PORT),
    "disk": pod({"cpu": "1"}, volumes=[_DISK]),
    "bound volume": pod({"cpu": "1"}, volumes=_claimed("bound")),
    "waiting volume": pod({"cpu": "1"}, volumes=_claimed("waiting")),
    "urgent": pod({"cpu": "2"}, priority=100),
    "urgent and kind": pod({"cpu": "2"}, priority=100, preemptionPolicy="Never"),
    "urgent device": pod(
        priority=100, container={"resources": {"requests": _DEVICE, "limits": _DEVICE}}
    ),
    "lone": pod({"cpu": "500m"}),
    "web": pod({"cpu": "500m"}, labels={"app": "web"}),
    "owned web": pod({"cpu": "500m"}, labels={"app": "web"}, owners=_owned_by("ReplicaSet")),
    "owned by a set": pod(labels={"app": "web"}, owners=_owned_by("StatefulSet")),
    "controlled": pod(
        {"cpu": "250m"},
        labels={"app": "web", "tier": "front"},
        owners=_owned_by("ReplicationController", "v1"),
    ),
    "even zones": pod(
        {"cpu": "250m"},
        labels={"app": "web"},
        topologySpreadConstraints=_spread(ZONE, "DoNotSchedule"),
    ),
    "even hosts": pod(
        {"cpu": "250m"},
        labels={"app": "web"},
        topologySpreadConstraints=_spread(HOSTNAME, "DoNotSchedule", nodeTaintsPolicy="Honor"),
    ),
    "rather even": pod(
        {"cpu": "250m"},
        labels={"app": "web"},
        topologySpreadConstraints=_spread(ZONE, "ScheduleAnyway"),
    ),
    "rather even hosts": pod(
        {"cpu": "250m"},
        labels={"app": "web"},
        topologySpreadConstraints=_spread(HOSTNAME, "ScheduleAnyway", maxSkew=2),
    ),
    "rather even everywhere": pod(
        labels={"app": "web"},
        nodeSelector={ZONE: "b"},
        topologySpreadConstraints=[
            *_spread(ZONE, "ScheduleAnyway", nodeAffinityPolicy="Ignore"),
            *_spread(HOSTNAME, "ScheduleAnyway", labelSelector={"matchLabels": {"tier": "front"}}),
            *_spread("pool", "ScheduleAnyway", nodeTaintsPolicy="Honor", maxSkew=3),
        ],
    ),
    "near": pod({"cpu": "250m"}, affinity=_near("podAffinity", ZONE)),
    "near a team's": pod(affinity=_near("podAffinity", ZONE, namespaceSelector=_TEAM)),
    "far": pod({"cpu": "250m"}, labels={"app": "web"}, affinity=_near("podAntiAffinity", HOSTNAME)),
    "far from a team's": pod(affinity=_near("podAntiAffinity", ZONE, namespaceSelector=_TEAM)),
    "rather near": pod(affinity=_rather_near("podAffinity", ZONE)),
    "rather far": pod({"cpu": "1"}, affinity=_rather_near("podAntiAffinity", HOSTNAME)),
}  # fmt: skip
"""Templates by name."""


def _obj(
    api_version: str, kind: str, name: str, /, metadata: Json | None = None, **more: Any
) -> Json:
    full = {"name": name, **(metadata or {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": full, **more}


def _volume(name: str, zone: str, storage_class: str) -> Json:
    expression = {"key": ZONE, "operator": "In", "values": [zone]}
    return _obj(
        "v1",
        "PersistentVolume",
        name,
        spec={
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "csi": {"driver": "csi.com", "volumeHandle": name},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
            },
        },
        status={"phase": "Available"},
    )


def _claim(name: str, volume: str = "") -> Json:
    bound = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}} if volume else {}
    return _obj(
        "v1",
        "PersistentVolumeClaim",
        name,
        {"namespace": "default", **bound},
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "late",
            **({"volumeName": volume} if volume else {}),
        },
        status={"phase": "Bound" if volume else "Pending"},
    )


def _slice(node: str, *devices: str) -> Json:
    return _obj(
        "resource.k8s.io/v1",
        "ResourceSlice",
        f"slice-{node}",
        spec={
            "driver": "dra.com",
            "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
            "devices": [{"name": device} for device in devices],
        },
    )


def _budget(allowed: int) -> Json:
    status = {"disruptionsAllowed": allowed}
    spec = {"minAvailable": 1, "selector": _WEB}
    metadata = {"namespace": "default"}
    return _obj("policy/v1", "PodDisruptionBudget", "web", metadata, spec=spec, status=status)


_EVERY_DEVICE: Final = {"selectors": [{"cel": {"expression": "device.driver == 'dra.com'"}}]}
_OWN: Final = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}
_FRONT: Final = {"matchLabels": {"tier": "front"}}


def _workload(kind: str, selector: Json, api_version: str = "apps/v1") -> Json:
    labels = {"app": "web", "tier": "front"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
    spec = {"replicas": 3, "selector": selector, "template": template}
    return _obj(api_version, kind, "web", {"namespace": "default"}, spec=spec)


OBJECTS: Final[dict[str, Json]] = {
    "service": _obj(
        "v1", "Service", "web", {"namespace": "default"}, spec={"selector": {"app": "web"}}
    ),
    "replica set": _workload("ReplicaSet", _WEB),
    "another replica set": _workload("ReplicaSet", _FRONT),
    "stateful set": _workload("StatefulSet", _WEB),
    "controller": _workload("ReplicationController", {"app": "web"}, "v1"),
    "another controller": _workload("ReplicationController", {"tier": "front"}, "v1"),
    "namespace of a team": _obj("v1", "Namespace", "default", {"labels": {"team": "a"}}),
    "namespace of nobody": _obj("v1", "Namespace", "default"),
    "strict budget": _budget(0),
    "loose budget": _budget(5),
    "class": _obj(
        "storage.k8s.io/v1", "StorageClass", "late",
        provisioner="kubernetes.io/no-provisioner", volumeBindingMode="WaitForFirstConsumer",
    ),
    "volume in a": _volume("va", "a", "late"),
    "volume in b": _volume("vb", "b", "late"),
    "bound claim": _claim("bound", "va"),
    "waiting claim": _claim("waiting"),
    "device class": _obj("resource.k8s.io/v1", "DeviceClass", "gpu", spec=_EVERY_DEVICE),
    "device class for a resource": _obj(
        "resource.k8s.io/v1", "DeviceClass", "gpu",
        spec={**_EVERY_DEVICE, "extendedResourceName": "dra.com/gpu"},
    ),
    "devices on n0": _slice("n0", "d0"),
    "devices on n1": _slice("n1", "d0", "d1", "d2"),
    "claim for a device": _obj(
        "resource.k8s.io/v1", "ResourceClaim", "own", {"namespace": "default"}, spec=_OWN
    ),
}  # fmt: skip
"""Objects beside pods and nodes, by a name of ours; some replace each other."""

NODES: Final[dict[str, Json]] = {
    "plain": {},
    "in zone a": {"labels": {ZONE: "a"}},
    "in zone b": {"labels": {ZONE: "b"}},
    "large, in zone b": {"labels": {ZONE: "b"}, "allocatable": {"cpu": "8"}},
    "in a zone without a name, in a pool": {"labels": {ZONE: "", "pool": "p"}},
    "without a hostname, in a pool": {"labels": {ZONE: "b", HOSTNAME: None, "pool": "q"}},
    "with gpus": {"labels": {ZONE: "a"}, "allocatable": {"x.com/gpu": "2"}},
    "with a device of its own": {"allocatable": {"dra.com/gpu": "1"}},
    "cordoned": {"labels": {ZONE: "a"}, "unschedulable": True},
    "tainted": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
    "rather not": {"taints": [{"key": "k", "value": "v", "effect": "PreferNoSchedule"}]},
}
"""What a node may be like; `Cluster.put_node`'s arguments."""


def _args(plugin: str, **args: Any) -> Json:
    return {"pluginConfig": [{"name": plugin, "args": args}]}


def _scores_by(strategy: str, *resources: str) -> Json:
    counted = [{"name": name, "weight": 1} for name in resources]
    return _args("NodeResourcesFit", scoringStrategy={"type": strategy, "resources": counted})


PROFILES: Final[dict[str, Json]] = {
    "default": {},
    "packs gpus": _scores_by("MostAllocated", "x.com/gpu", "cpu"),
    "spares devices": _scores_by("LeastAllocated", "dra.com/gpu"),
    "without preemption": {"plugins": {"postFilter": {"disabled": [{"name": "*"}]}}},
    "without scores": {
        "plugins": {
            "score": {"disabled": [{"name": "*"}]},
            "preScore": {"disabled": [{"name": "*"}]},
        }
    },
    "balance alone": {
        "plugins": {
            "preScore": {"disabled": [{"name": "*"}]},
            "score": {
                "disabled": [{"name": "*"}],
                "enabled": [{"name": "NodeResourcesBalancedAllocation"}],
            },
        }
    },
    "hard pod affinity": _args("InterPodAffinity", hardPodAffinityWeight=50),
    "no default spreading": _args("PodTopologySpread", defaultingType="List"),
    "spreads by default as it was told": _args(
        "PodTopologySpread",
        defaultingType="List",
        defaultConstraints=[
            {"maxSkew": 2, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"},
            {"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway"},
        ],
    ),
}
"""Profiles by what is special about them."""

_DEVICES: Final = ("device class for a resource", "device class", "devices on n0", "devices on n1")

_OF_TEAMS: Final = ("near a team's", "far from a team's")
THEMES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "resources": (("idle", "small", "large", "too large", "gpu", "fond", "picky"), ("service",)),
    "taints and ports": (("tolerant", "port", "small", "picky", "disk"), ("service",)),
    "preemption": (
        ("urgent", "urgent and kind", "web", "lone", "large", "far"),
        ("strict budget", "loose budget"),
    ),
    "spreading": (
        (
            "even zones",
            "even hosts",
            "rather even",
            "rather even hosts",
            "web",
            "owned web",
            "lone",
            "controlled",
        ),
        ("service", "replica set", "another replica set", "controller", "another controller"),
    ),
    "spreading softly": (
        (
            "owned web",
            "owned by a set",
            "controlled",
            "rather even",
            "rather even hosts",
            "rather even everywhere",
            "web",
        ),
        (
            "service",
            "replica set",
            "stateful set",
            "another replica set",
            "controller",
            "another controller",
        ),
    ),
    "affinity": (
        ("near", "far", "rather near", "rather far", "web", "lone", *_OF_TEAMS),
        ("namespace of a team", "namespace of nobody"),
    ),
    "volumes": (
        ("waiting volume", "bound volume", "disk", "small"),
        ("class", "waiting claim", "bound claim", "volume in a", "volume in b"),
    ),
    "devices": (("device", "urgent device", "small"), _DEVICES),
    "claims": (("claim", "device", "small"), ("claim for a device", *_DEVICES)),
}
"""Templates and objects that have to do with each other."""
