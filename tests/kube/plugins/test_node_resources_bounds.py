"""NodeResourcesFit and its kin where something is just enough, or one of several matters."""

import numpy as np
import pytest

from gpusched.api.config import (
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    ResourceSpec,
    ShapePoint,
)
from gpusched.api.resource import DeviceClass
from gpusched.cluster.cache import Cache
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import Status
from gpusched.kube.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from gpusched.kube.plugins.node_resources_fit import NodeResourcesFit
from tests.cluster.builders import add_node, empty_cache, node, pod
from tests.kube.plugins.test_node_resources import hints

GPU, FPGA = "x.com/gpu", "x.com/fpga"


def mapped(cache: Cache, resource: str) -> DeviceClass:
    """Let devices of a class stand for a resource."""
    wire = {"metadata": {"name": "devices"}, "spec": {"extendedResourceName": resource}}
    found = DeviceClass.model_validate(wire)
    cache.objects.device_classes.put("devices", found)
    return found


@pytest.mark.parametrize(
    ("resource", "turned_away"),
    [
        pytest.param(GPU, [f"Insufficient {FPGA}"], id="the first extended resource is mapped"),
        pytest.param(FPGA, [f"Insufficient {GPU}"], id="the second one is mapped"),
    ],
)
def test_only_a_mapped_resource_is_left_to_dynamic_allocation(
    resource: str, turned_away: list[str]
) -> None:
    cache = empty_cache()
    add_node(cache, "n")
    waiting = pod(cache, requests={GPU: "1", FPGA: "1"})
    mapped(cache, resource)
    plugin, state = NodeResourcesFit(), CycleState()
    plugin.pre_filter(state, waiting, cache.snapshot())
    rejections = plugin.filter(state, waiting, cache.nodes)
    assert [rejection.reason for rejection in rejections] == turned_away


def test_a_node_for_a_single_pod_wakes() -> None:
    cache = empty_cache()
    single = node(cache, "n", allocatable={"cpu": "4", "pods": "1"})
    waiting = pod(cache, requests={"cpu": "1"})
    assert hints()["node"](waiting, Change(None, single, cache.snapshot()))


def test_one_of_several_requests_is_enough_to_wake() -> None:
    cache = empty_cache()
    waiting = pod(cache, requests={"cpu": "1", "memory": "1Gi"})
    before, after = (
        pod(cache, "other", requests={"cpu": cpu, "memory": "1Gi"}) for cpu in ("2", "1")
    )
    after.node_name = "n"
    assert hints()["shrunk"](waiting, Change(before, after, cache.snapshot()))
    several = pod(cache, requests={GPU: "1", FPGA: "1"})
    found = mapped(cache, FPGA)
    assert hints()["class"](several, Change(None, found, cache.snapshot()))


def test_a_score_of_one_counts() -> None:
    """Only 0 is left out of the mean of RequestedToCapacityRatio."""
    cache = empty_cache()
    add_node(cache, "n", allocatable={"cpu": "100", "memory": "100", "pods": "9"})
    args = NodeResourcesFitArgs(
        strategy="RequestedToCapacityRatio",
        resources=(ResourceSpec("cpu"), ResourceSpec("memory")),
        shape=(ShapePoint(0, 0), ShapePoint(100, 10)),
    )
    waiting = pod(cache, requests={"cpu": "1", "memory": "51"})
    found = NodeResourcesFit(args).score(CycleState(), waiting, cache.snapshot(), np.arange(1))
    assert not isinstance(found, Status)
    assert found.tolist() == [26]


def test_without_a_framework_nobody_counts_devices() -> None:
    cache = empty_cache()
    add_node(cache, "n", allocatable={"cpu": "4", "pods": "9"})
    mapped(cache, GPU)
    plugin = NodeResourcesFit(NodeResourcesFitArgs(resources=(ResourceSpec(GPU),)))
    waiting = pod(cache, requests={GPU: "1"})
    found = plugin.score(CycleState(), waiting, cache.snapshot(), np.arange(1))
    assert not isinstance(found, Status)
    assert found.tolist() == [0]


def test_three_resources_deviate_from_their_mean() -> None:
    """Shares are 0.2, 0.4, 0.8 before, and 0.6, 0.4, 0.9 with the pod."""
    cache = empty_cache()
    add_node(cache, "n", allocatable={"cpu": "10", "memory": "10Gi", GPU: "10", "pods": "9"})
    cache.add_pod(pod(cache, "used", requests={"cpu": "2", "memory": "4Gi", GPU: "8"}), "n")
    args = NodeResourcesBalancedAllocationArgs(
        tuple(ResourceSpec(name) for name in ("cpu", "memory", GPU))
    )
    waiting = pod(cache, requests={"cpu": "4", GPU: "1"})
    plugin = NodeResourcesBalancedAllocation(args)
    found = plugin.score(CycleState(), waiting, cache.snapshot(), np.arange(1))
    assert not isinstance(found, Status)
    before = int(100 * (1 - np.std([0.2, 0.4, 0.8])))
    after = int(100 * (1 - np.std([0.6, 0.4, 0.9])))
    assert found.tolist() == [50 + (50 + after - before) // 2]
