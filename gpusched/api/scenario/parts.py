"""What the parts of a scenario share: strict models and durations in microseconds."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gpusched.api.config.duration import format_duration, parse_duration
from gpusched.api.meta import wire_name

_NANOSECONDS: Final = 1000
_LONGEST: Final = 10**15
"""Microseconds; thirty years are enough, and keep all sums within 64 bits."""


class Part(BaseModel):
    """A part of a scenario; unknown fields are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=wire_name,
        populate_by_name=True,
        defer_build=True,
    )


def _read_duration(value: Any) -> int:
    if not isinstance(value, str):
        raise PydanticCustomError("duration", 'must be a duration such as "30s" or "1m30s"')
    try:
        microseconds, rest = divmod(parse_duration(value), _NANOSECONDS)
    except ValueError as error:
        raise PydanticCustomError("duration", "{why}", {"why": str(error)}) from None
    if rest or not 0 <= microseconds <= _LONGEST:
        raise PydanticCustomError("duration", "must be whole microseconds from 0s to 30 years")
    return microseconds


def _print_duration(microseconds: int) -> str:
    return format_duration(microseconds * _NANOSECONDS)


Duration = Annotated[
    int,
    PlainValidator(_read_duration),
    PlainSerializer(_print_duration),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(us|µs|ms|s|m|h))+$|^0$",
            "examples": ["30s", "1m30s", "250ms"],
        }
    ),
]
"""A Go duration, held in microseconds."""


def require_one(part: Part, names: tuple[str, ...]) -> None:
    """Make sure that exactly one of the named fields is set.

    Raises:
        PydanticCustomError: None is, or several are.
    """
    fields = {wire_name(name): getattr(part, name) for name in type(part).model_fields}
    present = [name for name in names if fields[name] is not None]
    if len(present) == 1:
        return
    known = ", ".join(names)
    if present:
        why = f"only one of {', '.join(present)} may be set"
    else:
        why = f"one of these must be set: {known}"
    raise PydanticCustomError("one_of", "{why}", {"why": why})
