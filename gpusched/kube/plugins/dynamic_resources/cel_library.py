"""What the functions of device selectors do; who may call which is for `cel_functions` to say.

Source: google/cel-go ext/strings.go, ext/sets.go; kubernetes/apiserver
pkg/cel/library/{quantity,semverlib,lists,regex}.go, v0.36.1
"""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from gpusched.api.quantity import Format, InvalidQuantityError, Quantity
from gpusched.kube.plugins.dynamic_resources.cel_values import (
    CelError,
    Semver,
    Uint,
    Value,
    contains,
    not_equal,
    order,
)


def quantity(text: str) -> Quantity:
    """Return the quantity that a text spells."""
    try:
        return Quantity.parse(text)
    except InvalidQuantityError as error:
        raise CelError(str(error)) from None


def succeeds(function: Callable[..., Value], *arguments: Value, **options: Any) -> bool:
    """Return whether a function runs through."""
    try:
        function(*arguments, **options)
    except CelError:
        return False
    return True


def as_integer(amount: Quantity) -> int:
    """Return a quantity that is a whole number."""
    if not amount.is_integer:
        raise CelError("cannot convert value to integer")
    return amount.value()


def compare(left: Any, right: Any) -> int:
    """Return -1, 0 or 1."""
    return int(left > right) - int(left < right)


def plus(amount: Quantity, number: int) -> Quantity:
    """Return a quantity plus a whole number."""
    return amount + Quantity.from_int(number, Format.DECIMAL_SI)


def pattern(text: str) -> re.Pattern[str]:
    """Return a regular expression compiled."""
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise CelError(f"error parsing regexp: {error}") from None


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """Return the parts of a text; at most ``limit`` of them where it is not negative."""
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if 0 < limit < len(text):
        return [*text[: limit - 1], text[limit - 1 :]]
    return list(text)


def within(index: int, low: int, high: int) -> int:
    """Return an index that lies in the bounds."""
    if not low <= index <= high:
        raise CelError(f"index out of range: {index}")
    return index


def substring(text: str, start: int, end: int | None = None) -> str:
    """Return the characters from ``start`` up to ``end``."""
    if end is None:
        return text[within(start, 0, len(text)) :]
    within(end, 0, len(text))
    within(start, 0, len(text))
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


def find_all(text: str, how: str, limit: int = -1) -> list[str]:
    """Return the matches of a regular expression; at most ``limit`` where it is not negative."""
    found = [match.group() for match in pattern(how).finditer(text)]
    return found if limit < 0 else found[:limit]


def upper(text: str) -> str:
    """Return a text with its ASCII letters in upper case."""
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)


def lower(text: str) -> str:
    """Return a text with its ASCII letters in lower case."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def conversion_failed(source: str, target: str) -> CelError:
    """Return the error of a failed conversion."""
    return CelError(f"type conversion error from '{source}' to '{target}'")


def to_int(value: Value) -> int:
    """Return what ``int(value)`` gives."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]+", value):
        raise conversion_failed("string", "int")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise CelError("integer overflow")
    return number


def to_uint(value: Value) -> Uint:
    """Return what ``uint(value)`` gives."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]+", value):
        raise conversion_failed("string", "uint")
    number = int(value)
    if not 0 <= number < 2**64:
        raise CelError("unsigned integer overflow")
    return Uint(number)


def to_double(value: Value) -> float:
    """Return what ``double(value)`` gives."""
    try:
        return float(value)
    except ValueError:
        raise conversion_failed("string", "double") from None


_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def to_bool(value: Value) -> bool:
    """Return what ``bool(value)`` gives."""
    if isinstance(value, str) and value not in _TRUE | _FALSE:
        raise conversion_failed("string", "bool")
    return value in _TRUE if isinstance(value, str) else value


def to_string(value: Value) -> str:
    """Return what ``string(value)`` gives."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.17g}" if value != int(value) else str(int(value))
    return value.decode() if isinstance(value, bytes) else str(value)


def extreme(values: list[Value], sign: int, name: str) -> Value:
    """Return the largest (sign 1) or smallest (sign -1) element."""
    if not values:
        raise CelError(f"{name} called on empty list")
    best = values[0]
    for value in values[1:]:
        if order(value, best) * sign > 0:
            best = value
    return best


def is_sorted(values: list[Value]) -> bool:
    """Return whether a list ascends."""
    return all(order(one, next_) <= 0 for one, next_ in pairwise(values))


def index_of(values: list[Value], item: Value) -> int:
    """Return where the first equal element is, or -1."""
    return next((at for at, value in enumerate(values) if not not_equal(value, item)), -1)


def last_index_of(values: list[Value], item: Value) -> int:
    """Return where the last equal element is, or -1."""
    at = index_of(values[::-1], item)
    return -1 if at < 0 else len(values) - 1 - at


def sets_contain(whole: list[Value], part: list[Value]) -> bool:
    """Return whether every element of ``part`` is in ``whole``."""
    return all(contains(item, whole) for item in part)


def semver(text: str, normalize: bool = False) -> Semver:
    """Return the version that a text spells."""
    return Semver.parse(text, normalize=normalize)
