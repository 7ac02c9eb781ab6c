"""The page on fidelity says what the recordings and the tests' lists say."""

import pytest

from tools.fidelity_tables import LEFT_OUT, PAGE, TIMELINES, left_out, timelines, updated


def test_the_tables_are_as_the_tool_writes_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page) == page, "run python -m tools.fidelity_tables"


def test_every_timeline_has_its_row() -> None:
    rows = list(timelines())[2:]
    names = sorted(path.stem for path in TIMELINES.glob("*.yaml"))
    assert [row.split("`")[1] for row in rows] == names


def test_whatever_is_excused_is_named_on_the_page() -> None:
    text = "\n".join(left_out()).replace("\\|", "|")
    patterns = [
        pattern for table in LEFT_OUT.values() for found in table.values() for pattern in found
    ]
    assert [pattern for pattern in patterns if f"`{pattern}`" not in text] == []


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="has no place for the table decisions"):
        updated("# nothing")
