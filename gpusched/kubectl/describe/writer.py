"""The paper that ``describe`` writes on: indented lines whose tabs are aligned at the end.

Source: kubernetes/kubectl pkg/describe/describe.go PrefixWriter, v0.36.1
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gpusched.kubectl.go_format import escape_terminal
from gpusched.kubectl.tabwriter import describe_writer


@dataclass(slots=True)
class Writer:
    """Collects lines; a tab ends a cell.

    Attributes:
        indent: What each line begins with.
    """

    indent: str = ""
    _lines: list[str] = field(default_factory=list)

    def line(self, text: str, level: int = 0) -> None:
        """Add one line, ``level`` steps of two blanks further in."""
        self._lines.append(f"{self.indent}{'  ' * level}{escape_terminal(text)}")

    def pair(self, label: str, value: object, level: int = 0) -> None:
        """Add ``label:`` and its value in the next column."""
        self.line(f"{label}:\t{value}", level)

    def block(self, label: str, values: Sequence[str], level: int = 0) -> None:
        """Add ``label:`` with one value per line; ``<none>`` when there are no values."""
        first, *others = values or ["<none>"]
        self.pair(label, first, level)
        for value in others:
            self.line(f"\t{value}")

    def labels(self, label: str, labels: Mapping[str, str], level: int = 0) -> None:
        """Add labels, one per line, sorted."""
        self.block(label, [f"{key}={labels[key]}" for key in sorted(labels)], level)

    def nested(self, level: int) -> "Writer":
        """Return a writer onto the same paper, ``level`` steps further in."""
        return Writer(self.indent + "  " * level, self._lines)

    def raw(self) -> str:
        """Return everything written, its cells as they are."""
        return "".join(f"{line}\n" for line in self._lines)

    def text(self) -> str:
        """Return everything written, aligned."""
        return describe_writer().align(self.raw())
