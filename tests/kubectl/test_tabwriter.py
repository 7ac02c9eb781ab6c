"""Columns: their widths by example, and the laws of alignment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.tabwriter import TabWriter, describe_writer, table_writer

cells = st.text(alphabet="ab é", max_size=8)
lines = st.lists(cells, min_size=1, max_size=4)
tables = st.lists(lines, min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("A\tB\nlong\tc\n", "A     B\nlong  c\n", id="a column fits its widest cell"),
        pytest.param(
            "A\tB\nx\nlong\tc\n", "A  B\nx\nlong  c\n", id="a line without tab ends a column"
        ),
        pytest.param("A\t\tB\nxx\t\tc\n", "A     B\nxx    c\n", id="an empty cell is padded too"),
        pytest.param("A\t\n", "A  \n", id="text before a tab is padded at the end of a line"),
        pytest.param("A\tB", "A  B", id="the last line needs no line break"),
    ],
)
def test_describe_aligns_with_two_blanks(text: str, wanted: str) -> None:
    assert describe_writer().align(text) == wanted


def test_a_table_has_columns_of_at_least_six_and_three_blanks() -> None:
    assert table_writer().align("A\tB\tC\nxxxx\ty\tz\n") == "A      B     C\nxxxx   y     z\n"


def test_a_watched_table_keeps_the_widths_it_had() -> None:
    writer = table_writer()
    writer.align("NAME\tAGE\na-long-name\t1s\n")
    assert writer.align("b\t2s\n") == "b             2s\n"


@pytest.mark.property
@given(tables)
def test_aligning_moves_no_text(table: list[list[str]]) -> None:
    text = "\n".join("\t".join(line) for line in table)
    aligned = describe_writer().align(text)
    assert [line.split() for line in aligned.split("\n")] == [
        " ".join(line).split() for line in table
    ]


@pytest.mark.property
@given(tables, st.integers(0, 8), st.integers(1, 4))
def test_cells_of_equal_lines_start_in_one_place(
    table: list[list[str]], minimum: int, padding: int
) -> None:
    rows = [[*[*line, "", "", "", ""][:4], "end"] for line in table]
    writer = TabWriter(minimum=minimum, padding=padding)
    aligned = writer.align("\n".join("\t".join(row) for row in rows)).split("\n")
    assert len({line.rindex("end") for line in aligned}) == 1
    widths = [max(len(row[i]) for row in rows) + padding for i in range(4)]
    assert aligned[0].rindex("end") == sum(max(width, minimum) for width in widths)
