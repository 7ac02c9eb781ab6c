"""The parts of a parsed template."""

from dataclasses import dataclass
from typing import TypeAlias


class JsonPathError(ValueError):
    """A template is malformed, or does not fit the value it meets; the message is upstream's."""


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text, between the braces' outside or in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Field:
    """``.name``: a key of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or boolean."""

    value: int | float | bool


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``.*``: every value of an object or list."""


@dataclass(frozen=True, slots=True)
class Recursive:
    """``..``: every collection below, the value itself first."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """``range`` or ``end``."""

    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """``[start:end:step]``; a lone index is a slice of one with ``derived`` end."""

    start: int | None
    end: int | None
    step: int | None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """Steps applied one after the other: what stands in one pair of braces."""

    steps: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Union:
    """``[0,2]``: the results of several actions, one after the other."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(@.x==1)]``: the list items for which a comparison, or ``exists``, holds."""

    left: Action
    right: Action
    operator: str


Node: TypeAlias = (
    Text | Field | Literal | Wildcard | Recursive | Identifier | Slice | Union | Filter | Action
)
