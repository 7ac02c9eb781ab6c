"""The search for devices: what is tried in which order, and what stands in the way."""

from collections.abc import Sequence
from typing import Any

import pytest

from gpusched.api.quantity import Quantity
from gpusched.api.resource import DeviceClass, ResourceClaim, ResourceSlice
from gpusched.kube.plugins.dynamic_resources.allocation import allocation_result
from gpusched.kube.plugins.dynamic_resources.allocator import (
    AllocationError,
    Allocator,
    NodeError,
)
from gpusched.kube.plugins.dynamic_resources.claims import DevicesInUse
from gpusched.kube.plugins.dynamic_resources.pools import PoolIndex
from gpusched.kube.plugins.dynamic_resources.scoring import TooFewAllocationsError, raw_score
from gpusched.kube.plugins.dynamic_resources.state import DraState, NodeAllocation
from tests.cluster.builders import Json, add_node, empty_cache

COUNTERS: Json = {"sharedCounters": [{"name": "cs", "counters": {"mem": {"value": "10"}}}]}


def device(name: str, **more: Any) -> Json:
    attributes = {key: {"int": value} for key, value in more.pop("attributes", {}).items()}
    return {"name": name, "attributes": attributes, **more}


def partition(name: str, amount: int, **more: Any) -> Json:
    consumed = [{"counterSet": "cs", "counters": {"mem": {"value": str(amount)}}}]
    return device(name, consumesCounters=consumed, **more)


def slice_(
    *devices: Json, name: str = "s", pool: str = "n", driver: str = "d", **more: Any
) -> ResourceSlice:
    described = {"name": pool, "generation": 1, "resourceSliceCount": 1, **more.pop("of_pool", {})}
    spec = {"driver": driver, "pool": described, "devices": devices, **more}
    if not spec.keys() & {"allNodes", "nodeSelector", "perDeviceNodeSelection"}:
        spec["nodeName"] = "n"
    return ResourceSlice.model_validate({"metadata": {"name": name}, "spec": spec})


def partitioned(*devices: Json, driver: str = "d", amount: str = "10") -> list[ResourceSlice]:
    counters = [{"name": "cs", "counters": {"mem": {"value": amount}}}]
    two = {"resourceSliceCount": 2}
    return [
        slice_(name=f"{driver}-c", driver=driver, of_pool=two, sharedCounters=counters),
        slice_(*devices, name=driver, driver=driver, of_pool=two),
    ]


def exactly(count: int = 1, **more: Any) -> Json:
    return {"deviceClassName": "any", "allocationMode": "ExactCount", "count": count, **more}


def claim(*requests: Json, constraints: Sequence[Json] = (), name: str = "c") -> ResourceClaim:
    named = [{"name": f"r{at}", **request} for at, request in enumerate(requests)]
    devices = {"requests": named, "constraints": constraints}
    metadata = {"name": name, "namespace": "ns", "uid": name}
    return ResourceClaim.model_validate({"metadata": metadata, "spec": {"devices": devices}})


def exact(count: int = 1, **more: Any) -> Json:
    return {"exactly": exactly(count, **more)}


def first_of(*alternatives: Json) -> Json:
    listed = [{"name": f"s{at}", **each} for at, each in enumerate(alternatives)]
    return {"firstAvailable": listed}


def cel(expression: str) -> list[Json]:
    return [{"cel": {"expression": expression}}]


def allocator(slices: Sequence[ResourceSlice], in_use: DevicesInUse | None = None) -> Allocator:
    cache = empty_cache()
    for name, selectors in {"any": [], "odd": cel("device.attributes['d'].odd == 1")}.items():
        wire = {"metadata": {"name": name}, "spec": {"selectors": selectors}}
        cache.objects.device_classes.put(name, DeviceClass.model_validate(wire))
    return Allocator(PoolIndex(slices), cache.objects.device_classes, in_use or DevicesInUse())


def taken(
    slices: Sequence[ResourceSlice], *claims: ResourceClaim, in_use: DevicesInUse | None = None
) -> list[str] | None:
    """Return the devices that the claims get on node n, in order; None if they get none."""
    node = add_node(empty_cache(), "n", labels={"zone": "a"})
    found = allocator(slices, in_use).allocate(node, claims)
    if found is None:
        return None
    return [placed.candidate.id[2] for each in found for placed in each.placed]


THREE = [slice_(device("a"), device("b"), device("c"))]


