"""From a template's text to its parts, with upstream's messages for what is malformed.

Source: kubernetes/client-go util/jsonpath/parser.go, v0.36.1
"""

import re
from dataclasses import dataclass, field
from typing import Final

from gpusched.kubectl.jsonpath.nodes import (
    Action,
    Field,
    Filter,
    Identifier,
    JsonPathError,
    Literal,
    Node,
    Recursive,
    Slice,
    Text,
    Union,
    Wildcard,
)

_TERMINATORS: Final = frozenset(" \t\r\n.,[]$@{}")
_DICT_KEY: Final = re.compile(r"'([^']*)'")
_SLICE: Final = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON: Final = re.compile(r"([^!<>=]+)([!<>=]+)(.+?)", re.DOTALL)
_NUMBER: Final = re.compile(r"[-+]?[\d.]*")
_ESCAPE: Final = re.compile(
    r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL
)
_ESCAPED: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip


def parse(text: str) -> list[Node]:
    """Return a template's parts in order: texts, and one action per pair of braces.

    Raises:
        JsonPathError: The template is malformed.
    """
    parts, position = list[Node](), 0
    while (brace := text.find("{", position)) >= 0:
        if brace > position:
            parts.append(Text(text[position:brace]))
        parser = _ActionParser(text, brace + 1)
        parts.append(parser.parse())
        position = parser.position
    if position < len(text):
        parts.append(Text(text[position:]))
    return parts


def _parse_action(text: str) -> Action:
    """Return the first action of ``{text}``; what stands after it is parsed but ignored."""
    part = parse("{" + text + "}")[0]
    assert isinstance(part, Action)
    return part


@dataclass(slots=True)
class _ActionParser:
    """Reads one action from behind its opening brace to behind its closing one."""

    text: str
    position: int
    steps: list[Node] = field(default_factory=list)

    def parse(self) -> Action:
        while not self.text.startswith("}", self.position):
            self._step()
        self.position += 1
        return Action(tuple(self.steps))

    def _step(self) -> None:
        rest = self.text[self.position :]
        if not rest or rest[0] in "\r\n":
            raise JsonPathError("unclosed action")
        if rest.startswith("[?("):
            self._filter()
        elif rest.startswith(".."):
            self._recursive()
        elif rest[0] in " @$":
            self.position += 1
        elif rest[0] == "[":
            self._array()
        elif rest[0] in "\"'":
            self._quoted(rest[0])
        else:
            self._word(rest[0])

    def _word(self, first: str) -> None:
        if first == ".":
            self.position += 1
            self._field()
        elif first in "+-" or first.isdigit():
            self._number()
        elif first == "_" or first.isalpha():
            self._identifier()
        else:
            raise JsonPathError(f"unrecognized character in action: U+{ord(first):04X} '{first}'")

    def _until_terminator(self) -> str:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _TERMINATORS:
            self.position += 1
        return self.text[start : self.position]

    def _field(self) -> None:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _TERMINATORS:
            self.position += 2 if self.text[self.position] == "\\" else 1
        self.position = min(self.position, len(self.text))
        name = self.text[start : self.position]
        self.steps.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))

    def _identifier(self) -> None:
        name = self._until_terminator()
        if name in ("true", "false"):
            self.steps.append(Literal(name == "true"))
        else:
            self.steps.append(Identifier(name))

    def _recursive(self) -> None:
        if self.steps and isinstance(self.steps[-1], Recursive):
            raise JsonPathError("invalid multiple recursive descent")
        self.position += 2
        self.steps.append(Recursive())
        following = self.text[self.position : self.position + 1]
        if following == "_" or following.isalnum():
            self._field()

    def _number(self) -> None:
        found = _NUMBER.match(self.text, self.position)
        assert found is not None
        self.position = found.end()
        try:
            digits = found.group()
            self.steps.append(Literal(float(digits) if "." in digits else int(digits)))
        except ValueError:
            raise JsonPathError(f"cannot parse number {found.group()}") from None

    def _array(self) -> None:
        end = self._find("]", "unterminated array")
        inner = self.text[self.position + 1 : end]
        self.position = end + 1
        members = (":" if inner == "*" else inner).split(",")
        if len(members) > 1:
            actions = (_parse_action(f"[{member.strip(' ')}]") for member in members)
            self.steps.append(Union(tuple(actions)))
        elif key := _DICT_KEY.fullmatch(inner):
            self.steps += _parse_action(f".{key[1]}").steps
        else:
            self.steps.append(_slice(members[0]))

    def _find(self, char: str, otherwise: str) -> int:
        """Return the place of the next ``char`` on this line."""
        end = self.text.find(char, self.position)
        if end < 0 or "\n" in self.text[self.position : end]:
            raise JsonPathError(otherwise)
        return end

    def _filter(self) -> None:
        start = self.position + len("[?(")
        end = self._end_of_filter(start)
        if not self.text.startswith("]", end + 1):
            raise JsonPathError("unclosed array expect ]")
        inner = self.text[start:end]
        self.position = end + 2
        compared = _COMPARISON.fullmatch(inner)
        if compared is None:
            self.steps.append(Filter(_parse_action(inner), Action(()), "exists"))
        else:
            left, operator, right = compared.groups()
            self.steps.append(Filter(_parse_action(left), _parse_action(right), operator))

    def _end_of_filter(self, start: int) -> int:
        """Return the place of the parenthesis that closes a filter: one outside quotes."""
        opened, closed, pair = False, False, ""
        for i in range(start, len(self.text)):
            char = self.text[i]
            if char == "\n":
                break
            if char in "\"'" and not opened:
                opened, pair = True, char
            elif char in "\"'" and char == pair and self.text[i - 1] != "\\":
                closed = True
            elif char == ")" and opened == closed:
                return i
        raise JsonPathError("unterminated filter")

    def _quoted(self, quote: str) -> None:
        end = self.position + 1
        while end < len(self.text) and (self.text[end] != quote or self.text[end - 1] == "\\"):
            if self.text[end] == "\n":
                break
            end += 1
        if not self.text.startswith(quote, end):
            raise JsonPathError("unterminated quoted string")
        literal = self.text[self.position : end + 1]
        self.position = end + 1
        self.steps.append(Text(_unquote(literal)))


def _slice(text: str) -> Slice:
    found = _SLICE.fullmatch(text)
    if found is None:
        raise JsonPathError(f"invalid array index {text}")
    start, end, step = (_index(part) for part in found.groups())
    if found[2] is None:
        return Slice(start, (start or 0) + 1, step, derived=True)
    return Slice(start, end, step)


def _index(part: str | None) -> int | None:
    digits = (part or "").removeprefix(":")
    if not digits:
        return None
    try:
        return int(digits)
    except ValueError:
        raise JsonPathError(f"array index {digits} is not a number") from None


def _unquote(literal: str) -> str:
    body = literal[1:-1]
    if "\\" not in body:
        return body
    return _ESCAPE.sub(lambda found: _unescape(found.group(1), literal), body)


def _unescape(escape: str, literal: str) -> str:
    other_quote = "'" if literal[0] == '"' else '"'
    if escape in _ESCAPED and escape != other_quote:
        return _ESCAPED[escape]
    if escape[0] in "xuU" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    if len(escape) == 3:  # noqa: PLR2004 - three octal digits
        return chr(int(escape, 8))
    raise JsonPathError(f"unquote string {literal} error invalid syntax")
