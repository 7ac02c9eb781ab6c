"""DynamicResources: fresh recordings, its memory between Reserve and PreBind, and its hints."""

import json
import lzma
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.config import DynamicResourcesArgs, default_configuration
from gpusched.api.resource import DeviceClass, ResourceClaim, ResourceSlice
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.decide import Settings, TieBreak, answer
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Rejection
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from gpusched.kube.plugins.dynamic_resources import DynamicResources
from tests.cluster.builders import Json, add_node, empty_cache, pod
from tests.decide.comparison import differences

GOLDEN: Final = Path(__file__).parents[2] / "golden/dynamic_resources"
NOT_ON_NODE: Final = "resourceclaim not available on the node"


def fresh_cases() -> list[Any]:
    text = lzma.decompress((GOLDEN / "cases.jsonl.xz").read_bytes()).decode()
    cases = [json.loads(line) for line in text.splitlines()]
    return [pytest.param(case, id=case["case"]["name"]) for case in cases]


@pytest.mark.golden
@pytest.mark.parametrize("recording", fresh_cases())
def test_we_decide_as_kube_scheduler_did_where_devices_come_in_all_kinds(recording: Json) -> None:
    found = answer(recording["case"], Settings(tie_break=TieBreak.NAME))
    assert differences(recording["expect"], found.expect) == []


# A small cluster: two nodes with two GPUs each.


def put(cache: Cache, obj: ResourceClaim | ResourceSlice | DeviceClass) -> None:
    name, namespace = obj.metadata.name, obj.metadata.namespace
    if isinstance(obj, ResourceClaim):
        cache.objects.resource_claims.put((namespace, name), obj)
    elif isinstance(obj, ResourceSlice):
        cache.objects.resource_slices.put(name, obj)
    else:
        cache.objects.device_classes.put(name, obj)


def slice_of(node: str, *devices: Json, **spec: Any) -> ResourceSlice:
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    body = {"driver": "gpu", "pool": pool, "nodeName": node, "devices": devices, **spec}
    return ResourceSlice.model_validate({"metadata": {"name": f"slice-{node}"}, "spec": body})


def claim(name: str = "claim", count: int = 1, **more: Any) -> ResourceClaim:
    exactly = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": count}
    metadata = {"name": name, "namespace": "default", "uid": name}
    wire: Json = {
        "metadata": metadata,
        "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}},
    }
    return ResourceClaim.model_validate({**wire, **more})


def cluster(*claims: ResourceClaim, config: Json | None = None) -> Cache:
    cache = empty_cache()
    for name in ("n1", "n2"):
        add_node(cache, name)
        put(cache, slice_of(name, {"name": "gpu-0"}, {"name": "gpu-1"}))
    configs = [{"opaque": {"driver": "gpu", "parameters": config}}] if config else []
    put(
        cache,
        DeviceClass.model_validate({"metadata": {"name": "gpu"}, "spec": {"config": configs}}),
    )
    for each in claims:
        put(cache, each)
    return cache


def user(cache: Cache, name: str = "p", claim_name: str = "claim", **more: Any) -> PodInfo:
    entry = {"name": "k", "resourceClaimName": claim_name}
    return pod(cache, name, resourceClaims=[entry], **more)


def plugin(draw: int = 0) -> DynamicResources:
    profile = default_configuration().profiles[0]
    handle = Framework(profile, IN_TREE, Nominator(), lambda _bound: draw)
    return DynamicResources(DynamicResourcesArgs(), handle)


def attempt(dra: DynamicResources, cache: Cache, who: PodInfo) -> tuple[CycleState, list[str]]:
    """Return the state and the nodes that pass."""
    state, snapshot = CycleState(), cache.snapshot()
    result = dra.pre_filter(state, who, snapshot)
    assert result.status.is_success, result.status.message
    away = np.zeros(len(cache.nodes), np.bool_)
    for rejection in dra.filter(state, who, cache.nodes):
        away |= rejection.nodes
    return state, [cache.nodes.info(row).name for row in np.flatnonzero(~away).tolist()]


def place(dra: DynamicResources, cache: Cache, who: PodInfo, node: str) -> CycleState:
    state, nodes = attempt(dra, cache, who)
    assert node in nodes
    assert dra.reserve(state, who, cache.snapshot(), node).is_success
    return state


def bind(dra: DynamicResources, cache: Cache, who: PodInfo, node: str) -> ResourceClaim:
    (write,) = dra.pre_bind(place(dra, cache, who, node), who, node)
    put(cache, write.claim)
    return write.claim


