"""Capacities in parts, extended resources as claims, and devices that are ready late."""

from typing import Any

import pytest

from gpusched.api.quantity import Quantity
from gpusched.api.resource import DeviceCapacity, DeviceClass, ResourceClaim
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.plugins.dynamic_resources.binding_conditions import is_hopeless
from gpusched.kube.plugins.dynamic_resources.capacity import consumption, fits
from gpusched.kube.plugins.dynamic_resources.extended_resources import (
    RequestMapping,
    extended_resources,
    with_requests,
)
from tests.cluster.builders import Json, add_node, container, empty_cache, pod

RANGE = {"validRange": {"min": "4", "max": "12", "step": "4"}, "default": "8"}
VALUES = {"validValues": ["2", "6"], "default": "2"}


@pytest.mark.parametrize(
    ("policy", "wanted", "expected"),
    [
        pytest.param(None, None, "16", id="all of it where nothing is said"),
        pytest.param(None, "3", "3", id="as much as is asked without a policy"),
        pytest.param(RANGE, None, "8", id="the default of the policy"),
        pytest.param(RANGE, "1", "4", id="at least the minimum"),
        pytest.param(RANGE, "5", "8", id="up to the next step"),
        pytest.param(RANGE, "8", "8", id="a step exactly"),
        pytest.param(VALUES, "3", "6", id="the next valid value"),
        pytest.param(VALUES, "7", "7", id="above all valid values"),
    ],
)
def test_a_request_takes(policy: Json | None, wanted: str | None, expected: str) -> None:
    capacity = DeviceCapacity.model_validate({"value": "16", "requestPolicy": policy})
    found = consumption(capacity, None if wanted is None else Quantity.parse(wanted))
    assert found == Quantity.parse(expected)


@pytest.mark.parametrize(
    ("policy", "wanted", "taken_already", "expected"),
    [
        pytest.param(None, {"m": "6"}, 10, True, id="just what is left"),
        pytest.param(None, {"m": "7"}, 10, False, id="more than is left"),
        pytest.param(None, {"other": "1"}, 0, False, id="a capacity that the device lacks"),
        pytest.param(RANGE, {"m": "13"}, 0, False, id="more than the policy allows"),
        pytest.param(VALUES, {"m": "7"}, 0, False, id="no valid value is large enough"),
        pytest.param(RANGE, {}, 8, True, id="the default just fits"),
    ],
)
def test_a_device_has_room_for(
    policy: Json | None, wanted: dict[str, str], taken_already: int, expected: bool
) -> None:
    capacity = DeviceCapacity.model_validate({"value": "16", "requestPolicy": policy})
    amounts = {name: Quantity.parse(text) for name, text in wanted.items()}
    already = {"m": Quantity.from_int(taken_already).nano}
    assert fits({"m": capacity}, amounts, already) is expected


def extended(cache: Cache, who: PodInfo) -> tuple[dict[str, int], tuple[RequestMapping, ...]]:
    """Return request -> count, and the mappings, of a pod on a node without the resource."""
    spec = {"extendedResourceName": "x.com/gpu"}
    gpu = DeviceClass.model_validate({"metadata": {"name": "gpu"}, "spec": spec})
    cache.objects.device_classes.put("gpu", gpu)
    found = extended_resources(who, cache.objects, cache.resources)
    assert found is not None
    class_of = cache.objects.class_of_resource
    node = add_node(cache, "n")
    resources = found.by_devices(node, class_of)
    assert resources is not None
    made, mappings = with_requests(found.claim, who, resources, class_of)
    requests = made.spec.devices.requests
    return {r.name: r.exactly.count for r in requests if r.exactly is not None}, mappings


def gpus(name: str, count: int, **more: Any) -> Json:
    return container(name, requests={"cpu": "1", "x.com/gpu": str(count)}, **more)


def test_each_container_has_a_request_of_its_own() -> None:
    cache = empty_cache()
    who = pod(cache, containers=[gpus("a", 2), container("b"), gpus("c", 1)])
    requests, mappings = extended(cache, who)
    assert requests == {"container-0-request-1": 2, "container-2-request-1": 1}
    assert [(m.container, m.request) for m in mappings] == [
        ("a", "container-0-request-1"),
        ("c", "container-2-request-1"),
    ]


def test_a_plain_init_container_asks_only_for_what_later_containers_do_not_have() -> None:
    cache = empty_cache()
    init = [gpus("small", 2), gpus("large", 5), gpus("side", 1, restartPolicy="Always")]
    requests, mappings = extended(
        cache, pod(cache, containers=[gpus("main", 2)], initContainers=init)
    )
    assert requests == {
        "container-1-request-1": 2,
        "container-2-request-1": 1,
        "container-3-request-1": 2,
    }
    assert [(m.container, m.request) for m in mappings] == [
        ("side", "container-2-request-1"),
        ("main", "container-3-request-1"),
        ("small", "container-2-request-1"),
        ("small", "container-3-request-1"),
        ("large", "container-2-request-1"),
        ("large", "container-3-request-1"),
        ("large", "container-1-request-1"),
    ]


def test_what_comes_before_a_plain_init_container_is_not_at_its_disposal() -> None:
    cache = empty_cache()
    init = [gpus("side", 3, restartPolicy="Always"), gpus("plain", 2)]
    requests, _ = extended(cache, pod(cache, initContainers=init))
    assert requests == {"container-0-request-1": 3, "container-1-request-1": 2}


def late(conditions: Json | None, *, timestamp: str = "1970-01-01T00:00:10Z") -> ResourceClaim:
    result = {
        "request": "r0",
        "driver": "d",
        "pool": "n",
        "device": "a",
        "bindingConditions": ["ready"],
        "bindingFailureConditions": ["failed"],
    }
    status: Json = {
        "allocation": {"devices": {"results": [result]}, "allocationTimestamp": timestamp}
    }
    if conditions is not None:
        listed = [{"type": kind, "status": value} for kind, value in conditions.items()]
        status["devices"] = [{"driver": "d", "pool": "n", "device": "a", "conditions": listed}]
    return ResourceClaim.model_validate({"metadata": {"name": "c"}, "status": status})


@pytest.mark.parametrize(
    ("conditions", "deadline", "expected"),
    [
        pytest.param({"ready": "True"}, 11, False, id="ready"),
        pytest.param({"ready": "True", "failed": "True"}, 0, True, id="failed"),
        pytest.param({"ready": "False"}, 10, False, id="not ready, in time"),
        pytest.param({"ready": "False"}, 11, True, id="not ready, too late"),
        pytest.param(None, 10, False, id="nothing reported, in time"),
        pytest.param(None, 11, True, id="nothing reported, too late"),
    ],
)
def test_a_claim_whose_devices_are_ready_late_is_given_up(
    conditions: Json | None, deadline: int, expected: bool
) -> None:
    assert is_hopeless(late(conditions), deadline * 1_000_000) is expected
