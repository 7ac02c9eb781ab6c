"""Go durations (``1h15m0.5s``) as whole nanoseconds.

Source: Go time.ParseDuration and time.Duration.String
"""

import re
from fractions import Fraction
from typing import Final

SECOND: Final = 10**9
_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART: Final = re.compile(r"(?P<number>[0-9]*\.?[0-9]*)(?P<unit>[^0-9.]*)")


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Raises:
        ValueError: With Go's text.

    >>> parse_duration("-1.5h")
    -5400000000000
    """
    rest = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if rest == "0":
        return 0
    total = Fraction(0)
    if not rest:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    while rest:
        part = _PART.match(rest)
        number = part["number"] if part else ""
        if not number.strip("."):
            raise ValueError(f"time: invalid duration {_quote(text)}")
        total += Fraction("0" + number.rstrip(".")) * _unit(part["unit"] if part else "", text)
        rest = rest[part.end() if part else 0 :]
    return int(-total if text.startswith("-") else total)


def _unit(unit: str, text: str) -> int:
    if not unit:
        raise ValueError(f"time: missing unit in duration {_quote(text)}")
    if unit not in _UNITS:
        raise ValueError(f"time: unknown unit {_quote(unit)} in duration {_quote(text)}")
    return _UNITS[unit]


def _quote(text: str) -> str:
    """Quote as package time does: all that is not printable ASCII byte by byte, as ``x0a``."""
    return '"' + "".join(_escape(byte) for byte in text.encode()) + '"'


def _escape(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x80 else f"\\x{byte:02x}"  # noqa: PLR2004 - ASCII


def format_duration(nanoseconds: int) -> str:
    """Return a duration as Go prints it.

    >>> format_duration(90_500_000_000)
    '1m30.5s'
    """
    sign, size = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    if size == 0:
        return "0s"
    if size < SECOND:
        unit = next(name for name in ("ms", "µs", "ns") if size >= _UNITS[name])
        return f"{sign}{_decimal(Fraction(size, _UNITS[unit]))}{unit}"
    minutes, rest = divmod(size, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(Fraction(rest, SECOND))
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{seconds}s"


def _decimal(number: Fraction) -> str:
    digits = f"{number.numerator * SECOND // number.denominator:010d}"
    return f"{digits[:-9]}.{digits[-9:]}".rstrip("0").rstrip(".")