@pytest.mark.parametrize(
    ("slices", "claims", "expected"),
    [
        pytest.param(THREE, [claim(exact(2))], ["a", "b"], id="devices as they are listed"),
        pytest.param(THREE, [claim(exact(4))], None, id="more devices than there are"),
        pytest.param(
            [slice_(device("b1"), name="b", pool="p2"), slice_(device("a1"), name="a", pool="p1")],
            [claim(exact(2))],
            ["a1", "b1"],
            id="pools by name",
        ),
        pytest.param(
            [
                slice_(device("late", bindingConditions=["ready"]), name="a", pool="p1"),
                slice_(device("ready"), name="b", pool="p2"),
            ],
            [claim(exact(2))],
            ["ready", "late"],
            id="pools that are ready late come last",
        ),
        pytest.param(
            [
                slice_(device("two"), name="z", of_pool={"resourceSliceCount": 2}),
                slice_(device("one"), name="y", of_pool={"resourceSliceCount": 2}),
            ],
            [claim(exact(2))],
            ["one", "two"],
            id="slices of a pool by name",
        ),
        pytest.param(
            [slice_(device("a"), of_pool={"resourceSliceCount": 2})],
            [claim(exact())],
            None,
            id="an incomplete pool is not used",
        ),
        pytest.param(
            [
                slice_(device("old"), name="a"),
                slice_(device("new"), name="b", of_pool={"generation": 2}),
            ],
            [claim(exact())],
            ["new"],
            id="the newest generation alone",
        ),
        pytest.param(
            [
                slice_(device("old"), name="a", of_pool={"resourceSliceCount": 2}),
                slice_(
                    device("new"),
                    name="b",
                    of_pool={"generation": 2},
                    nodeSelector={"nodeSelectorTerms": []},
                ),
            ],
            [claim(exact())],
            None,
            id="a pool whose newest generation is elsewhere",
        ),
        pytest.param(
            THREE,
            [claim(exact(), name="x"), claim(exact(), name="y")],
            ["a", "b"],
            id="claims one after the other",
        ),
        pytest.param(
            [slice_(device("a"), device("b", attributes={"odd": 1}))],
            [claim(exact(selectors=cel("!('odd' in device.attributes['d'])")), exact())],
            ["a", "b"],
            id="each request begins with the first device again",
        ),
        pytest.param(
            [slice_(device("a", attributes={"odd": 1}), device("b"))],
            [claim(exact(), exact(selectors=cel("'odd' in device.attributes['d']")))],
            ["b", "a"],
            id="a choice that leads nowhere is taken back",
        ),
        pytest.param(
            THREE,
            [claim(first_of(exactly(4), exactly(3), exactly(1)))],
            ["a", "b", "c"],
            id="the first alternative that can be had",
        ),
        pytest.param(
            THREE,
            [claim(first_of(exactly(3), exactly(2)), exact())],
            ["a", "b", "c"],
            id="an alternative that leaves enough for the rest",
        ),
        pytest.param(
            THREE,
            [claim(exact(allocationMode="All"))],
            ["a", "b", "c"],
            id="all devices",
        ),
        pytest.param(
            [slice_(device("a", taints=[{"key": "k", "effect": "NoSchedule"}]), device("b"))],
            [claim(exact())],
            ["b"],
            id="a taint that is not tolerated",
        ),
        pytest.param(
            [slice_(device("a", taints=[{"key": "k", "effect": "NoExecute"}]), device("b"))],
            [claim(exact(tolerations=[{"key": "k", "operator": "Exists"}]))],
            ["a"],
            id="a taint that is tolerated",
        ),
        pytest.param(
            [slice_(device("a", taints=[{"key": "k", "effect": "None"}]))],
            [claim(exact())],
            ["a"],
            id="a taint without effect",
        ),
        pytest.param(
            [
                slice_(
                    device("here", nodeName="n"),
                    device("there", nodeName="m"),
                    perDeviceNodeSelection=True,
                )
            ],
            [claim(exact(allocationMode="All"))],
            ["here"],
            id="devices that name their nodes themselves",
        ),
    ],
)
def test_the_first_solution_is_taken_of(
    slices: list[ResourceSlice], claims: list[ResourceClaim], expected: list[str] | None
) -> None:
    assert taken(slices, *claims) == expected


NUMA = [slice_(*(device(name, attributes={"x": at % 2}) for at, name in enumerate("abc")))]


@pytest.mark.parametrize(
    ("constraint", "requests", "expected"),
    [
        pytest.param({"matchAttribute": "d/x"}, [exact(2)], ["a", "c"], id="equal values"),
        pytest.param(
            {"distinctAttribute": "d/x"},
            [exact(3)],
            ["a", "b", "c"],
            id="neighbours within a request differ, as upstream",
        ),
        pytest.param(
            {"distinctAttribute": "d/x"},
            [exact(), exact(), exact()],
            None,
            id="requests differ from each other",
        ),
        pytest.param({"matchAttribute": "d/y"}, [exact()], None, id="an attribute that is missing"),
        pytest.param(
            {"matchAttribute": "d/x", "requests": ["r1"]},
            [exact(2), exact()],
            ["a", "b", "c"],
            id="a constraint on another request",
        ),
        pytest.param(
            {"matchAttribute": "d/x", "requests": ["r0/s1"]},
            [first_of(exactly(4), exactly(2))],
            ["a", "c"],
            id="a constraint on one alternative",
        ),
        pytest.param(
            {"matchAttribute": "other/x"}, [exact()], None, id="an attribute of another domain"
        ),
    ],
)
def test_devices_together_obey(
    constraint: Json, requests: list[Json], expected: list[str] | None
) -> None:
    assert taken(NUMA, claim(*requests, constraints=[constraint])) == expected


