"""A small table for the eye: aligned text in a terminal, HTML in a notebook, records for code."""

import csv
import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


class Table(Sequence[Mapping[str, Any]]):
    """Rows of one kind; each row is a mapping from column to value.

    Args:
        columns: The columns, in order.
        rows: The rows; each as long as ``columns``.
        title: What it is, for its HTML caption.
    """

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = ""
    ) -> None:
        self.columns = tuple(columns)
        self.title = title
        self._rows = [tuple(row) for row in rows]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        """Return one row as a mapping, or a table of a slice."""
        if isinstance(index, slice):
            return Table(self.columns, self._rows[index], self.title)
        return dict(zip(self.columns, self._rows[index], strict=True))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows as mappings."""
        return (dict(zip(self.columns, row, strict=True)) for row in self._rows)

    def column(self, name: str) -> list[Any]:
        """Return one column's values."""
        at = self.columns.index(name)
        return [row[at] for row in self._rows]

    def where(self, **values: Any) -> "Table":
        """Return the rows whose named columns have these values."""
        wanted = [(self.columns.index(name), value) for name, value in values.items()]
        kept = [row for row in self._rows if all(row[at] == value for at, value in wanted)]
        return Table(self.columns, kept, self.title)

    def to_csv(self) -> str:
        """Return it as CSV with a header line."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self._rows)
        return out.getvalue()

    def __repr__(self) -> str:
        """Return aligned columns, as kubectl prints them."""
        heads = [name.upper().replace("_", "-") for name in self.columns]
        return aligned([heads, *self._rows])

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_text(value))}</td>" for value in row) + "</tr>"
            for row in self._rows
        )
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def aligned(lines: Sequence[Sequence[Any]]) -> str:
    """Return lines of equally many cells as columns, three spaces apart.

    >>> print(aligned([("NODE", "GPUS"), ("a100-0", 8)]))
    NODE     GPUS
    a100-0   8
    """
    cells = [[_text(cell) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = (
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
    return "\n".join(padded)


def _text(value: Any) -> str:
    return "<none>" if value is None or value == "" else str(value)
