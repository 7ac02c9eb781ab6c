"""Go's sort: what any sort must do, and one order that only this algorithm gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.gosort import go_sorted
from tests.kubectl.recordings import load


@pytest.mark.property
@given(st.lists(st.integers(0, 50), max_size=200))
def test_the_result_is_sorted_and_holds_the_same_items(items: list[int]) -> None:
    assert go_sorted(items, lambda a, b: a < b) == sorted(items)


@pytest.mark.property
@given(st.lists(st.integers(0, 3), max_size=12))
def test_short_lists_keep_the_order_of_equal_items(keys: list[int]) -> None:
    items = list(enumerate(keys))
    ordered = go_sorted(items, lambda a, b: a[1] < b[1])
    assert ordered == sorted(items, key=lambda item: item[1])


@pytest.mark.golden
@pytest.mark.parametrize("index", range(len(load("go-sort")["cases"])))
def test_equal_items_land_where_go_put_them(index: int) -> None:
    case = load("go-sort")["cases"][index]
    items = list(enumerate(case["keys"]))
    ordered = go_sorted(items, lambda a, b: bool(a[1] < b[1]))
    assert [place for place, _ in ordered] == case["order"]