def test_what_distinct_forgets_on_the_way_back_stays_forgotten() -> None:
    attributes: dict[str, dict[str, int]] = {"a": {"x": 0}, "b": {"x": 1, "only": 1}, "c": {"x": 1}}
    slices = [slice_(*(device(name, attributes=own) for name, own in attributes.items()))]
    only_b = exact(selectors=cel("'only' in device.attributes['d']"))
    constraint = {"distinctAttribute": "d/x", "requests": ["r0"]}
    assert taken(slices, claim(exact(2), only_b, constraints=[constraint])) == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("amounts", "wanted", "in_use", "expected"),
    [
        pytest.param([4, 4, 4], 2, set(), ["p0", "p1"], id="two parts that fit"),
        pytest.param([4, 4, 4], 3, set(), None, id="three parts that do not"),
        pytest.param([4, 7, 6], 2, set(), ["p0", "p2"], id="a part that is too large is passed"),
        pytest.param([4, 4, 4], 2, {("d", "n", "p2")}, None, id="a part that is allocated"),
    ],
)
def test_parts_share_their_counters(
    amounts: list[int], wanted: int, in_use: set[tuple[str, str, str]], expected: list[str] | None
) -> None:
    slices = partitioned(*(partition(f"p{at}", each) for at, each in enumerate(amounts)))
    found = taken(slices, claim(exact(wanted)), in_use=DevicesInUse(devices=in_use))
    assert found == expected


def test_pools_of_one_name_share_one_account_as_upstream() -> None:
    small = partitioned(partition("small", 8), driver="b", amount="8")
    large = partitioned(partition("large", 8), driver="a", amount="80")
    assert taken([*small, *large], claim(exact(2))) == ["large", "small"]
    tight = partitioned(partition("tight", 8), driver="a", amount="10")
    assert taken([*small, *tight], claim(exact(2))) is None


def test_counters_of_a_tainted_part_stay_taken_as_upstream() -> None:
    tainted = partition("t", 8, taints=[{"key": "k", "effect": "NoSchedule"}])
    assert taken(partitioned(tainted, partition("p", 8)), claim(exact())) is None
    assert taken(partitioned(partition("p", 8), tainted), claim(exact())) == ["p"]


def test_a_device_in_use_is_open_to_administrators_alone() -> None:
    in_use = DevicesInUse(devices={("d", "n", "a")})
    assert taken(THREE, claim(exact()), in_use=in_use) == ["b"]
    assert taken(THREE, claim(exact(adminAccess=True)), in_use=in_use) == ["a"]
    twice = claim(exact(adminAccess=True), exact(adminAccess=True))
    assert taken(THREE, twice, in_use=in_use) == ["a", "b"]


SHARED = slice_(
    device("s", capacity={"m": {"value": "10"}}, allowMultipleAllocations=True), device("own")
)


def test_a_shared_device_is_given_away_in_parts() -> None:
    half = exact(capacity={"requests": {"m": "5"}})
    assert taken([SHARED], claim(half, half)) == ["s", "s"]
    assert taken([SHARED], claim(half, half, half)) is None
    used = DevicesInUse(consumed={("d", "n", "s"): {"m": Quantity.parse("6").nano}})
    assert taken([SHARED], claim(half), in_use=used) is None
    assert taken([SHARED], claim(exact()), in_use=used) == ["own"]


def test_all_devices_cannot_be_had_once_a_part_is_gone() -> None:
    part = exact(capacity={"requests": {"m": "5"}})
    assert taken([SHARED], claim(part, exact(allocationMode="All"))) is None


