"""Elastic tabstops: tab-terminated cells of neighbouring lines are aligned in columns.

A column is a run of lines that all have a tab-terminated cell there; text after a line's last tab
belongs to no column. Knows text only.

Source: golang/go src/text/tabwriter and liggitt/tabwriter (the remembered widths)
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_LINE_END = re.compile(r"[\n\f]")


@dataclass(slots=True)
class TabWriter:
    """Aligns texts; with ``remembers``, later texts are at least as wide as earlier ones.

    Attributes:
        minimum: Least width of a column, padding included.
        padding: Spaces after the widest cell of a column.
        remembers: Whether widths last from one call of ``align`` to the next.
    """

    minimum: int
    padding: int
    remembers: bool = False
    _widest: list[int] = field(default_factory=list)

    def align(self, text: str) -> str:
        r"""Return ``text`` with each tab replaced by spaces.

        >>> TabWriter(minimum=0, padding=2).align("a\tb\nlong\tc\n")
        'a     b\nlong  c\n'
        """
        lines = [line.split("\t") for line in _LINE_END.split(text)]
        return "\n".join(self._block(lines, []))

    def _block(self, lines: list[list[str]], widths: list[int]) -> list[str]:
        """Return ``lines``, of which some columns have ``widths``, aligned from the next one on."""
        column, done, here = len(widths), list[str](), 0
        while here < len(lines):
            end = here
            while end < len(lines) and len(lines[end]) > column + 1:
                end += 1
            if end == here:
                done.append(_render(lines[here], widths))
                here += 1
                continue
            width = self._width(column, (len(line[column]) for line in lines[here:end]))
            done += self._block(lines[here:end], [*widths, width])
            here = end
        return done

    def _width(self, column: int, lengths: Iterable[int]) -> int:
        width = max(self.minimum, max(lengths) + self.padding)
        if not self.remembers:
            return width
        self._widest += [0] * (column + 1 - len(self._widest))
        self._widest[column] = max(self._widest[column], width)
        return self._widest[column]


def _render(cells: list[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
    return "".join(padded) + "".join(cells[len(widths) :])


def table_writer() -> TabWriter:
    """Return a writer as ``kubectl get`` uses it.

    Source: kubernetes/cli-runtime pkg/printers/tabwriter.go, v0.36.1
    """
    return TabWriter(minimum=6, padding=3, remembers=True)


def describe_writer() -> TabWriter:
    """Return a writer as ``kubectl describe`` uses it.

    Source: kubernetes/kubectl pkg/describe/describe.go tabbedString, v0.36.1
    """
    return TabWriter(minimum=0, padding=2)
