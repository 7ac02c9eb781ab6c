"""NodeResourcesFit and NodeResourcesBalancedAllocation: who fits, and how well."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.config import (
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    ResourceSpec,
    ShapePoint,
)
from gpusched.api.resource import DeviceClass
from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.interface import DeviceCounts
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from gpusched.kube.plugins.node_resources_fit import NodeResourcesFit
from gpusched.kube.scoring_strategies import round_half_away
from tests.cluster.builders import add_node, empty_cache, node, pod
from tests.kube.framework.fakes import framework

GPU = "nvidia.com/gpu"
U, UU = Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE
NODE = {"cpu": "8", "memory": "32Gi", "pods": "3", GPU: "8"}


def one_node(used: Mapping[str, str] | None = None, *, extra: str = "", pods: str = "3") -> Cache:
    """Return a cache with one node and, if asked for, a pod on it."""
    cache = empty_cache()
    more = {extra: "1"} if extra else {}
    add_node(cache, "n", allocatable={**NODE, "pods": pods, **more})
    if used is not None:
        cache.add_pod(pod(cache, "used", requests=used), "n")
    return cache


def fit(cache: Cache, waiting: PodInfo, **args: Any) -> dict[str, Code]:
    """Return reason -> code for the one node."""
    plugin, state = NodeResourcesFit(NodeResourcesFitArgs(**args)), CycleState()
    plugin.pre_filter(state, waiting, cache.snapshot())
    rejections = plugin.filter(state, waiting, cache.nodes)
    return {r.reason: r.code for r in rejections if r.nodes[0]}


@pytest.mark.parametrize(
    ("used", "requests", "expected"),
    [
        pytest.param({"cpu": "4"}, {"cpu": "4"}, {}, id="a request that just fits"),
        pytest.param(
            {"cpu": "4"}, {"cpu": "4001m"}, {"Insufficient cpu": U}, id="one milli too much"
        ),
        pytest.param(
            {}, {"cpu": "8001m"}, {"Insufficient cpu": UU}, id="more than the node ever has"
        ),
        pytest.param(
            {GPU: "8"},
            {GPU: "1", "memory": "33Gi"},
            {f"Insufficient {GPU}": U, "Insufficient memory": UU},
            id="all reasons are told, each with its own code",
        ),
        pytest.param({}, {"rdma/ib": "1"}, {"Insufficient rdma/ib": UU}, id="an unknown resource"),
        pytest.param({}, {"rdma/ib": "0"}, {}, id="none of an unknown resource"),
        pytest.param({"cpu": "9"}, {"cpu": "0"}, {}, id="nothing fits on an overcommitted node"),
        pytest.param(
            {"cpu": "9"}, {"cpu": "1m"}, {"Insufficient cpu": U}, id="but a milli does not"
        ),
        pytest.param(
            {},
            {"ephemeral-storage": "1"},
            {"Insufficient ephemeral-storage": UU},
            id="disk space that the node does not declare",
        ),
    ],
)
def test_a_request_fits_or_is_told_what_lacks(
    used: dict[str, str], requests: dict[str, str], expected: dict[str, Code]
) -> None:
    cache = one_node(used)
    assert fit(cache, pod(cache, requests=requests)) == expected


def test_too_many_pods_can_be_cured_by_eviction_even_where_none_is_allowed() -> None:
    cache = one_node(pods="0")
    assert fit(cache, pod(cache)) == {"Too many pods": U}
    cache = one_node({}, pods="1")
    assert fit(cache, pod(cache, requests={"cpu": "9"})) == {
        "Too many pods": U,
        "Insufficient cpu": UU,
    }


def test_ignored_resources_are_not_looked_at() -> None:
    cache = one_node()
    wants = pod(cache, requests={"rdma/ib": "1", "x.com/y": "1", "hugepages-2Mi": "2Mi"})
    assert fit(cache, wants, ignored_resources=("rdma/ib", "hugepages-2Mi")) == {
        "Insufficient x.com/y": UU,
        "Insufficient hugepages-2Mi": UU,
    }
    assert fit(cache, wants, ignored_resource_groups=("rdma", "x.com")) == {
        "Insufficient hugepages-2Mi": UU
    }


def test_a_resource_that_dynamic_allocation_serves_is_left_to_it() -> None:
    cache = one_node(extra="x.com/y")
    for name, resource in {"a": "x.com/y", "b": "x.com/z"}.items():
        wire = {"metadata": {"name": name}, "spec": {"extendedResourceName": resource}}
        cache.objects.device_classes.put(name, DeviceClass.model_validate(wire))
    assert fit(cache, pod(cache, requests={"x.com/z": "1"})) == {}
    assert fit(cache, pod(cache, requests={"x.com/y": "2"})) == {"Insufficient x.com/y": UU}


def test_fit_without_its_pre_filter_is_an_error() -> None:
    cache = one_node()
    (rejection,) = NodeResourcesFit().filter(CycleState(), pod(cache), cache.nodes)
    assert (rejection.code, rejection.reason) == (
        Code.ERROR,
        'error reading "PreFilterNodeResourcesFit" from cycleState: not found',
    )


def fit_score(cache: Cache, requests: Mapping[str, str], **args: Any) -> Any:
    plugin = NodeResourcesFit(NodeResourcesFitArgs(**args))
    rows = np.arange(len(cache.nodes))
    found = plugin.score(CycleState(), pod(cache, requests=requests), cache.snapshot(), rows)
    assert not isinstance(found, Status)
    return found.tolist()


def specs(*names: str, weight: int = 1) -> tuple[ResourceSpec, ...]:
    return tuple(ResourceSpec(name, weight) for name in names)


@pytest.mark.parametrize(
    ("used", "requests", "args", "score"),
    [
        pytest.param(
            {"cpu": "1", "memory": "2Gi"},
            {"cpu": "500m", "memory": "1Gi"},
            {},
            85,
            id="least allocated: the mean of what is left of cpu and memory",
        ),
        pytest.param(
            {"cpu": "8", "memory": "32Gi"},
            {"cpu": "1", "memory": "0"},
            {},
            0,
            id="least allocated: nothing is left, and less than nothing is nothing",
        ),
        pytest.param({}, {}, {"resources": specs("cpu")}, 97, id="silent containers count 100m"),
        pytest.param(
            {GPU: "4"},
            {GPU: "2"},
            {"strategy": "MostAllocated", "resources": specs(GPU)},
            75,
            id="most allocated: the fuller the better",
        ),
        pytest.param(
            {},
            {"cpu": "2"},
            {"strategy": "MostAllocated", "resources": (*specs("cpu"), *specs(GPU, weight=9))},
            26,
            id="a scalar that the pod does not ask for does not count",
        ),
        pytest.param(
            {},
            {"cpu": "2"},
            {"resources": specs("ephemeral-storage")},
            0,
            id="a resource that the node lacks does not count",
        ),
        pytest.param(
            {GPU: "4"},
            {GPU: "2"},
            {
                "strategy": "RequestedToCapacityRatio",
                "resources": specs(GPU),
                "shape": (ShapePoint(0, 10), ShapePoint(100, 0)),
            },
            25,
            id="a falling line at three quarters",
        ),
        pytest.param(
            {GPU: "8"},
            {GPU: "1"},
            {
                "strategy": "RequestedToCapacityRatio",
                "resources": specs(GPU),
                "shape": (ShapePoint(0, 0), ShapePoint(50, 5), ShapePoint(100, 10)),
            },
            100,
            id="beyond the capacity counts as full",
        ),
        pytest.param(
            {},
            {"cpu": "2", "memory": "0"},
            {
                "strategy": "RequestedToCapacityRatio",
                "resources": (*specs("cpu"), *specs("memory", weight=3)),
                "shape": (ShapePoint(0, 0), ShapePoint(100, 10)),
            },
            26,
            id="a resource that scores 0 does not count",
        ),
    ],
)
def test_a_strategy_scores(
    used: dict[str, str], requests: dict[str, str], args: dict[str, Any], score: int
) -> None:
    assert fit_score(one_node(used), requests, **args) == [score]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        pytest.param(0.5, 1, id="a half goes up"),
        pytest.param(2.5, 3, id="also above an even number"),
        pytest.param(0.49999999999999994, 0, id="just below a half goes down"),
        pytest.param(7.0, 7, id="a whole number stays"),
    ],
)
def test_rounding_is_gos(value: float, rounded: int) -> None:
    assert round_half_away(np.array([value])).tolist() == [rounded]


def balance(
    cache: Cache, requests: Mapping[str, str], names: tuple[str, ...] = ("cpu", "memory")
) -> Any:
    plugin = NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs(specs(*names)))
    waiting, rows = pod(cache, requests=requests), np.arange(len(cache.nodes))
    found = plugin.score(CycleState(), waiting, cache.snapshot(), rows)
    assert not isinstance(found, Status)
    return found.tolist()


@pytest.mark.parametrize(
    ("used", "requests", "names", "score"),
    [
        pytest.param(
            {"cpu": "1", "memory": "2Gi"},
            {"cpu": "500m", "memory": "1Gi"},
            ("cpu", "memory"),
            74,
            id="slightly less even than before",
        ),
        pytest.param({}, {"cpu": "4"}, ("cpu", "memory"), 62, id="half of the cpu and no memory"),
        pytest.param({}, {"cpu": "4", "memory": "16Gi"}, ("cpu", "memory"), 75, id="unchanged"),
        pytest.param({"cpu": "4"}, {"memory": "16Gi"}, ("cpu", "memory"), 87, id="made even"),
        pytest.param({}, {"cpu": "8", GPU: "4"}, ("cpu", "memory", GPU), 54, id="three resources"),
        pytest.param({}, {"cpu": "4"}, ("cpu", GPU), 75, id="one resource is always balanced"),
        pytest.param({}, {}, ("cpu", "memory"), 0, id="a pod that asks for nothing"),
    ],
)
def test_the_change_of_balance_scores(
    used: dict[str, str], requests: dict[str, str], names: tuple[str, ...], score: int
) -> None:
    assert balance(one_node(used), requests, names) == [score]


def test_a_node_without_a_resource_is_judged_by_the_others() -> None:
    cache = one_node()
    add_node(cache, "m", allocatable={"cpu": "8", "pods": "3"})
    assert balance(cache, {"cpu": "4"}) == [62, 75]


def test_balance_says_nothing_of_a_pod_without_such_requests() -> None:
    cache = one_node()
    plugin, rows = NodeResourcesBalancedAllocation(), np.arange(1)
    for requests, code in (({GPU: "1"}, Code.SKIP), ({"cpu": "1m"}, Code.SUCCESS)):
        waiting = pod(cache, requests=requests)
        assert plugin.pre_score(CycleState(), waiting, cache.snapshot(), rows).code is code


class Devices:
    """Counts devices: node a has four, node b has eight of which two are taken."""

    name = "Devices"

    def count_devices(self, _class: DeviceClass, _view: Snapshot, rows: Ints) -> DeviceCounts:
        return DeviceCounts(np.array([4, 8])[rows], np.array([0, 2])[rows])


def test_devices_behind_a_resource_score_like_the_resource() -> None:
    cache = empty_cache()
    for name in "ab":
        add_node(cache, name)
    wire = {"metadata": {"name": "gpu"}, "spec": {"extendedResourceName": GPU}}
    cache.objects.device_classes.put("gpu", DeviceClass.model_validate(wire))
    handle = framework(Devices())
    waiting, rows = pod(cache, requests={"cpu": "1", GPU: "2"}), np.arange(2)
    fits = NodeResourcesFit(NodeResourcesFitArgs(resources=specs(GPU)), handle)
    balanced = NodeResourcesBalancedAllocation(
        NodeResourcesBalancedAllocationArgs(specs("cpu", GPU)), handle
    )
    for plugin, expected in ((fits, [50, 50]), (balanced, [65, 72])):
        found = plugin.score(CycleState(), waiting, cache.snapshot(), rows)
        assert not isinstance(found, Status)
        assert found.tolist() == expected


_amounts = st.fixed_dictionaries(
    {"cpu": st.integers(0, 16).map(str), "memory": st.integers(0, 40).map(lambda n: f"{n}Gi")}
)


@pytest.mark.property
@given(_amounts, _amounts, st.sampled_from(["LeastAllocated", "MostAllocated"]))
def test_scores_stay_between_0_and_100(
    used: dict[str, str], requests: dict[str, str], strategy: str
) -> None:
    cache = one_node(used)
    assert 0 <= fit_score(cache, requests, strategy=strategy)[0] <= 100
    assert 50 <= balance(cache, {**requests, "cpu": "1"})[0] <= 100


@pytest.mark.property
@given(_amounts, _amounts, st.integers(0, 4))
def test_a_larger_request_never_fits_better(
    used: dict[str, str], requests: dict[str, str], more: int
) -> None:
    cache = one_node(used)
    larger = {**requests, "cpu": str(int(requests["cpu"]) + more)}
    rejected = fit(cache, pod(cache, requests=requests))
    assert rejected.keys() <= fit(cache, pod(cache, requests=larger)).keys()


def hints() -> dict[str, Any]:
    names = ("deleted", "shrunk", "node", "class")
    registered = NodeResourcesFit().events_to_register()
    return {name: each.hint for name, each in zip(names, registered, strict=True)}


def test_a_node_wakes_if_the_pod_fits_on_it_when_empty() -> None:
    cache = empty_cache()
    waiting = pod(cache, requests={"cpu": "4", GPU: "1"})
    small = node(cache, "n", allocatable={"cpu": "2", "pods": "3", GPU: "1"})
    large = node(cache, "n", allocatable={"cpu": "4", "pods": "3", GPU: "1"})
    closed = node(cache, "n", allocatable={"cpu": "4", GPU: "1"})
    more_memory = node(cache, "n", allocatable={"cpu": "4", "memory": "1Gi", "pods": "3", GPU: "1"})
    more_pods = node(cache, "n", allocatable={"cpu": "4", "pods": "4", GPU: "1"})
    hint, snapshot = hints()["node"], cache.snapshot()
    assert hint(waiting, Change(None, large, snapshot))
    assert not hint(waiting, Change(None, small, snapshot))
    assert not hint(waiting, Change(None, closed, snapshot))
    assert hint(waiting, Change(small, large, snapshot))
    assert not hint(waiting, Change(large, more_memory, snapshot))
    assert hint(waiting, Change(large, more_pods, snapshot))


def test_any_pod_that_had_a_place_wakes_when_it_goes() -> None:
    cache = empty_cache()
    waiting, gone = pod(cache), pod(cache, "gone")
    hint, snapshot = hints()["deleted"], cache.snapshot()
    assert not hint(waiting, Change(gone, None, snapshot))
    gone.nominated_node = "n"
    assert hint(waiting, Change(gone, None, snapshot))


def test_a_pod_that_shrinks_wakes_who_needs_what_it_gives() -> None:
    cache = empty_cache()
    waiting = pod(cache, requests={"cpu": "1"})
    before, after = (
        pod(cache, "other", requests={"cpu": cpu, "memory": "1Gi"}) for cpu in ("2", "1")
    )
    hint, snapshot = hints()["shrunk"], cache.snapshot()
    assert not hint(waiting, Change(before, after, snapshot))
    after.node_name = "n"
    assert hint(waiting, Change(before, after, snapshot))
    assert not hint(pod(cache, requests={"memory": "1Gi"}), Change(before, after, snapshot))
    assert hint(waiting, Change(waiting, pod(cache), snapshot))


def test_a_device_class_wakes_if_it_maps_a_requested_resource() -> None:
    cache = empty_cache()
    wire = {"metadata": {"name": "a"}, "spec": {"extendedResourceName": GPU}}
    found = DeviceClass.model_validate(wire)
    cache.objects.device_classes.put("a", found)
    hint, snapshot = hints()["class"], cache.snapshot()
    assert hint(pod(cache, requests={GPU: "1"}), Change(None, found, snapshot))
    assert not hint(pod(cache, requests={"x.com/y": "1"}), Change(None, found, snapshot))