@pytest.mark.parametrize(
    ("slices", "wanted", "message"),
    [
        pytest.param(
            THREE,
            claim(exact(33)),
            "claim ns/c: number of requested devices 33 exceeds the claim limit of 32",
            id="too many devices",
        ),
        pytest.param(
            [slice_(device("a"), of_pool={"resourceSliceCount": 2})],
            claim(exact(allocationMode="All")),
            "claim ns/c, request r0: asks for all devices, but resource pool d/n is currently "
            "being updated",
            id="all devices of an incomplete pool",
        ),
        pytest.param(
            [slice_(device("a"), device("a"))],
            claim(exact(allocationMode="All")),
            "claim ns/c, request r0: asks for all devices, but resource pool d/n is currently "
            "invalid",
            id="all devices of an invalid pool",
        ),
        pytest.param(
            NUMA,
            claim(exact(allocationMode="All"), constraints=[{"matchAttribute": "d/x"}]),
            "claim ns/c, request r0: cannot add device d/n/b because a claim constraint would not "
            "be satisfied",
            id="all devices against a constraint",
        ),
        pytest.param(
            THREE,
            claim(exact(deviceClassName="odd")),
            "class odd: selector #0: CEL runtime error: no such key: odd",
            id="a failing selector of the class",
        ),
        pytest.param(
            THREE,
            claim(exact(selectors=cel("true") + cel("device.attributes['d'].even == 1"))),
            "claim ns/c: selector #1: CEL runtime error: no such key: even",
            id="a failing selector of the claim",
        ),
    ],
)
def test_the_attempt_ends_with(
    slices: list[ResourceSlice], wanted: ResourceClaim, message: str
) -> None:
    with pytest.raises(AllocationError) as caught:
        taken(slices, wanted)
    assert str(caught.value) == message


def test_a_selector_that_is_not_reached_does_no_harm() -> None:
    slices = [slice_(device("a", attributes={"odd": 1}), device("b"))]
    assert taken(slices, claim(exact(deviceClassName="odd"))) == ["a"]


@pytest.mark.parametrize(
    "slices",
    [
        pytest.param([slice_(device("a"), device("a"))], id="two devices of one name"),
        pytest.param(
            partitioned(device("a", consumesCounters=[{"counterSet": "no", "counters": {
                "mem": {"value": "1"}}}])),
            id="a counter set that does not exist",
        ),
    ],
)  # fmt: skip
def test_an_invalid_pool_is_named_where_nothing_else_helps(slices: list[ResourceSlice]) -> None:
    with pytest.raises(NodeError, match=r"^invalid resource pools were encountered$"):
        taken(slices, claim(exact()))
    other = slice_(device("good"), name="o", pool="other")
    assert taken([*slices, other], claim(exact())) == ["good"]


def test_a_claim_gets_at_most_32_devices_whatever_its_alternatives() -> None:
    many = [slice_(*(device(f"d{at:02}") for at in range(40)))]
    found = taken(many, claim(first_of(exactly(30), exactly(2)), exact(10)))
    assert found is not None
    assert len(found) == 12


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        pytest.param(
            [slice_(device("a"))],
            {"matchFields": [("metadata.name", ("n",))], "matchExpressions": []},
            id="a device of one node",
        ),
        pytest.param([slice_(device("a"), allNodes=True)], None, id="a device for all nodes"),
        pytest.param(
            [slice_(device("a", bindsToNode=True), allNodes=True)],
            {"matchFields": [("metadata.name", ("n",))], "matchExpressions": []},
            id="a device that binds to its node",
        ),
        pytest.param(
            [
                slice_(
                    device("a"),
                    nodeSelector={
                        "nodeSelectorTerms": [
                            {"matchExpressions": [
                                {"key": "zone", "operator": "In", "values": ["a"]}
                            ]}
                        ]
                    },
                )
            ],
            {"matchFields": [], "matchExpressions": [("zone", ("a",))]},
            id="a device of a zone",
        ),
    ],
)  # fmt: skip
def test_an_allocation_says_where_it_is_available(
    slices: list[ResourceSlice], expected: dict[str, list[Any]] | None
) -> None:
    node = add_node(empty_cache(), "n", labels={"zone": "a"})
    found = allocator(slices).allocate(node, [claim(exact())])
    assert found is not None
    selector = allocation_result(found[0], "n").node_selector
    if selector is None:
        assert expected is None
        return
    (term,) = selector.node_selector_terms
    assert expected == {
        "matchFields": [(each.key, each.values) for each in term.match_fields],
        "matchExpressions": [(each.key, each.values) for each in term.match_expressions],
    }


def scored(claims: Sequence[ResourceClaim], allocated: Sequence[ResourceClaim]) -> int:
    node = add_node(empty_cache(), "n")
    found = allocator(THREE).allocate(node, allocated)
    assert found is not None
    return raw_score(DraState(claims=claims, allocations={"n": NodeAllocation(found)}), "n")


def test_earlier_alternatives_score_higher() -> None:
    second = claim(first_of(exactly(4), exactly(1)))
    first = claim(first_of(exactly(1)), exact())
    assert scored([first], [first]) == 8
    assert scored([second], [second]) == 7
    assert raw_score(DraState(claims=[first]), "n") == 0


def test_claims_that_were_allocated_before_break_scoring_as_upstream() -> None:
    one, other = claim(exact(), name="x"), claim(exact(), name="y")
    with pytest.raises(TooFewAllocationsError) as caught:
        scored([one, other], [other])
    assert str(caught.value) == "number of allocations 1 is smaller than number of claims"
