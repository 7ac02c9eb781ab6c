"""Quantities against what a real API server printed, upstream's tables, and laws."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.quantity import (
    FORMAT_WRONG,
    NUMBER_WRONG,
    SUFFIX_WRONG,
    Format,
    InvalidQuantityError,
    Quantity,
    total,
)

GOLDEN = Path(__file__).parent.parent / "golden/api/quantities.json.gz"

numbers = st.from_regex(r"\A[+-]?[0-9]{1,25}(\.[0-9]{0,12})?\Z")
suffixes = st.sampled_from(["", *"numkMGTPE", *(f"{c}i" for c in "KMGTPE"), "e3", "E-6", "e+12"])
texts = st.builds(str.__add__, numbers, suffixes)
quantities = texts.map(Quantity.parse)
small = st.integers(-(10**12), 10**12).map(Quantity.from_milli)


@pytest.mark.golden
def test_every_recorded_text_is_read_and_printed_as_the_api_server_did() -> None:
    wrong = []
    for text, printed, error in json.loads(gzip.decompress(GOLDEN.read_bytes())):
        try:
            found, problem = str(Quantity.parse(text).round_up_milli()), None
        except InvalidQuantityError as caught:
            found, problem = None, str(caught)
        if (found, problem) != (printed, error):
            wrong.append((text, printed, error, found, problem))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        pytest.param("1000", "1k", id="a thousand gets its suffix"),
        pytest.param("1000m", "1", id="a whole number loses its milli"),
        pytest.param("0.5", "500m", id="a fraction becomes milli"),
        pytest.param("1.5Gi", "1536Mi", id="a binary fraction goes to the next suffix"),
        pytest.param("1024Mi", "1Gi", id="a full binary step goes up"),
        pytest.param("0.5Ki", "512", id="binary below 1024 prints decimal"),
        pytest.param("01", "01", id="a leading zero is echoed"),
        pytest.param("1.", "1.", id="a trailing dot is echoed"),
        pytest.param("+1k", "+1k", id="a plus is echoed"),
        pytest.param("1E3", "1E3", id="an upper-case exponent is echoed"),
        pytest.param("10e2", "1e3", id="an exponent becomes a multiple of three"),
        pytest.param("5E-1", "500e-3", id="a small exponent keeps the exponent form"),
        pytest.param("-0", "0", id="minus zero is zero"),
        pytest.param("Gi", "0", id="missing digits are zero"),
        pytest.param("1n", "1n", id="nano is the smallest step"),
        pytest.param("1e-12", "1e-9", id="less than nano is rounded up to it"),
        pytest.param("9223372036854775808", "9223372036854775808", id="beyond int64 is exact"),
        pytest.param("16Ei", "9223372036854775807", id="binary is capped at int64"),
    ],
)
def test_a_quantity_is_printed_canonically(text: str, printed: str) -> None:
    assert str(Quantity.parse(text)) == printed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("", FORMAT_WRONG, id="an empty text has the wrong shape"),
        pytest.param("one", FORMAT_WRONG, id="a word has the wrong shape"),
        pytest.param("1.2.3", FORMAT_WRONG, id="two dots have the wrong shape"),
        pytest.param("٣", FORMAT_WRONG, id="only the digits of ASCII count"),
        pytest.param("1K", SUFFIX_WRONG, id="an upper-case kilo is no suffix"),
        pytest.param("12e", SUFFIX_WRONG, id="an exponent needs digits"),
        pytest.param("--1", SUFFIX_WRONG, id="a second sign starts the suffix"),
        pytest.param("1e400000000", SUFFIX_WRONG, id="an exponent out of all bounds is refused"),
        pytest.param("1" * 5000, NUMBER_WRONG, id="a number of thousands of digits is refused"),
        pytest.param(".Ei", NUMBER_WRONG, id="a large suffix needs digits"),
        pytest.param(True, FORMAT_WRONG, id="a boolean has the wrong shape"),
        pytest.param(float("nan"), FORMAT_WRONG, id="NaN has the wrong shape"),
    ],
)
def test_what_is_no_quantity_is_refused_in_upstreams_words(value: str, message: str) -> None:
    with pytest.raises(InvalidQuantityError) as caught:
        Quantity.parse(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        pytest.param(1.5, "1500m", id="a JSON fraction"),
        pytest.param(3, "3", id="a JSON integer"),
        pytest.param(1e30, "1e+30", id="a JSON number beyond 1e21 has an exponent"),
        pytest.param(1e20, "100E", id="a JSON number below 1e21 has none"),
        pytest.param(1.5e-5, "15u", id="a small JSON number has none"),
        pytest.param(1e-7, "100e-9", id="a tiny JSON number has one"),
        pytest.param(None, "0", id="null is zero"),
    ],
)
def test_a_json_number_is_taken_by_its_text(value: float | None, printed: str) -> None:
    assert str(Quantity.parse(value)) == printed


@pytest.mark.parametrize(
    ("text", "value", "milli"),
    [
        pytest.param("9223372036854775807", 2**63 - 1, -1000, id="milli wraps first"),
        pytest.param("9223372036854775808", -(2**63), 0, id="one more is negative"),
        pytest.param("18446744073709551616", 0, 0, id="two to the 64th is nothing"),
        pytest.param("18446744073709551617", 1, 1000, id="and one more is one"),
        pytest.param("1e30", 0, 0, id="an int64 amount that overflows is zero"),
        pytest.param("1500m", 2, 1500, id="small numbers do not wrap"),
    ],
)
def test_numbers_beyond_64_bits_wrap_as_upstreams_do(text: str, value: int, milli: int) -> None:
    quantity = Quantity.parse(text).round_up_milli()
    assert quantity.wrapped_value() == value
    assert quantity.wrapped_milli_value() == milli


@pytest.mark.parametrize(
    ("first", "second", "printed"),
    [
        pytest.param("1Gi", "500M", "1573741824", id="a sum keeps the first form"),
        pytest.param("0", "1Gi", "1Gi", id="zero takes the other form"),
        pytest.param("2050e-3", "2", "4050e-3", id="an exponent stays one"),
        pytest.param("1e30", "8", "1000000000000000000000000000008", id="no digit is lost"),
        pytest.param("01", "0", "1", id="a sum is never echoed"),
    ],
)
def test_a_sum_is_printed_in_the_form_of_its_first_operand(
    first: str, second: str, printed: str
) -> None:
    assert str(Quantity.parse(first) + Quantity.parse(second)) == printed


def test_away_from_zero_is_where_values_are_rounded() -> None:
    assert [Quantity.parse(text).value() for text in ("1500m", "1n", "-1500m")] == [2, 1, -2]
    assert [Quantity.parse(text).milli_value() for text in ("1u", "-1u")] == [1, -1]


@pytest.mark.property
@given(quantities)
def test_printing_and_reading_again_gives_the_same_number(quantity: Quantity) -> None:
    if abs(quantity.nano) < 10**27:  # beyond E upstream prints no suffix at all
        assert Quantity.parse(str(quantity)) == quantity
        assert Quantity.parse(quantity.canonical()).canonical() == quantity.canonical()


@pytest.mark.property
@given(small, small)
def test_order_and_sum_are_those_of_the_numbers(first: Quantity, second: Quantity) -> None:
    assert (first < second) == (first.nano < second.nano)
    assert (first + second).nano == first.nano + second.nano
    assert first + second == second + first
    assert (first - second) + second == first
    assert hash(first) == hash(Quantity(first.nano, Format.BINARY_SI))


@pytest.mark.property
@given(st.lists(small))
def test_a_total_is_the_sum_of_all(amounts: list[Quantity]) -> None:
    assert total(amounts).nano == sum(amount.nano for amount in amounts)


@pytest.mark.property
@given(quantities)
def test_rounding_up_to_milli_never_takes_away_and_is_done_once(quantity: Quantity) -> None:
    rounded = quantity.round_up_milli()
    assert abs(rounded.nano) >= abs(quantity.nano)
    assert abs(rounded.nano - quantity.nano) < 10**6
    assert rounded.round_up_milli() == rounded


@pytest.mark.property
@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        quantity = Quantity.parse(text)
    except InvalidQuantityError:
        return
    assert isinstance(quantity.nano, int)