def test_a_bound_pods_claim_is_allocated_reserved_and_protected() -> None:
    cache = cluster(claim(count=2), config={"mode": "fast"})
    written = bind(plugin(), cache, user(cache), "n2")
    assert written.metadata.finalizers == ("resource.kubernetes.io/delete-protection",)
    assert written.status.model_dump(by_alias=True, exclude_unset=True) == {
        "allocation": {
            "devices": {
                "results": (
                    {
                        "request": "r",
                        "driver": "gpu",
                        "pool": "n2",
                        "device": "gpu-0",
                        "adminAccess": None,
                        "tolerations": (),
                        "bindingConditions": (),
                        "bindingFailureConditions": (),
                        "shareID": None,
                        "consumedCapacity": {},
                    },
                    {
                        "request": "r",
                        "driver": "gpu",
                        "pool": "n2",
                        "device": "gpu-1",
                        "adminAccess": None,
                        "tolerations": (),
                        "bindingConditions": (),
                        "bindingFailureConditions": (),
                        "shareID": None,
                        "consumedCapacity": {},
                    },
                ),
                "config": (
                    {
                        "source": "FromClass",
                        "requests": ("r",),
                        "opaque": {"driver": "gpu", "parameters": {"mode": "fast"}},
                    },
                ),
            },
            "nodeSelector": {
                "nodeSelectorTerms": (
                    {
                        "matchFields": (
                            {"key": "metadata.name", "operator": "In", "values": ("n2",)},
                        )
                    },
                )
            },
        },
        "reservedFor": ({"resource": "pods", "name": "p", "uid": "p"},),
    }


def test_an_allocation_says_when_it_was_made_where_a_clock_runs() -> None:
    cache, dra = cluster(claim()), plugin()
    dra.now = 7_000_000
    allocation = bind(dra, cache, user(cache), "n1").status.allocation
    assert allocation is not None
    assert allocation.allocation_timestamp == 7_000_000


def test_devices_are_taken_from_reserve_on_and_free_again_after_unreserve() -> None:
    cache, dra = cluster(claim(count=2), claim("other", count=2)), plugin()
    first, second = user(cache), user(cache, "q", "other")
    state = place(dra, cache, first, "n1")
    assert attempt(dra, cache, second)[1] == ["n2"]
    dra.unreserve(state, first, cache.snapshot(), "n1")
    assert attempt(dra, cache, second)[1] == ["n1", "n2"]


def test_a_claim_in_flight_cannot_be_allocated_twice() -> None:
    cache, dra = cluster(claim()), plugin()
    place(dra, cache, user(cache), "n1")
    result = dra.pre_filter(CycleState(), user(cache, "q"), cache.snapshot())
    assert result.status.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE
    expected = "resource claim default/claim is in the process of being allocated"
    assert result.status.message == expected


def test_a_second_pod_shares_the_claim_where_it_is() -> None:
    cache, dra = cluster(claim()), plugin()
    bind(dra, cache, user(cache), "n1")
    second = user(cache, "q")
    assert attempt(dra, cache, second)[1] == ["n1"]
    shared = bind(dra, cache, second, "n1")
    assert [consumer.name for consumer in shared.status.reserved_for] == ["p", "q"]


def test_a_claim_that_keeps_its_only_pod_from_every_node_is_given_up() -> None:
    cache, dra = cluster(claim()), plugin()
    allocated = bind(dra, cache, user(cache), "n1")
    moved = pod(cache, "p", resourceClaims=[{"name": "k", "resourceClaimName": "claim"}])
    state, _ = attempt(dra, cache, moved)
    diagnosis = Diagnosis(cache.snapshot().order)
    diagnosis.rejections.append(
        ("DynamicResources", Rejection(NOT_ON_NODE, np.array([False, True])))
    )
    result = dra.post_filter(state, moved, cache.snapshot(), diagnosis)
    assert result.status.code is Code.UNSCHEDULABLE
    assert result.status.message == "deallocation of ResourceClaim completed"
    (write,) = dra.writes_after_post_filter(state)
    assert write.claim.status.allocation is None
    assert write.claim.status.reserved_for == ()
    assert allocated.status.allocation is not None


def test_a_claim_on_nodes_that_others_turned_away_is_kept() -> None:
    cache, dra = cluster(claim()), plugin()
    bind(dra, cache, user(cache), "n1")
    state, _ = attempt(dra, cache, user(cache))
    result = dra.post_filter(
        state, user(cache), cache.snapshot(), Diagnosis(cache.snapshot().order)
    )
    assert result.status.message == "still not schedulable"
    assert dra.writes_after_post_filter(state) == ()


