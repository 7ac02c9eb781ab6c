"""Kubernetes quantities (``500m``, ``80Gi``, ``1e3``) as exact integers, printed as upstream does.

This module knows nothing of resources, pods or units beyond the number itself. No float ever holds
a quantity: a value is a whole number of billionths, which is upstream's smallest step.

Source: kubernetes/apimachinery pkg/api/resource/{quantity,suffix,amount,scale_int}.go, v0.36.1
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import Final, Self

from typing_extensions import override

NANO: Final = 10**9
MILLI: Final = 10**6
"""Billionths in one thousandth."""

_PATTERN: Final = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
FORMAT_WRONG: Final = f"quantities must match the regular expression '{_PATTERN}'"
SUFFIX_WRONG: Final = "unable to parse quantity's suffix"
NUMBER_WRONG: Final = "unable to parse numeric part of quantity"

_NANO_SCALE: Final = -9
_INT64_MAX: Final = 2**63 - 1
_FAST_DIGITS: Final = 18
"""Upstream keeps numbers of at most so many digits in an int64, all others in a big decimal."""
_LARGEST_EXPONENT: Final = 2048
"""Upstream would compute with 10^400000000; here such a number is refused as unreadable."""
_LONGEST_NUMBER: Final = 2048
_SPACE: Final = " \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"

_SCAN: Final = re.compile(
    r"[+-]?0*(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?"
    r"(?P<suffix>[eEinumkKMGTP]*[-+]?[0-9]*)",
)
_EXPONENT: Final = re.compile(r"[eE][+-]?[0-9]+")


class InvalidQuantityError(ValueError):
    """The text is not a quantity; the message is the API server's."""


