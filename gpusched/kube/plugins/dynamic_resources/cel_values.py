"""Values of CEL expressions: their types, equality, order and arithmetic, as cel-go has them.

A value is the plain Python one (``bool``, ``int``, ``float``, ``str``, ``bytes``, ``list``,
``dict``, ``None``), or one of the classes here, or a `Quantity`. Nothing here knows syntax.

Source: google/cel-go common/types; kubernetes/apiserver pkg/cel/{quantity,semver}.go, v0.36.1
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, Final, TypeAlias

from gpusched.api.quantity import Quantity

Value: TypeAlias = Any

NO_OVERLOAD: Final = "no such overload"
_INT64: Final = (-(2**63), 2**63 - 1)
_UINT64: Final = (0, 2**64 - 1)


class CelError(Exception):
    """An expression that fails when it is evaluated; the message is cel-go's."""


class Uint(int):
    """An unsigned integer; apart from its own kind it only compares."""


@dataclass(frozen=True, slots=True)
class CelType:
    """A type as a value (``type(1) == int``)."""

    name: str


@total_ordering
@dataclass(frozen=True, slots=True)
class Semver:
    """A semantic version; build metadata does not take part in comparisons.

    >>> Semver.parse("1.0.0-alpha") < Semver.parse("1.0.0-alpha.1") < Semver.parse("1.0.0")
    True
    """

    numbers: tuple[int, int, int]
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, normalize: bool = False) -> "Semver":
        """Return the version that ``text`` spells.

        Args:
            text: ``MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]``.
            normalize: Accept a leading ``v``, missing parts and leading zeros.

        Raises:
            CelError: It is no version.

        Source: blang/semver v4 semver.go (Parse); apiserver pkg/cel/library/semverlib.go.
        """
        if normalize:
            text = _normalized(text)
        core, _, prerelease = text.partition("+")[0].partition("-")
        parts = core.split(".", 2)
        if len(parts) != 3:  # noqa: PLR2004 - major, minor, patch
            raise CelError("No Major.Minor.Patch elements found")
        names = ("Major", "Minor", "Patch")
        major, minor, patch = (_number(*pair) for pair in zip(names, parts, strict=True))
        return cls((major, minor, patch), tuple(prerelease.split(".")) if prerelease else ())

    def __lt__(self, other: "Semver") -> bool:
        """Return whether it comes before; a pre-release comes before its release."""
        return self._order() < other._order()

    def _order(self) -> tuple[Any, ...]:
        return (
            self.numbers,
            not self.prerelease,
            [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease],
        )


