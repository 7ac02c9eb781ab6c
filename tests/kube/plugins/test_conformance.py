"""Every plugin in the registry against the same checks, on a few clusters and pods."""

import pytest

from gpusched.api.config import default_configuration
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from tests.cluster.builders import add_node, container, empty_cache, pod
from tests.kube.plugins.conformance import Check, Trial, checks

PROFILE = default_configuration().profiles[0]


def cluster() -> Cache:
    """Return nodes that differ in all that plugins look at, with pods on them."""
    cache = empty_cache()
    zone = "topology.kubernetes.io/zone"
    hostname = "kubernetes.io/hostname"
    gpus = {"cpu": "8", "memory": "32Gi", "pods": "10", "nvidia.com/gpu": "8"}
    add_node(
        cache, "gpu-0", labels={hostname: "gpu-0", zone: "a", "pool": "h100"}, allocatable=gpus
    )
    add_node(
        cache,
        "gpu-1",
        labels={hostname: "gpu-1", zone: "b", "pool": "h100"},
        allocatable=gpus,
        spec={"taints": [{"key": "gpu", "effect": "PreferNoSchedule"}]},
        images=[{"names": ["cuda:12"], "sizeBytes": 2**30}],
    )
    add_node(cache, "cpu-0", labels={hostname: "cpu-0", zone: "a"})
    add_node(cache, "closed", labels={hostname: "closed", zone: "b"}, spec={"unschedulable": True})
    taint = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    add_node(cache, "tainted", labels={hostname: "tainted"}, spec={"taints": [taint]})
    web = {"labels": {"app": "web"}}
    port = container(requests={"cpu": "1"}, ports=[{"hostPort": 80}])
    cache.add_pod(pod(cache, "web-0", containers=[port], metadata=web), "cpu-0")
    full = {"cpu": "7", "nvidia.com/gpu": "8"}
    cache.add_pod(pod(cache, "train-0", requests=full, metadata=web), "gpu-0")
    return cache


def demanding(cache: Cache) -> PodInfo:
    """Return a pod that uses every feature of the spec."""
    web = {"labelSelector": {"matchLabels": {"app": "web"}}}
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        **web,
    }
    preferred = [
        {
            "weight": 5,
            "preference": {"matchExpressions": [{"key": "pool", "operator": "Exists"}]},
        }
    ]
    anti = [{"topologyKey": "kubernetes.io/hostname", **web}]
    main = container(
        requests={"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"},
        image="cuda:12",
        ports=[{"hostPort": 80}],
    )
    return pod(
        cache,
        containers=[main],
        metadata={"labels": {"app": "web"}},
        topologySpreadConstraints=[spread, {**spread, "whenUnsatisfiable": "ScheduleAnyway"}],
        affinity={
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": anti},
        },
        nodeSelector={"pool": "h100"},
        nodeName="gpu-1",
    )


PODS = {
    "a pod that asks for nothing": pod,
    "a pod that asks for everything": demanding,
}


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", PODS.values(), ids=PODS)
@pytest.mark.parametrize("name", sorted(IN_TREE))
def test_plugin_conforms(name: str, make: object, check: Check) -> None:
    assert callable(make)
    cache = cluster()
    framework = Framework(PROFILE, IN_TREE, Nominator())
    check(Trial(framework.plugins[name], cache, make(cache)))


def test_every_plugin_is_registered_under_its_own_name() -> None:
    framework = Framework(PROFILE, IN_TREE, Nominator())
    assert {name: plugin.name for name, plugin in framework.plugins.items()} == {
        name: name for name in IN_TREE
    }
