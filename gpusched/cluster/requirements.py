"""One requirement on one label: ``key operator values``, compiled, with upstream's parse errors.

Source: kubernetes/apimachinery pkg/labels/selector.go (NewRequirement, Matches), v0.36.1.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.api import names

IN: Final = "In"
NOT_IN: Final = "NotIn"
EXISTS: Final = "Exists"
DOES_NOT_EXIST: Final = "DoesNotExist"
GREATER: Final = "Gt"
LESS: Final = "Lt"

_INT64_MAX: Final = 2**63 - 1
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NO_VALUES: Final = "for 'in', 'notin' operators, values set can't be empty"
_SOME_VALUES: Final = "values set must be empty for exists and does not exist"
_ONE_VALUE: Final = "for 'Gt', 'Lt' operators, exactly one value is required"
_NO_INTEGER: Final = "for 'Gt', 'Lt' operators, the value must be an integer"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement that was found valid.

    Attributes:
        key: The label's key.
        operator: ``In``, ``NotIn``, ``Exists``, ``DoesNotExist``, ``Gt`` or ``Lt``.
        values: The values, as given.

    >>> Requirement("pool", "NotIn", ("a100",)).holds(None)
    True
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Return whether a label's value satisfies this; None where the label is absent."""
        if self.operator == NOT_IN:
            return value is None or value not in self.values
        if self.operator == DOES_NOT_EXIST:
            return value is None
        if value is None:
            return False
        if self.operator == IN:
            return value in self.values
        return self.operator == EXISTS or self._compares(value)

    def _compares(self, value: str) -> bool:
        left, right = parse_int64(value), parse_int64(self.values[0])
        if left is None or right is None:
            return False
        return left > right if self.operator == GREATER else left < right


def parse_int64(text: str) -> int | None:
    """Return what Go's ``strconv.ParseInt(text, 10, 64)`` reads, or None if it fails."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -_INT64_MAX - 1 <= number <= _INT64_MAX else None


def requirement_errors(requirement: Requirement, path: str) -> list[str]:
    """Return what is wrong with a requirement, as ``<path>...: Invalid value: ...``.

    The operator is taken to be one of the six: who calls names the field for a bad one.
    """
    key, values = requirement.key, requirement.values
    errors = [_invalid(f"{path}.key", key, texts)] if (texts := names.label_key(key)) else []
    errors += [f"{path}{text}" for text in _count_errors(requirement)]
    if requirement.operator in (GREATER, LESS):
        errors += [
            f"{path}.values[{at}]: Invalid value: {json.dumps(value)}: {_NO_INTEGER}"
            for at, value in enumerate(values)
            if parse_int64(value) is None
        ]
    for at, value in enumerate(values):
        if texts := names.label_value(value):
            errors.append(_invalid(f"{path}.values[{at}][{key}]", value, texts))
    return errors


def _invalid(where: str, value: str, texts: Sequence[str]) -> str:
    return f"{where}: Invalid value: {json.dumps(value)}: {'; '.join(texts)}"


_COUNT_TEXTS: Final[Mapping[str, tuple[Callable[[int], bool], str]]] = {
    IN: (lambda count: count > 0, _NO_VALUES),
    NOT_IN: (lambda count: count > 0, _NO_VALUES),
    EXISTS: (lambda count: count == 0, _SOME_VALUES),
    DOES_NOT_EXIST: (lambda count: count == 0, _SOME_VALUES),
    GREATER: (lambda count: count == 1, _ONE_VALUE),
    LESS: (lambda count: count == 1, _ONE_VALUE),
}
OPERATORS: Final = frozenset(_COUNT_TEXTS)


def _count_errors(requirement: Requirement) -> Sequence[str]:
    fits, text = _COUNT_TEXTS[requirement.operator]
    if fits(len(requirement.values)):
        return ()
    listed = json.dumps(requirement.values, separators=(",", ":"))
    return (f".values: Invalid value: {listed}: {text}",)


def aggregate(errors: Sequence[str]) -> str:
    """Return several errors as one text: one bare, more as ``[e1, e2]``, repetitions dropped.

    Source: kubernetes/apimachinery pkg/util/errors/errors.go (Aggregate), v0.36.1.

    >>> aggregate(["a", "b", "a"])
    '[a, b]'
    """
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
