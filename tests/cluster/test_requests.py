"""What a pod asks for: the sum over containers, init containers, pod level, overhead and status."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.builders import Json, container, empty_cache, pod

MIB = 1024 * 1024


def requested(**spec: Any) -> dict[str, int]:
    cache = empty_cache()
    found = pod(cache, **spec).shape.requests
    pairs = zip(found.rows, found.amounts, strict=True)
    return {cache.resources.names[row]: amount for row, amount in pairs}


def cpu(amount: str, **more: Any) -> Json:
    return container(requests={"cpu": amount}, **more)


SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"requests": {"cpu": "1.0001"}}, 1001, id="a part of a milli rounds up"),
        pytest.param({"containers": [cpu("1"), cpu("250m")]}, 1250, id="containers add up"),
        pytest.param(
            {"containers": [cpu("1")], "initContainers": [cpu("3"), cpu("2")]},
            3000,
            id="the largest init container counts, not their sum",
        ),
        pytest.param(
            {"containers": [cpu("1")], "initContainers": [cpu("2", **SIDECAR), cpu("500m")]},
            3000,
            id="a sidecar runs beside the main containers",
        ),
        pytest.param(
            {"containers": [cpu("1")], "initContainers": [cpu("2", **SIDECAR), cpu("5")]},
            7000,
            id="an init container runs beside the sidecars before it",
        ),
        pytest.param(
            {"containers": [cpu("1")], "initContainers": [cpu("5"), cpu("2", **SIDECAR)]},
            5000,
            id="an init container does not wait for the sidecars after it",
        ),
        pytest.param(
            {"containers": [cpu("1")], "overhead": {"cpu": "10m"}}, 1010, id="overhead is added"
        ),
        pytest.param(
            {"containers": [cpu("4")], "resources": {"requests": {"cpu": "2"}}},
            2000,
            id="the pod level replaces the sum",
        ),
        pytest.param(
            {
                "containers": [cpu("4")],
                "resources": {"requests": {"cpu": "2"}},
                "overhead": {"cpu": "1"},
            },
            3000,
            id="overhead is added to the pod level too",
        ),
    ],
)
def test_cpu_is_aggregated_as_upstream_does(spec: Json, expected: int) -> None:
    assert requested(**spec) == {"cpu": expected}


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        pytest.param("nvidia.com/gpu", True, id="an extended resource counts"),
        pytest.param("hugepages-2Mi", True, id="huge pages count"),
        pytest.param("attachable-volumes-csi-x", True, id="attachable volumes count"),
        pytest.param("example.kubernetes.io/thing", True, id="a prefixed native name counts"),
        pytest.param("storage", False, id="an unknown native name does not"),
        pytest.param("pods", False, id="pods are counted apart"),
        pytest.param("requests.nvidia.com/gpu", False, id="a quota's name does not"),
    ],
)
def test_only_known_kinds_of_resources_are_counted(name: str, counted: bool) -> None:
    assert requested(requests={name: "2"}) == ({name: 2} if counted else {})


def test_an_explicit_zero_is_named_but_a_missing_resource_is_not() -> None:
    assert requested(requests={"nvidia.com/gpu": "0"}) == {"nvidia.com/gpu": 0}
    found = pod(empty_cache(), requests={"nvidia.com/gpu": "0"}).shape.requests
    assert found.has_scalars
    assert not pod(empty_cache(), requests={"cpu": "1"}).shape.requests.has_scalars


def test_fractions_of_a_byte_are_summed_before_they_are_rounded() -> None:
    halves = [container(name, requests={"memory": "500m"}) for name in "ab"]
    assert requested(containers=halves) == {"memory": 1}


@pytest.mark.parametrize(
    ("spec", "nonzero", "scored"),
    [
        pytest.param({}, (100, 200), (100, 200), id="a silent container counts 100m and 200Mi"),
        pytest.param(
            {"requests": {"cpu": "0", "memory": "0"}}, (0, 0), (0, 0), id="an explicit zero stays"
        ),
        pytest.param(
            {"containers": [cpu("1"), container("d")]},
            (1100, 400),
            (1100, 400),
            id="each silent container counts",
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "4"}}},
            (4000, 200),
            (100, 200),
            id="the pod level counts on the node but not in the score",
        ),
        pytest.param(
            {"resources": {"requests": {"memory": "1Mi"}}, "overhead": {"cpu": "10m"}},
            (10, 1),
            (110, 200),
            id="with a pod level, overhead switches the default off",
        ),
    ],
)
def test_silent_containers_count_with_defaults(
    spec: Json, nonzero: tuple[int, int], scored: tuple[int, int]
) -> None:
    found = pod(empty_cache(), **spec).shape.requests
    assert (found.nonzero_cpu, found.nonzero_memory // MIB) == nonzero
    by_row = dict(found.scored)
    assert (by_row[0], by_row[1] // MIB) == scored


def resized(status: Json, **more: Any) -> int:
    statuses = {"containerStatuses": [{"name": "c", **status}], **more}
    return pod(empty_cache(), requests={"cpu": "2"}, status=statuses).accounted.amount(0)


INFEASIBLE = [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        pytest.param({}, {}, 2000, id="without resources in the status the spec counts"),
        pytest.param(
            {"allocatedResources": {"cpu": "9"}}, {}, 2000, id="allocatedResources alone is ignored"
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "3"}}}, {}, 3000, id="what runs counts if larger"
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "1"}}}, {}, 2000, id="the spec counts if larger"
        ),
        pytest.param(
            {"resources": {}, "allocatedResources": {"cpu": "4"}},
            {},
            4000,
            id="what was allocated counts if it is the largest",
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "1"}}},
            {"conditions": INFEASIBLE},
            1000,
            id="the spec of an infeasible resize does not count",
        ),
    ],
)
def test_a_resize_in_place_is_accounted(status: Json, more: Json, expected: int) -> None:
    assert resized(status, **more) == expected


def test_an_incoming_pod_is_filtered_by_its_spec_alone() -> None:
    status = {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]}
    assert pod(empty_cache(), requests={"cpu": "2"}, status=status).shape.requests.amount(0) == 2000


def test_an_init_container_never_uses_its_status_but_a_sidecar_does() -> None:
    grown = [{"name": "i", "resources": {"requests": {"cpu": "9"}}}]
    status = {"initContainerStatuses": grown}
    plain, sidecar = cpu("1", name="i"), {**cpu("1", name="i"), **SIDECAR}
    for init, expected in ((plain, 1000), (sidecar, 9000)):
        found = pod(empty_cache(), initContainers=[init], status=status)
        assert found.accounted.amount(0) == expected


def test_a_resize_of_the_pod_level_is_accounted() -> None:
    level = {"requests": {"cpu": "2"}}
    status = {"resources": {"requests": {"cpu": "3"}}, "allocatedResources": {"cpu": "1"}}
    assert pod(empty_cache(), resources=level, status=status).accounted.amount(0) == 3000
    infeasible = {**status, "conditions": INFEASIBLE, "resources": {"requests": {"cpu": "1"}}}
    assert pod(empty_cache(), resources=level, status=infeasible).accounted.amount(0) == 1000


@pytest.mark.property
@given(st.permutations(["1", "250m", "3", "0", "1500m"]))
def test_the_order_of_main_containers_does_not_matter(amounts: list[str]) -> None:
    assert requested(containers=[cpu(amount) for amount in amounts]) == {"cpu": 5750}
