"""Resource names as rows: cpu in milli, everything else in whole units."""

CPU = 0
MEMORY = 1
EPHEMERAL_STORAGE = 2
STANDARD = ("cpu", "memory", "ephemeral-storage")


class ResourceNames:
    """The resource names met so far, each with a row of its own; rows are never reused.

    Rows 0, 1 and 2 are cpu (milli-CPU), memory and ephemeral-storage (bytes); scalar
    resources (``nvidia.com/gpu``, hugepages, …) follow in order of first appearance.
    """

    __slots__ = ("_rows", "names")

    def __init__(self) -> None:
        self.names: list[str] = list(STANDARD)
        self._rows: dict[str, int] = {name: row for row, name in enumerate(STANDARD)}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.names)

    def row(self, name: str) -> int:
        """Return the row of ``name``, giving it a new one at first sight."""
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = len(self.names)
            self.names.append(name)
        return row

    def find(self, name: str) -> int | None:
        """Return the row of ``name``, or None if nobody has named it yet."""
        return self._rows.get(name)
