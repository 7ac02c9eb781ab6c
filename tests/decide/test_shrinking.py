"""The differential run itself: seeds draw equal cases, shrinking keeps what it must."""

from collections.abc import Sequence
from typing import Any

import pytest

from conformance.decide.families import FAMILIES, draw_case
from conformance.decide.shrink import shrink
from gpusched.decide import Settings, answer

Json = dict[str, Any]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_draws_the_same_case_and_it_is_answered(family: str) -> None:
    case = draw_case(family, 3, 1)
    assert case == draw_case(family, 3, 1)
    assert case != draw_case(family, 3, 2)
    found = answer(case, Settings()).expect
    assert found["name"] == f"{family}-3-000001"


def test_shrinking_leaves_what_shows_the_difference_and_nothing_else() -> None:
    case = draw_case("mixed", 1, 4)
    case["pending"] = [{"metadata": {"name": f"p{i}", "labels": {"a": "b"}}} for i in range(9)]

    def shows(candidates: Sequence[Json]) -> list[bool]:
        names = [
            {pod.get("metadata", {}).get("name") for pod in candidate["pending"]}
            for candidate in candidates
        ]
        return [{"p2", "p7"} <= found for found in names]

    small = shrink(case, shows)
    assert small["objects"] == []
    assert small["pending"] == [{"metadata": {"name": "p2"}}, {"metadata": {"name": "p7"}}]
