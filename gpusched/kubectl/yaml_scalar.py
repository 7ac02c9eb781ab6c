"""How one string is spelled in YAML: plain, quoted or literal, and folded at 80 columns.

Source: go.yaml.in/yaml/v2 v2.4.3 encode.go stringv, resolve.go, emitterc.go (a port of libyaml)
"""

import re
from datetime import datetime
from typing import Final

_WIDTH: Final = 80
_KEYWORDS: Final = frozenset((
    "", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "n", "N", "no",
    "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "~", "null", "Null", "NULL",
    ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
    "-.INF",
))  # fmt: skip
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINTED: Final = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+)?")
_PREFIXED: Final = re.compile(r"[-+]?0(?:[xX](?P<hex>[0-9a-fA-F]+)|[oO][0-7]+|[bB][01]+)")
_HEX_DIGITS_OF_64_BITS: Final = 16
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:(?:[Tt](?P<clock>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))"
    r"|(?: (?P<plain_clock>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})(?:[.,][0-9]+)?))?"
)
_BREAKS: Final = "\r\n\x85\u2028\u2029"
_BLANKS: Final = " \t" + _BREAKS
_LEADING_INDICATORS: Final = frozenset("#,[]{}&*!|>'\"%@`")
_UNPRINTABLE: Final = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_ESCAPED: Final = re.compile(
    '[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|["\\\\\u2028\u2029]'
)
_ESCAPES: Final = {
    "\0": "0", "\x07": "a", "\x08": "b", "\t": "t", "\n": "n", "\x0b": "v", "\x0c": "f",
    "\r": "r", "\x1b": "e", '"': '"', "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def spell(text: str, column: int, indent: int) -> str:
    """Return ``text`` as a YAML scalar that reads back as this string.

    Args:
        text: The string.
        column: Where on its line the scalar begins.
        indent: Column at which continued lines begin.
    """
    if "\n" in text:
        return _literal(text, indent) if _literal_allowed(text) else _double(text, column, indent)
    if reads_as_other_type(text) or _UNPRINTABLE.search(text):
        return _double(text, column, indent)
    if _plain_allowed(text):
        return _folded(text, column, indent)
    return "'" + _folded(text.replace("'", "''"), column + 1, indent, quoted=True) + "'"


def spell_key(text: str) -> str:
    """Return ``text`` as a mapping's key: on one line, never literal."""
    if "\n" in text or reads_as_other_type(text) or _UNPRINTABLE.search(text):
        return f'"{_escape(text)}"'
    return text if _plain_allowed(text) else "'" + text.replace("'", "''") + "'"


def reads_as_other_type(text: str) -> bool:
    """Return whether ``text`` unquoted would read back as a number, time, boolean or null.

    >>> [reads_as_other_type(text) for text in ("16", "off", "1e3", "12:30", "16Gi", "v1")]
    [True, True, True, True, False, False]
    """
    if text in _KEYWORDS:
        return True
    if text[0] not in "+-.0123456789":
        return False
    if text[0] == ".":
        return _POINTED.fullmatch(text) is not None
    digits = text.replace("_", "")
    if _FLOAT.fullmatch(digits) or _BASE_60.fullmatch(text):
        return True
    prefixed = _PREFIXED.fullmatch(digits)
    if prefixed:
        return len((prefixed["hex"] or "").lstrip("0")) <= _HEX_DIGITS_OF_64_BITS
    return _is_time(text)


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if not found:
        return False
    clock = found["clock"] or found["plain_clock"] or "0:0:0"
    try:
        datetime(*map(int, found["date"].split("-")), *map(int, clock.split(":")))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return False
    return True


def _plain_allowed(text: str) -> bool:
    """Return whether ``text`` may stand unquoted as a block scalar."""
    if text[0] == " " or text[-1] == " " or text.startswith(("---", "...")):
        return False
    if text[0] in _LEADING_INDICATORS or (
        text[0] in "?:-" and (len(text) == 1 or text[1] in _BLANKS)
    ):
        return False
    return not re.search(rf":(?:[{_BLANKS}]|$)|[{_BLANKS}]#|[{_BREAKS}]", text)


def _literal_allowed(text: str) -> bool:
    special = _UNPRINTABLE.search(text) or re.search(rf" [{_BREAKS}]", text)
    return not special and not text.endswith(" ")


def _literal(text: str, indent: int) -> str:
    hint = "2" if text[0] in " " + _BREAKS else ""
    keeps = text == "\n" or text.endswith("\n\n")
    chomp = "+" if keeps else "" if text.endswith("\n") else "-"
    lines = text.removesuffix("\n").split("\n")
    return "\n".join(
        [f"|{hint}{chomp}", *(f"{' ' * indent}{line}" if line else "" for line in lines)]
    )


def _folded(text: str, column: int, indent: int, *, quoted: bool = False) -> str:
    """Break ``text`` at single spaces beyond the width."""
    done, after_space = list[str](), False
    for i, char in enumerate(text):
        inside = not quoted or 0 < i < len(text) - 1
        breaks = char == " " and not after_space and column > _WIDTH and inside
        if breaks and not text.startswith(" ", i + 1):
            done.append("\n" + " " * indent)
            column = indent
        else:
            done.append(char)
            column += 1
        after_space = char == " "
    return "".join(done)


def _double(text: str, column: int, indent: int) -> str:
    """Escape ``text`` and break it at spaces beyond the width."""
    done, after_space = ['"'], False
    column += 1
    for i, char in enumerate(text):
        if char == " " and not after_space and column > _WIDTH and 0 < i < len(text) - 1:
            piece = "\n" + " " * indent + ("\\" if text[i + 1] == " " else "")
            column = len(piece) - 1
        else:
            piece = _escape(char)
            column += len(piece)
        done.append(piece)
        after_space = char == " "
    return "".join([*done, '"'])


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _escape_one(found.group()), text)


def _escape_one(char: str) -> str:
    if char in _ESCAPES:
        return f"\\{_ESCAPES[char]}"
    code = ord(char)
    width, letter = (2, "x") if code <= 0xFF else (4, "u") if code <= 0xFFFF else (8, "U")  # noqa: PLR2004 - a byte, the basic plane
    return f"\\{letter}{code:0{width}X}"
