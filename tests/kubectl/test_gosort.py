"""Go's sort: what any sort must do, and one order that only this algorithm gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.gosort import go_sorted


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


def test_thirteen_equal_items_stay_in_order() -> None:
    """Printed by Go 1.26: a list without order is taken for a sorted one."""
    assert go_sorted(range(13), lambda _a, _b: False) == list(range(13))


def test_equal_items_of_a_long_list_land_where_go_puts_them() -> None:
    """Printed by Go 1.26 for the keys i * 7 % 3, i below 20."""
    items = [(i * 7 % 3, i) for i in range(20)]
    ordered = go_sorted(items, lambda a, b: a[0] < b[0])
    assert [i for _, i in ordered] == [
        9, 18, 15, 3, 12, 0, 6, 10, 7, 4, 13, 16, 1, 19, 8, 5, 11, 14, 2, 17,
    ]  # fmt: skip
