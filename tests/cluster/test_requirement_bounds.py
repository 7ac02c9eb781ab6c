"""Numbers in selectors at the bounds of int64, and what is said of a bad key."""

import pytest

from gpusched.cluster.requirements import EXISTS, IN, Requirement, parse_int64, requirement_errors
from tests.cluster.builders import container, empty_cache, pod


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("9223372036854775807", 2**63 - 1, id="the largest"),
        pytest.param("9223372036854775808", None, id="one more"),
        pytest.param("-9223372036854775808", -(2**63), id="the smallest"),
        pytest.param("-9223372036854775809", None, id="one less"),
        pytest.param("+7", 7, id="a plus"),
        pytest.param("7.0", None, id="no integer"),
    ],
)
def test_a_number_is_read_as_int64(text: str, number: int | None) -> None:
    assert parse_int64(text) == number


def test_a_bad_key_is_named_with_its_path() -> None:
    (error,) = requirement_errors(Requirement("-", EXISTS, ()), "spec.x[0]")
    assert error.startswith('spec.x[0].key: Invalid value: "-": ')


def test_the_wrong_number_of_values_is_shown_as_json() -> None:
    (error,) = requirement_errors(Requirement("k", EXISTS, ("a", "b")), "p")
    assert error.startswith('p.values: Invalid value: ["a","b"]: ')
    (error,) = requirement_errors(Requirement("k", IN, ()), "p")
    assert error.startswith("p.values: Invalid value: []: ")


def test_at_the_level_of_the_pod_cpu_memory_and_huge_pages_count() -> None:
    cache = empty_cache()
    wanted = {"cpu": "3", "memory": "1Gi", "hugepages-2Mi": "4Mi"}
    own = {"ephemeral-storage": "1Gi", "x.com/gpu": "1"}
    found = pod(
        cache,
        containers=[container(requests={"cpu": "1", **own})],
        resources={"requests": {**wanted, "ephemeral-storage": "9Gi", "x.com/gpu": "9"}},
    ).shape.requests
    names = cache.resources.names
    assert {names[row]: amount for row, amount in zip(found.rows, found.amounts, strict=True)} == {
        "cpu": 3000,
        "memory": 2**30,
        "ephemeral-storage": 2**30,
        "hugepages-2Mi": 4 * 2**20,
        "x.com/gpu": 1,
    }