class Format(Enum):
    """The family of suffixes that a quantity was written with, and is printed with."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


_DECIMAL_SUFFIXES: Final = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip
_DECIMAL_NAMES: Final = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_BINARY_SUFFIXES: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_BINARY_NAMES: Final = {exponent: suffix for suffix, exponent in _BINARY_SUFFIXES.items()}


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An exact number with the form in which it is printed.

    Two quantities are equal when their numbers are, whatever their forms: ``1024Mi == 1Gi``.

    Attributes:
        nano: The number in billionths.
        format: The family of suffixes for printing.
        text: The text as the user wrote it, where upstream echoes it; else empty.
        scale: Power of ten of upstream's int64 form, or None where upstream holds a big decimal.
            The two differ in what is left of a number beyond 64 bits.

    >>> str(Quantity.parse("1.5")), Quantity.parse("1.5").value()
    ('1500m', 2)
    >>> str(Quantity.parse("1Gi") + Quantity.parse("1Gi"))
    '2Gi'
    """

    nano: int
    format: Format = field(default=Format.DECIMAL_SI, compare=False)
    text: str = field(default="", compare=False)
    scale: int | None = field(default=0, compare=False)

    @classmethod
    def parse(cls, text: str | float | None) -> "Quantity":
        """Return the quantity that the API server reads from a JSON value.

        Args:
            text: A string, a JSON number (taken by its text), or None, which is zero.

        Raises:
            InvalidQuantityError: The value is no quantity.
        """
        if isinstance(text, str):
            return _parse(text)
        if text is None:
            return ZERO
        if isinstance(text, bool) or not isinstance(text, int | float):
            raise InvalidQuantityError(FORMAT_WRONG)
        return _parse(number_text(text))

    @classmethod
    def from_int(cls, number: int, format: Format = Format.DECIMAL_SI) -> Self:  # noqa: A002 - upstream's name for it
        """Return a whole number as a quantity."""
        return cls(number * NANO, format, "", _scale_of(number * NANO, 0))

    @classmethod
    def from_milli(cls, number: int, format: Format = Format.DECIMAL_SI) -> Self:  # noqa: A002 - as above
        """Return a number of thousandths as a quantity."""
        return cls(number * MILLI, format, "", _scale_of(number * MILLI, -3))

    @property
    def is_zero(self) -> bool:
        """Whether the number is zero."""
        return self.nano == 0

    @property
    def is_integer(self) -> bool:
        """Whether the number is whole."""
        return self.nano % NANO == 0

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.nano > 0) - (self.nano < 0)

    def value(self) -> int:
        """Return the number, rounded away from zero to a whole one; never wraps."""
        return _away_from_zero(self.nano, NANO)

    def milli_value(self) -> int:
        """Return the number in thousandths, rounded away from zero; never wraps."""
        return _away_from_zero(self.nano, MILLI)

    def wrapped_value(self) -> int:
        """Return what upstream's ``Value()`` gives, also beyond 64 bits."""
        return self._wrap(self.value())

    def wrapped_milli_value(self) -> int:
        """Return what upstream's ``MilliValue()`` gives, also beyond 64 bits."""
        return self._wrap(self.milli_value())

    def _wrap(self, number: int) -> int:
        if -_INT64_MAX - 1 <= number <= _INT64_MAX:
            return number
        if self.scale is not None:
            return 0  # the int64 form reports an overflow, and the caller takes its zero
        return (number + 2**63) % 2**64 - 2**63

    def round_up_milli(self) -> "Quantity":
        """Return the quantity rounded away from zero to thousandths, as in every resource list.

        Source: kubernetes/kubernetes pkg/apis/core/v1/defaults.go, v1.36.1
        """
        if self.nano % MILLI == 0:
            return self
        nano = self.milli_value() * MILLI
        return Quantity(nano, self.format, "", None if self.scale is None else -3)

    def __add__(self, other: "Quantity") -> "Quantity":
        """Return the sum in the form of the first operand, or of the second if that is zero."""
        nano = self.nano + other.nano
        form = self.format if self.nano else other.format
        if self.scale is None or other.scale is None:
            return Quantity(nano, form, "", None)
        if not self.nano or not other.nano:
            return Quantity(nano, form, "", self.scale if self.nano else other.scale)
        return Quantity(nano, form, "", _scale_of(nano, min(self.scale, other.scale)))

    def __neg__(self) -> "Quantity":
        """Return the negative number in the same form."""
        return replace(self, nano=-self.nano, text="")

    def __sub__(self, other: "Quantity") -> "Quantity":
        """Return the difference, in the form that a sum would have."""
        return self + -other

    def __bool__(self) -> bool:
        """Whether the number differs from zero."""
        return self.nano != 0

    @override
    def __str__(self) -> str:
        """Return the text that the API server prints."""
        return self.text or self.canonical()

    def canonical(self) -> str:
        """Return the re-printed form: the largest suffix that leaves a whole number."""
        if not self.nano:
            return "0"
        if self.format is Format.BINARY_SI and self.is_integer and abs(self.nano) >= 1024 * NANO:
            amount, times = _without_factor(self.nano // NANO, 1024)
            return f"{amount}{_BINARY_NAMES.get(times * 10, '')}"
        amount, times = _without_factor(self.nano, 1000)
        exponent = times * 3 - 9
        if self.format is Format.DECIMAL_EXPONENT:
            return f"{amount}e{exponent}" if exponent else str(amount)
        # Upstream has no suffix above E and prints none: 1000E reads back as 1.
        return f"{amount}{_DECIMAL_NAMES.get(exponent, '')}"


ZERO: Final = Quantity(0)


def total(quantities: Iterable[Quantity]) -> Quantity:
    """Return the sum, in the form of the first quantity that is not zero."""
    result = ZERO
    for quantity in quantities:
        result = result + quantity
    return result


@lru_cache(maxsize=65536)
def _parse(text: str) -> Quantity:
    text = text.strip(_SPACE)
    match = _SCAN.fullmatch(text)
    if match is None or not text:
        raise InvalidQuantityError(FORMAT_WRONG)
    whole, fraction, suffix = match["whole"] or "0", match["fraction"] or "", match["suffix"]
    if len(whole) + len(fraction) > _LONGEST_NUMBER:
        raise InvalidQuantityError(NUMBER_WRONG)
    exponent, form = _interpret(suffix)
    negative = text.startswith("-")
    if form is Format.BINARY_SI:
        found = _binary(text, whole, fraction, exponent)
    else:
        found = _decimal(text, whole + fraction, exponent - len(fraction), form)
    if found.scale is None and not any(map(str.isdigit, text.removesuffix(suffix))):
        raise InvalidQuantityError(NUMBER_WRONG)  # an int64 takes no digits for zero, a decimal not
    return replace(found, nano=-found.nano) if negative else found


def _interpret(suffix: str) -> tuple[int, Format]:
    """Return the exponent (of ten, or of two) and the family of a suffix."""
    if suffix in _DECIMAL_SUFFIXES:
        return _DECIMAL_SUFFIXES[suffix], Format.DECIMAL_SI
    if suffix in _BINARY_SUFFIXES:
        return _BINARY_SUFFIXES[suffix], Format.BINARY_SI
    if _EXPONENT.fullmatch(suffix) and len(suffix) <= len("e-0000000000"):
        exponent = int(suffix[1:])
        if exponent <= _LARGEST_EXPONENT:
            return exponent, Format.DECIMAL_EXPONENT
    raise InvalidQuantityError(SUFFIX_WRONG)


def _decimal(text: str, digits: str, scale: int, form: Format) -> Quantity:
    """Return ``digits * 10^scale``, whatever the sign in ``text``."""
    if len(digits) > _FAST_DIGITS or scale < _NANO_SCALE:
        return Quantity(_nano(int(digits), scale), form, "", None)
    canonical = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    return Quantity(_nano(int(digits), scale), form, text if canonical else "", scale)


def _nano(number: int, scale: int) -> int:
    """Return ``number * 10^scale`` in billionths, rounded up."""
    if scale >= _NANO_SCALE:
        return int(number * 10 ** (scale + 9))
    if -9 - scale > _LONGEST_NUMBER:  # less than one billionth, however many digits there are
        return 1 if number else 0
    return _away_from_zero(number, int(10 ** (-9 - scale)))


def _binary(text: str, whole: str, fraction: str, exponent: int) -> Quantity:
    """Return ``whole.fraction * 2^exponent``, capped as upstream does at the largest int64."""
    number = int(whole + fraction) << exponent
    if not fraction and len(whole) + exponent * 3 // 10 < _FAST_DIGITS - 3:
        echoed = text if int(whole) % 8 else ""
        return Quantity(number * NANO, Format.BINARY_SI, echoed, 0)
    nano = _away_from_zero(number * NANO, int(10 ** len(fraction)))
    form = Format.DECIMAL_SI if 0 < nano < NANO else Format.BINARY_SI
    return Quantity(min(nano, _INT64_MAX * NANO), form, "", None)


def _scale_of(nano: int, scale: int) -> int | None:
    """Return ``scale`` if upstream's int64 form holds the number with it, else None."""
    return scale if abs(nano) <= _INT64_MAX * 10 ** (scale + 9) else None


def _away_from_zero(number: int, divisor: int) -> int:
    return -(-number // divisor) if number >= 0 else number // divisor


def _without_factor(number: int, factor: int) -> tuple[int, int]:
    """Return ``number`` without its factors, and how many there were."""
    times = 0
    while number % factor == 0:
        number //= factor
        times += 1
    return number, times


def number_text(number: float) -> str:
    """Return a JSON number as Go prints it: plain from 1e-6 up to 1e21, else with an exponent.

    Raises:
        InvalidQuantityError: JSON has no such number (NaN, infinity).
    """
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        raise InvalidQuantityError(FORMAT_WRONG)
    digits, _, exponent = repr(number).partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    if abs(number) >= 1e21 or abs(number) < 1e-6:  # noqa: PLR2004 - Go's two bounds
        return f"{digits}e{exponent.replace('-0', '-')}"
    places = max(0, len(digits.partition(".")[2]) - int(exponent))
    return f"{number:.{places}f}"
