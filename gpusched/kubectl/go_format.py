"""Go's ways of turning decoded JSON into text: ``%v``, ``%#v``, ``%q`` and ``encoding/json``."""

import json
import re
from decimal import Decimal
from typing import Any, Final

_JSON_ESCAPES: Final = {
    "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029",
}  # fmt: skip
_JSON_ESCAPED: Final = re.compile("[<>&\u2028\u2029]")
_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip
_EXPONENT_FROM: Final = 6
_EXPONENT_BELOW: Final = -4


def quote(text: str) -> str:
    r"""Return ``text`` as Go's ``%q`` prints it.

    >>> quote('a"b\n')
    '"a\\"b\\n"'
    """
    return '"' + "".join(_ESCAPES.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:  # noqa: PLR2004 - ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the basic plane


def float_text(value: float) -> str:
    """Return a float as Go's ``%v`` prints it: shortest digits, an exponent from 1e+06 on.

    >>> float_text(1e6), float_text(0.5), float_text(123456.5), float_text(1e-5)
    ('1e+06', '0.5', '123456.5', '1e-05')
    """
    sign, digits, power = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) - 1 + int(power)
    if _EXPONENT_BELOW <= exponent < _EXPONENT_FROM or not value:
        return repr(value).removesuffix(".0")
    mantissa = f"{digits[0]}." + "".join(map(str, digits[1:]))
    return f"{'-' * sign}{mantissa.removesuffix('.')}e{exponent:+03}"


def sprint(value: Any) -> str:
    """Return a value as Go's ``%v`` prints it.

    >>> sprint({"b": [1, True, None], "a": "x"})
    'map[a:x b:[1 true <nil>]]'
    """
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value)
        case dict():
            return f"map[{' '.join(f'{key}:{sprint(value[key])}' for key in sorted(value))}]"
        case list():
            return f"[{' '.join(map(sprint, value))}]"
        case _:
            return str(value)


def go_syntax(value: Any) -> str:
    """Return a value as Go's ``%#v`` prints it.

    >>> go_syntax({"a": [1, "x", None]})
    'map[string]interface {}{"a":[]interface {}{1, "x", interface {}(nil)}}'
    """
    match value:
        case None:
            return "interface {}(nil)"
        case str():
            return quote(value)
        case dict():
            pairs = ", ".join(f"{quote(key)}:{go_syntax(value[key])}" for key in sorted(value))
            return f"map[string]interface {{}}{{{pairs}}}"
        case list():
            return f"[]interface {{}}{{{', '.join(map(go_syntax, value))}}}"
        case _:
            return sprint(value)


def type_name(value: Any) -> str:
    """Return the Go type that a decoded JSON value has."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case dict():
            return "map[string]interface {}"
        case _:
            return "[]interface {}"


def json_text(value: Any, indent: int | None = None, *, sort: bool = True) -> str:
    """Return a value as ``encoding/json`` writes it: HTML characters escaped.

    Args:
        value: A decoded JSON value.
        indent: Spaces per level; None for one line without spaces.
        sort: Whether keys are sorted, as those of a Go map are; else they stay as they are.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    encoded = json.dumps(
        value, sort_keys=sort, indent=indent, separators=separators, ensure_ascii=False
    )
    return _JSON_ESCAPED.sub(lambda found: _JSON_ESCAPES[found.group()], encoded)


def escape_terminal(text: str) -> str:
    """Return ``text`` without the characters that could steer a terminal.

    Source: kubernetes/cli-runtime pkg/printers/terminal.go, v0.36.1
    """
    return text.replace("\x1b", "^[").replace("\r", "\\r")
