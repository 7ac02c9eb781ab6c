"""Basic types: which JSON values Go's ``string``, ``bool``, ``int32`` take; RFC 3339 times."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})"
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A basic Go type.

    Attributes:
        zero: What ``null`` becomes.
        accepts: Whether a JSON value fits.
        shows_numbers: Go names the number that does not fit, not only its type.
    """

    zero: Any
    accepts: Callable[[Any], bool]
    shows_numbers: bool = False

    def found(self, value: Any) -> str:
        """Return how Go calls a value that does not fit."""
        kind = json_type(value)
        return f"number {value}" if kind == "number" and self.shows_numbers else kind


def json_type(value: Any) -> str:
    """Return the JSON type of a value as Go names it.

    >>> json_type([]), json_type(1.5), json_type(True)
    ('array', 'number', 'bool')
    """
    if isinstance(value, bool):
        return "bool"
    names = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return names[type(value)]


def _integer(bits: int) -> Scalar:
    limit = 1 << (bits - 1)

    def accepts(value: Any) -> bool:
        return type(value) is int and -limit <= value < limit

    return Scalar(0, accepts, shows_numbers=True)


SCALARS: Final = {
    "string": Scalar("", lambda value: isinstance(value, str)),
    "bool": Scalar(False, lambda value: isinstance(value, bool)),
    "int32": _integer(32),
    "int64": _integer(64),
    "bytes": Scalar("", lambda value: isinstance(value, str)),
}


def parse_time(text: str, layout: str) -> str:
    """Return what is wrong with an RFC 3339 time, or an empty string."""
    match = _TIME.fullmatch(text)
    if match is None:
        return f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"'
    _, month, day, hour, minute, second = map(int, match.groups())
    in_range = {
        "month": 1 <= month <= len(_DAYS),
        "day": 1 <= day <= _DAYS[min(max(month, 1), 12) - 1] + (month == 2),  # noqa: PLR2004 - February
        "hour": hour <= 23,  # noqa: PLR2004
        "minute": minute <= 59,  # noqa: PLR2004
        "second": second <= 59,  # noqa: PLR2004
    }
    wrong = next((part for part, right in in_range.items() if not right), "")
    return f'parsing time "{text}": {wrong} out of range' if wrong else ""
