"""Tables: columns and rows as the API server makes them, and their text as kubectl prints it.

Source: kubernetes/cli-runtime pkg/printers/tableprinter.go, v0.36.1
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gpusched.kubectl.fields import JsonObject, labels_of, namespace_of
from gpusched.kubectl.go_format import escape_terminal, sprint
from gpusched.kubectl.selectors import labels_text

Cells: TypeAlias = list[Any]
_BREAKS: Final = "\f\n\r"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its heading, not yet in capitals.
        wide: Whether only ``-o wide`` shows it.
        is_name: Whether it holds the object's name, which may get its kind in front.
    """

    name: str
    wide: bool = False
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """How objects of one kind become rows.

    Attributes:
        columns: The columns, those of ``-o wide`` included.
        cells: Makes the cells of all columns from an object and the instant.
    """

    columns: tuple[Column, ...]
    cells: Callable[[JsonObject, int], Cells]


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a command wants added to, or left out of, a table."""

    wide: bool = False
    no_headers: bool = False
    with_namespace: bool = False
    kind_prefix: str = ""
    label_columns: tuple[str, ...] = ()
    show_labels: bool = False


@dataclass(slots=True)
class TablePrinter:
    """Prints rows of one kind; headings come before the first row only.

    Attributes:
        definition: How objects become rows.
        options: What is added or left out.
        now: The instant.
    """

    definition: TableDefinition
    options: TableOptions
    now: int
    _headed: bool = field(default=False)

    def text(self, objects: Sequence[JsonObject], event: str = "") -> str:
        """Return the rows of ``objects`` with tabs between cells.

        Args:
            objects: What to print; nothing is printed for none, not even headings.
            event: A watch event's type to put in front of each row.
        """
        lines = [self._line(obj, event) for obj in objects]
        if lines and not self._headed and not self.options.no_headers:
            lines.insert(0, self._heading(event))
            self._headed = True
        return "".join(f"{line}\n" for line in lines)

    def _heading(self, event: str) -> str:
        options = self.options
        names = [
            column.name for column in self.definition.columns if options.wide or not column.wide
        ]
        names += [label.split("/")[-1] for label in options.label_columns]
        names += ["Labels"] * options.show_labels
        before = ["Event"] * bool(event) + ["Namespace"] * options.with_namespace
        return "\t".join(before + names).upper()

    def _line(self, obj: JsonObject, event: str) -> str:
        options, labels = self.options, labels_of(obj)
        cells = [
            f"{options.kind_prefix}{cell}" if column.is_name else cell
            for column, cell in zip(
                self.definition.columns, self.definition.cells(obj, self.now), strict=True
            )
            if options.wide or not column.wide
        ]
        cells += [labels.get(label, "") for label in options.label_columns]
        cells += [labels_text(labels)] * options.show_labels
        before = [event] * bool(event) + [namespace_of(obj)] * options.with_namespace
        return "\t".join(map(_cell_text, [*before, *cells]))


def _cell_text(cell: Any) -> str:
    """Return a cell on one line: what follows a line break is cut off."""
    text = sprint(cell)
    end = next((i for i, char in enumerate(text) if char in _BREAKS), None)
    return escape_terminal(text if end is None else text[:end]) + ("" if end is None else "...")
