"""Text to a JSON tree, with Go's words for what is not JSON or YAML.

A text that begins with ``{`` is JSON, any other is YAML. This module knows no field of any kind.

Source: kubernetes/apimachinery pkg/runtime/serializer/{json,recognizer}, v0.36.1
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.config.tree import JsonObject, Number, UnreadableError
from gpusched.api.config.yaml_tree import read_yaml


@dataclass(frozen=True, slots=True)
class Document:
    """A text that could be read.

    Attributes:
        text: The text as it was given.
        root: Its value: JsonObject, list, str, Number, bool or None.
        repeated: What strict YAML reading says of repeated keys, or an empty string.
    """

    text: str
    root: Any
    repeated: str = ""


def read_document(text: str) -> Document:
    """Read one JSON or YAML document.

    Args:
        text: The document; of several YAML documents the first is taken.

    Raises:
        UnreadableError: The text is not well formed.
    """
    if text.lstrip().startswith("{"):
        return Document(text, _read_json(text))
    return Document(text, *read_yaml(text))


def _read_json(text: str) -> Any:
    def refuse(_name: str) -> Any:
        raise UnreadableError("invalid character looking for beginning of value")

    try:
        return json.loads(
            text,
            object_pairs_hook=lambda pairs: JsonObject(tuple(pairs)),
            parse_int=Number,
            parse_float=Number,
            parse_constant=refuse,
        )
    except json.JSONDecodeError as error:
        prefix = "couldn't get version/kind; json parse error: "
        raise UnreadableError(prefix + _syntax_error(text, error)) from None


_END: Final = "unexpected end of JSON input"
_EXPECTED: Final = {
    "Expecting property name enclosed in double quotes": (
        "looking for beginning of object key string"
    ),
    "Expecting ':' delimiter": "after object key",
    "Expecting value": "looking for beginning of value",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
}


def _syntax_error(text: str, error: json.JSONDecodeError) -> str:
    """Return what Go's scanner says where Python's gives up."""
    at = error.pos
    in_text = error.msg.startswith("Invalid control character")
    if error.msg == "Invalid \\escape":
        at += 1
    if error.msg.startswith("Unterminated string") or not (text[at:].strip() or in_text):
        return _END
    number = _broken_number(text, at, error.msg)
    if number:
        return number
    place = _EXPECTED.get(error.msg, "in string escape code")
    if error.msg == "Expecting ',' delimiter":
        place = f"after {_innermost(text[:at])}"
    literal = next((w for w in ("null", "true", "false") if w[0] == text[at]), "")
    if place == "looking for beginning of value" and literal:
        return _broken_literal(text[at:], literal)
    return f"invalid character {_go_character(text[at])} {place}"


def _broken_number(text: str, at: int, problem: str) -> str:
    """Say what is wrong with a number that Python has read up to ``at``, or nothing."""
    character, before = text[at], text[at - 1 : at]
    if character == "-" and problem == "Expecting value":
        place = "in numeric literal"
    elif character == "." and before.isdigit():
        place = "after decimal point in numeric literal"
    elif character in "eE" and before.isdigit():
        place = "in exponent of numeric literal"
    else:
        return ""
    following = text[at + 1 : at + 2]
    return f"invalid character {_go_character(following)} {place}" if following else _END


def _innermost(before: str) -> str:
    """Say whether the last bracket still open in ``before`` is an object's or an array's."""
    depth, in_string = 0, False
    for position in range(len(before) - 1, -1, -1):
        character = before[position]
        if character == '"' and before[position - 1 : position] != "\\":
            in_string = not in_string
        elif not in_string and character in "]}":
            depth += 1
        elif not in_string and character in "[{":
            if depth == 0:
                return "object key:value pair" if character == "{" else "array element"
            depth -= 1
    return "top-level value"


def _broken_literal(rest: str, literal: str) -> str:
    for given, wanted in zip(rest, literal, strict=False):
        if given != wanted:
            found = _go_character(given)
            return f"invalid character {found} in literal {literal} (expecting '{wanted}')"
    return _END


def _go_character(character: str) -> str:
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    return f"'{json.dumps(character, ensure_ascii=False)[1:-1]}'"