@pytest.mark.parametrize(
    ("entry", "status", "message"),
    [
        pytest.param(
            {"resourceClaimName": "gone"},
            {},
            'could not find ResourceClaim "default/gone"',
            id="a claim that does not exist",
        ),
        pytest.param(
            {"resourceClaimTemplateName": "t"},
            {},
            'pod "default/p": ResourceClaim not created yet',
            id="a claim that is still to be made",
        ),
        pytest.param(
            {"resourceClaimTemplateName": "t"},
            {"resourceClaimStatuses": [{"name": "k", "resourceClaimName": "claim"}]},
            "ResourceClaim default/claim was not created for Pod default/p (Pod is not owner)",
            id="a claim that was made for somebody else",
        ),
        pytest.param(
            {},
            {},
            'pod "default/p", spec.resourceClaim "k": none of the supported fields are set',
            id="an entry that names nothing",
        ),
        pytest.param(
            {"resourceClaimName": "leaving"},
            {},
            'resourceclaim "leaving" is being deleted',
            id="a claim that is being deleted",
        ),
    ],
)
def test_a_pod_waits_outside_the_queue_for(entry: Json, status: Json, message: str) -> None:
    leaving = {
        "name": "leaving",
        "namespace": "default",
        "deletionTimestamp": "2024-01-01T00:00:00Z",
    }
    cache = cluster(claim(), claim(metadata=leaving))
    waiting = pod(cache, "p", resourceClaims=[{"name": "k", **entry}], status=status)
    found = plugin().pre_enqueue(waiting, cache.snapshot())
    assert (found.code, found.message) == (Code.UNSCHEDULABLE_AND_UNRESOLVABLE, message)


def hint(dra: DynamicResources, resource: str) -> Any:
    (found,) = [h for h in dra.events_to_register() if h.event.resource.value.endswith(resource)]
    return found.hint


def test_a_claim_event_queues_the_pods_that_it_may_help() -> None:
    allocated = claim().model_copy(update={"status": bound_status()})
    cache = cluster(claim())
    waiting, helps = user(cache), hint(plugin(), "ResourceClaim")

    def change(old: ResourceClaim | None, new: ResourceClaim) -> Change:
        return Change(old, new, cache.snapshot())

    assert helps(waiting, change(None, claim()))
    assert helps(
        waiting,
        change(claim("other").model_copy(update={"status": bound_status()}), claim("other")),
    )
    assert helps(waiting, change(claim(), allocated))
    assert not helps(waiting, change(None, claim("other")))
    assert not helps(waiting, change(claim(), claim()))
    assert not helps(user(cache, claim_name="gone"), change(None, claim()))


def bound_status() -> Any:
    cache = cluster(claim())
    return bind(plugin(), cache, user(cache), "n1").status


def test_a_generated_claim_queues_its_pod_alone() -> None:
    cache = cluster(claim())
    waiting, helps = user(cache), hint(plugin(), "Pod")
    assert helps(waiting, Change(None, waiting, cache.snapshot()))
    assert not helps(user(cache, "q"), Change(None, waiting, cache.snapshot()))


def test_devices_of_a_class_are_counted_allocated_or_not() -> None:
    cache, dra = cluster(claim()), plugin()
    bind(dra, cache, user(cache), "n1")
    gpu = cache.objects.device_classes.get("gpu")
    assert gpu is not None
    counts = dra.count_devices(gpu, cache.snapshot(), np.array([0, 1]))
    assert (counts.total.tolist(), counts.taken.tolist()) == ([2, 2], [1, 0])
    failing = [{"cel": {"expression": "device.attributes['gpu'].missing == 1"}}]
    broken = DeviceClass.model_validate({"metadata": {"name": "x"}, "spec": {"selectors": failing}})
    counts = dra.count_devices(broken, cache.snapshot(), np.array([0, 1]))
    assert (counts.total.tolist(), counts.taken.tolist()) == ([0, 0], [0, 0])


DEVICES = st.lists(st.booleans(), min_size=1, max_size=4)


@pytest.mark.property
@given(DEVICES, st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_no_device_is_given_to_two_claims(shared: list[bool], counts: list[int]) -> None:
    devices = [
        {"name": f"d{at}", "capacity": {"m": {"value": "1"}}, "allowMultipleAllocations": is_shared}
        for at, is_shared in enumerate(shared)
    ]
    cache = cluster(*(claim(f"c{at}", count) for at, count in enumerate(counts)))
    put(cache, slice_of("n1", *devices))
    put(cache, slice_of("n2"))
    dra, given_away = plugin(), []
    for at in range(len(counts)):
        who = user(cache, f"p{at}", f"c{at}")
        if "n1" in attempt(dra, cache, who)[1]:
            allocation = bind(dra, cache, who, "n1").status.allocation
            assert allocation is not None
            given_away += [result.device for result in allocation.devices.results]
    assert len(set(given_away)) == len(given_away)
    assert len(given_away) <= len(shared)
