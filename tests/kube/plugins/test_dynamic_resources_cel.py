"""Device selectors: what kube-scheduler 1.36.1 itself said of one device, by expression."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.quantity import Quantity
from gpusched.api.resource import Device
from gpusched.kube.plugins.dynamic_resources.cel import compile_selector
from gpusched.kube.plugins.dynamic_resources.cel_values import (
    CelError,
    Semver,
    arithmetic,
    equal,
    order,
)

RECORDED: Final = Path(__file__).parents[2] / "golden/dynamic_resources/cel.jsonl.gz"
DEVICE: Final = Device.model_validate(
    {
        "name": "g",
        "attributes": {
            "model": {"string": "a100"},
            "index": {"int": 3},
            "mig": {"bool": True},
            "ver": {"version": "1.2.3"},
            "x.org/fam": {"string": "Foo-Bar"},
        },
        "capacity": {"memory": {"value": "40Gi"}, "cores": {"value": "1500m"}},
    }
)
DIFFERENT: Final = {
    "1 +": "celpy words syntax errors its own way",
    "device.driver == ": "celpy words syntax errors its own way",
    'device.attributes["d.io"].model.matches("[")': "constant patterns are not compiled beforehand",
    'int("x") == 12': "constants are not folded",
    'device.attributes["d.io"].?foo.orValue("x") == "x"': "not in celpy's grammar",
    'device.attributes["d.io"].?model.hasValue()': "not in celpy's grammar",
    "optional.none().orValue(1) == 1": "optional values are missing",
    'duration("1h") > duration("30m")': "times are missing",
    'timestamp("2020-01-01T00:00:00Z") < timestamp("2021-01-01T00:00:00Z")': "times are missing",
    'ip("1.2.3.4").isUnspecified()': "addresses are missing",
    'url("http://a/b").getHost() == "a"': "addresses are missing",
    'device.attributes["d.io"].model.format([1]) == "x"': "formatting is missing",
    '"%s-%d".format(["a", 1]) == "a-1"': "formatting is missing",
    '"abc".reverse() == "cba"': "a function of lists that is missing",
    "math.greatest(1,2) == 2": "only the first of several mistakes is told",
}


def answer(expression: str) -> bool | str:
    try:
        return compile_selector(expression).matches("d.io", DEVICE)
    except CelError as error:
        return str(error)


def recorded() -> list[tuple[str, bool | str]]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    return [(entry["expression"], entry["answer"]) for entry in entries]


@pytest.mark.golden
@pytest.mark.parametrize(("expression", "expected"), recorded(), ids=lambda value: str(value)[:60])
def test_an_expression_gives_what_the_scheduler_gave(expression: str, expected: bool | str) -> None:
    if expression in DIFFERENT:
        assert answer(expression) != expected, f"no longer different: {DIFFERENT[expression]}"
    else:
        assert answer(expression) == expected


def test_every_known_difference_is_among_the_recorded_expressions() -> None:
    assert set(DIFFERENT) <= {expression for expression, _ in recorded()}


def test_celpy_is_not_imported_before_a_selector_is_evaluated() -> None:
    package = "gpusched.kube.plugins.dynamic_resources"
    code = f"import sys, {package}; sys.exit('celpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=3),
    st.floats(allow_nan=False),
    st.none(),
    st.lists(st.integers(0, 3), max_size=2),
)


@pytest.mark.property
@given(VALUES, VALUES)
def test_equality_is_symmetric_and_never_fails_between_plain_values(
    left: object, right: object
) -> None:
    assert equal(left, right) == equal(right, left)
    assert equal(left, left)


@pytest.mark.property
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1).filter(bool))
def test_quotient_and_remainder_of_integers_make_the_number_again(left: int, right: int) -> None:
    if (left, right) != (-(2**63), -1):
        quotient, remainder = arithmetic("/", left, right), arithmetic("%", left, right)
        assert quotient * right + remainder == left
        assert remainder == 0 or (remainder < 0) == (left < 0)


@pytest.mark.property
@given(st.integers(), st.text(max_size=2))
def test_what_has_no_order_says_so(number: int, text: str) -> None:
    with pytest.raises(CelError, match=r"^no such overload$"):
        order(number, text)


@pytest.mark.parametrize(
    "ascending",
    [("1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.0.1", "1.10.0")],
    ids=["versions come in the order that semver 2 gives them"],
)
def test_versions_are_ordered(ascending: tuple[str, ...]) -> None:
    versions = [Semver.parse(text) for text in ascending]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(versions)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1.2", "No Major.Minor.Patch elements found", id="two parts are too few"),
        pytest.param(
            "1.02.3",
            'Minor number must not contain leading zeroes "02"',
            id="leading zeros are refused",
        ),
    ],
)
def test_what_is_no_version_says_why(text: str, message: str) -> None:
    with pytest.raises(CelError) as caught:
        Semver.parse(text)
    assert str(caught.value) == message


def test_a_device_without_a_domain_has_an_empty_map_for_it() -> None:
    assert answer('size(device.attributes["nobody"]) == 0') is True
    assert answer('device.capacity["nobody"].x == quantity("1")') == (
        "CEL runtime error: no such key: x"
    )


def test_quantities_compare_by_value_whatever_their_form() -> None:
    assert equal(Quantity.parse("1Gi"), Quantity.parse("1024Mi"))
    assert answer('device.capacity["d.io"].memory == quantity("40960Mi")') is True
