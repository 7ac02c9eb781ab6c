"""Where a quantity changes its form: at the bounds of int64, of a text's length, of a suffix."""

import pytest

from gpusched.api.quantity import (
    NANO,
    NUMBER_WRONG,
    SUFFIX_WRONG,
    Format,
    InvalidQuantityError,
    Quantity,
    number_text,
)

LARGEST = 2**63 - 1


def test_the_words_are_upstreams() -> None:
    assert NUMBER_WRONG == "unable to parse numeric part of quantity"
    assert SUFFIX_WRONG == "unable to parse quantity's suffix"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("X1", None, id="only white space is stripped"),
        pytest.param("1" * 1500 + "." + "1" * 1500, NUMBER_WRONG, id="all digits count"),
        pytest.param("1e-00000000001", SUFFIX_WRONG, id="ten digits of an exponent are enough"),
    ],
)
def test_what_goes_beyond_is_refused(text: str, message: str | None) -> None:
    with pytest.raises(InvalidQuantityError, match=message):
        Quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        pytest.param("1e-0000000001", 10**8, id="an exponent of ten digits"),
        pytest.param("1e-3000", 1, id="next to nothing is a billionth"),
        pytest.param("0e-3000", 0, id="nothing stays nothing"),
        pytest.param("1" * 2040 + "e-2045", 1112, id="many digits, most of them behind the point"),
    ],
)
def test_what_is_just_inside_is_read(text: str, nano: int) -> None:
    assert Quantity.parse(text).nano == nano


@pytest.mark.parametrize(
    ("quantity", "value", "milli"),
    [
        pytest.param(Quantity.from_int(LARGEST), LARGEST, 0, id="the largest int64 is held"),
        pytest.param(Quantity.from_int(2**63), -(2**63), 0, id="one more is not, and wraps"),
        pytest.param(Quantity.from_int(10**17), 10**17, 0, id="held, but not its milli"),
        pytest.param(Quantity.from_milli(2**63), 9223372036854776, -(2**63), id="nor its milli"),
        pytest.param(
            Quantity.from_int(LARGEST) + Quantity.from_int(1), -(2**63), 0, id="a sum too large"
        ),
        pytest.param(
            Quantity(LARGEST * NANO) + Quantity(NANO), -(2**63), 0, id="of bare numbers too"
        ),
        pytest.param(
            Quantity.from_int(10**16) + Quantity.from_milli(1),
            10**16 + 1,
            10**19 + 1 - 2**64,
            id="a sum is held in the finer scale of the two",
        ),
        pytest.param(
            Quantity.from_int(10**16) + Quantity.from_milli(0) + Quantity.from_int(1),
            10**16 + 1,
            0,
            id="but nothing, added, does not make it finer",
        ),
    ],
)
def test_what_int64_does_not_hold_wraps(quantity: Quantity, value: int, milli: int) -> None:
    assert (quantity.wrapped_value(), quantity.wrapped_milli_value()) == (value, milli)


def test_signs_and_truth() -> None:
    some = [Quantity(-1), Quantity(0), Quantity(1)]
    assert [each.sign for each in some] == [-1, 0, 1]
    assert [each.is_zero for each in some] == [False, True, False]
    assert [bool(each) for each in some] == [True, False, True]


def test_a_made_quantity_is_printed_canonically() -> None:
    assert str(Quantity.from_int(5)) == "5"
    assert str(Quantity.from_milli(5)) == "5m"
    assert str(Quantity.from_int(1000, Format.BINARY_SI)) == "1k"
    assert str(Quantity.from_int(1024, Format.BINARY_SI)) == "1Ki"


def test_a_json_number_is_spelled_as_in_go() -> None:
    assert [number_text(number) for number in (1e-7, 1e-6, 1e21, 7)] == [
        "1e-7",
        "0.000001",
        "1e+21",
        "7",
    ]