def _number(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise CelError(f'Invalid character(s) found in {name.lower()} number "{text}"')
    if len(text) > 1 and text.startswith("0"):
        raise CelError(f'{name} number must not contain leading zeroes "{text}"')
    return int(text)


def _normalized(text: str) -> str:
    core, rest = re.fullmatch(r"v?([^-+]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # it matches every text
    parts = [part.lstrip("0") or "0" if part else part for part in core.split(".")]
    return ".".join(parts + ["0"] * (3 - len(parts))) + rest


_NAMES: Final[Sequence[tuple[type, str]]] = (
    (bool, "bool"), (Uint, "uint"), (int, "int"), (float, "double"), (str, "string"),
    (bytes, "bytes"), (list, "list"), (dict, "map"), (type(None), "null_type"),
    (Quantity, "kubernetes.Quantity"), (Semver, "kubernetes.Semver"), (CelType, "type"),
)  # fmt: skip


def type_name(value: Value) -> str:
    """Return the name of a value's type as cel-go's messages spell it."""
    return next(name for kind, name in _NAMES if isinstance(value, kind))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(left: Value, right: Value) -> bool:
    """Return whether two values are equal; values of different types are not.

    Raises:
        CelError: The left one is a quantity or a version and the right one is not.
    """
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
    if type(left) is type(right):
        return bool(left == right)
    if isinstance(left, Quantity | Semver):
        raise CelError(NO_OVERLOAD)
    return False


def not_equal(left: Value, right: Value) -> bool:
    """Return whether two values differ; what cannot be compared differs."""
    try:
        return not equal(left, right)
    except CelError:
        return True


def order(left: Value, right: Value) -> int:
    """Return -1, 0 or 1 for two numbers, texts, bytes or booleans.

    Raises:
        CelError: They cannot be ordered.
    """
    comparable = _is_number(left) and _is_number(right)
    if comparable or (type(left) is type(right) and isinstance(left, str | bytes | bool)):
        if isinstance(left, float) and math.isnan(left):
            raise CelError("NaN values cannot be ordered")
        return int(left > right) - int(left < right)
    raise CelError(NO_OVERLOAD)


def contains(item: Value, container: Value) -> bool:
    """Return whether a list has an equal element, or a map the key."""
    if isinstance(container, dict):
        return item in container
    if isinstance(container, list):
        return any(not not_equal(item, element) for element in container)
    raise CelError(NO_OVERLOAD)


class DomainMap(dict[str, dict[str, Value]]):
    """A device's attributes or capacities by domain; a domain that it lacks is an empty map."""

    def __missing__(self, domain: str) -> dict[str, Value]:
        """Return what stands for an unknown domain."""
        return {}


def lookup(container: Value, key: Value) -> Value:
    """Return an element of a list or of a map.

    Raises:
        CelError: There is none, or ``container`` has no elements.
    """
    if isinstance(container, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(container):
            return container[key]
        raise CelError(f"index out of bounds: {key}")
    if isinstance(container, DomainMap):
        return container[str(key)]
    if isinstance(container, dict) and isinstance(key, str | int) and key in container:
        return container[key]
    raise CelError(f"no such key: {key}")


def _checked(kind: type[int], number: int) -> int:
    low, high = _UINT64 if kind is Uint else _INT64
    if not low <= number <= high:
        raise CelError("unsigned integer overflow" if kind is Uint else "integer overflow")
    return kind(number)


def _whole(left: int, right: int, remainder: bool) -> int:
    if right == 0:
        raise CelError("modulus by zero" if remainder else "division by zero")
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return left - right * quotient if remainder else quotient


def _float_division(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left * right or 1)


_ON_INTS: Final[dict[str, Callable[[int, int], int]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: _whole(left, right, remainder=False),
    "%": lambda left, right: _whole(left, right, remainder=True),
}
_ON_FLOATS: Final[dict[str, Callable[[float, float], float]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _float_division,
}


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """Return ``left operator right`` for two values of one type.

    Raises:
        CelError: The types differ, have no such operator, or the number is too large.
    """
    kind = type(left)
    if kind is type(right):
        if kind in (int, Uint):
            return _checked(kind, _ON_INTS[operator](int(left), int(right)))
        if kind is float and operator in _ON_FLOATS:
            return _ON_FLOATS[operator](left, right)
        if kind in (str, bytes, list) and operator == "+":
            return left + right
    raise CelError(NO_OVERLOAD)


def negative(value: Value) -> Value:
    """Return ``-value`` of a signed number."""
    if type(value) is int:
        return _checked(int, -value)
    if type(value) is float:
        return -value
    raise CelError(NO_OVERLOAD)


def truth(value: Value) -> bool:
    """Return a value that must be a boolean."""
    if isinstance(value, bool):
        return value
    raise CelError(NO_OVERLOAD)


_TO_BOOL: Final = {
    "int": "unsupported type conversion from 'int' to bool",
    "string": "unsupported native conversion from string to 'bool'",
    "kubernetes.Quantity": "type conversion error from 'Quantity' to 'bool'",
    "kubernetes.Semver": "type conversion error from 'Semver' to 'bool'",
}


def verdict(value: Value) -> bool:
    """Return an expression's result, which must be a boolean.

    Raises:
        CelError: It is something else.
    """
    if isinstance(value, bool):
        return value
    name = type_name(value)
    why = _TO_BOOL.get(name, f"type conversion error from '{name}' to 'bool'")
    raise CelError(f"CEL result of type {name} could not be converted to bool: {why}")
