"""Ages and times."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.ages import SECOND, age, human_duration, parse_time, rfc1123

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "y": 365 * DAY}


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (-2, "<invalid>"), (-1.5, "0s"), (-0.1, "0s"), (0, "0s"), (0.999, "0s"), (119.9, "119s"),
        (120, "2m"), (121, "2m1s"), (599, "9m59s"), (600, "10m"), (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"), (3 * HOUR + 60, "3h1m"), (8 * HOUR - 1, "7h59m"), (8 * HOUR, "8h"),
        (48 * HOUR - 1, "47h"), (48 * HOUR, "2d"), (49 * HOUR, "2d1h"), (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"), (730 * DAY - 1, "729d"), (730 * DAY, "2y"), (731 * DAY, "2y1d"),
        (8 * 365 * DAY, "8y"),
    ],
)  # fmt: skip
def test_a_span_has_two_or_three_figures(seconds: float, wanted: str) -> None:
    assert human_duration(round(seconds * SECOND)) == wanted


def test_an_unset_time_has_no_age() -> None:
    assert age(None, 0) == "<unknown>"
    assert rfc1123(None) == "Mon, 01 Jan 0001 00:00:00 +0000"


def test_times_are_read_to_the_microsecond() -> None:
    assert parse_time("2026-11-23T12:02:28.222570Z") % SECOND == 222_570


@pytest.mark.property
@given(st.integers(0, 20 * 365 * DAY * SECOND))
def test_a_span_reads_back_as_no_more_than_it_was_and_nearly_all_of_it(span: int) -> None:
    parts = re.findall(r"(\d+)([smhdy])", human_duration(span))
    read = sum(int(count) * UNITS[unit] for count, unit in parts)
    assert 0 <= span // SECOND - read < max(UNITS[parts[-1][1]], 1)
    assert read >= span // SECOND * 0.88


@pytest.mark.property
@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_an_age_does_not_depend_on_the_epoch(created: int, span: int) -> None:
    assert human_duration(created + span - created) == human_duration(span)
