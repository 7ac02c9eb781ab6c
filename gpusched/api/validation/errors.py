"""What is wrong with a field, in the words of the API server.

Source: kubernetes/apimachinery pkg/util/validation/field/errors.go, v0.36.1
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from gpusched.api.names import Problems, Rule


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field.

    Attributes:
        field: The path, e.g. ``spec.containers[0].image``.
        reason: The cause's type in the API, e.g. ``FieldValueInvalid``.
        message: The text after the path.
    """

    field: str
    reason: str
    message: str

    @override
    def __str__(self) -> str:
        """Return the error as the API server's message has it."""
        return f"{self.field}: {self.message}"


Errors = Iterator[FieldError]

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
            "\v": "\\v", "\\": "\\\\", '"': '\\"'}  # fmt: skip


def quote(text: str) -> str:
    r"""Return a text as Go's ``%q`` prints it.

    >>> print(quote('a "b"'), quote("\x01"))
    "a \"b\"" "\x01"
    """
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code < 0x80:  # noqa: PLR2004 - ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - 16 bits


def show(value: Any) -> str:
    """Return a bad value as it stands in a message."""
    if isinstance(value, str):
        return quote(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return go_json(value)


def go_json(value: Any, indent: int | None = None) -> str:
    """Return JSON as Go writes it, which hides what HTML would take for its own."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, separators=separators, ensure_ascii=False, indent=indent)
    return re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _with_detail(message: str, detail: str) -> str:
    return f"{message}: {detail}" if detail else message


def required(field: str, detail: str = "") -> FieldError:
    """A field that must be given is not."""
    return FieldError(field, "FieldValueRequired", _with_detail("Required value", detail))


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """A value does not follow a rule."""
    message = _with_detail(f"Invalid value: {show(value)}", detail)
    return FieldError(field, "FieldValueInvalid", message)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value is none of those known."""
    known = ", ".join(map(quote, supported))
    message = _with_detail(
        f"Unsupported value: {show(value)}", f"supported values: {known}" if known else ""
    )
    return FieldError(field, "FieldValueNotSupported", message)


def duplicate(field: str, value: Any) -> FieldError:
    """A value that must be unique is there twice."""
    return FieldError(field, "FieldValueDuplicate", f"Duplicate value: {show(value)}")


def forbidden(field: str, detail: str) -> FieldError:
    """A field must not be set here."""
    return FieldError(field, "FieldValueForbidden", _with_detail("Forbidden", detail))


def not_found(field: str, value: Any, detail: str = "") -> FieldError:
    """A name refers to nothing."""
    message = _with_detail(f"Not found: {show(value)}", detail)
    return FieldError(field, "FieldValueNotFound", message)


def too_long(field: str, length: int) -> FieldError:
    """A text is longer than allowed."""
    detail = f"may not be more than {length} {'byte' if length == 1 else 'bytes'}"
    return FieldError(field, "FieldValueTooLong", f"Too long: {detail}")


def too_many(field: str, found: int, allowed: int) -> FieldError:
    """A list has more items than allowed."""
    items = "item" if allowed == 1 else "items"
    message = f"Too many: {found}: must have at most {allowed} {items}"
    return FieldError(field, "FieldValueTooMany", message)


def internal(field: str, detail: str) -> FieldError:
    """The API server itself stumbled over a value."""
    return FieldError(field, "InternalError", f"Internal error: {detail}")


def each(field: str, value: Any, problems: Problems) -> Errors:
    """Make an error of each problem with a value."""
    for problem in problems:
        yield invalid(field, value, problem)


def checked(rule: Rule, field: str, text: str) -> Errors:
    """Apply a rule for texts to a field."""
    for problem in rule(text):
        yield invalid(field, text, problem)


def one_of(field: str, value: str | None, supported: Iterable[str]) -> Errors:
    """Require one of a few values."""
    if not value:
        yield required(field)
    elif value not in (known := tuple(supported)):
        yield not_supported(field, value, known)


def not_negative(field: str, number: int | None) -> Errors:
    """Require zero or more."""
    if number is not None and number < 0:
        yield invalid(field, number, "must be greater than or equal to 0")


def positive(field: str, number: int) -> Errors:
    """Require one or more."""
    if number <= 0:
        yield invalid(field, number, "must be greater than zero")
