"""The go-templates of stages, as far as stages use them.

Fields, variables, range, if, with, or, eq, index, pipes.

Source: kubernetes-sigs/kwok pkg/utils/gotpl, v0.7.0; Go's text/template
"""

import json
import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Function = Callable[..., Any]
Variables = ChainMap[str, Any]
"""One map per block: ``:=`` declares in the innermost, ``=`` changes what an outer one holds."""
_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)|\||:=|=(?!=)|,|[^\s()|,"`]+')
_COMMA, _OPENING, _PIPE = (",",), ("(",), ("|",)
_OPENERS = ("range", "if", "with")


class TemplateError(ValueError):
    """The template uses something that is not supported."""


@dataclass(slots=True)
class _Block:
    """A piece of a template: text, an action, or an action with a body."""

    action: str
    text: str = ""
    body: list["_Block"] = field(default_factory=list)
    otherwise: list["_Block"] = field(default_factory=list)


class Template:
    """A parsed template.

    Args:
        text: Its text.
    """

    def __init__(self, text: str) -> None:
        pieces = _ACTION.split(text)
        self._pieces = [(index % 2 == 1, piece) for index, piece in enumerate(pieces)]
        self._position = 0
        self._blocks, end = self._parse()
        if end:
            raise TemplateError(f"unexpected {{{{{end}}}}}")

    def render(self, obj: Any, functions: Mapping[str, Function]) -> Any:
        """Return what the template says of an object, read as YAML.

        Args:
            obj: The object.
            functions: What it may call, e.g. ``Now``.
        """
        out: list[str] = []
        _Run(functions, obj).blocks(self._blocks, obj, ChainMap(), out)
        return yaml.load("".join(out), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader either way

    def _parse(self) -> tuple[list[_Block], str]:
        """Parse until ``else`` or ``end``; return the blocks and the action that ended them."""
        blocks: list[_Block] = []
        while self._position < len(self._pieces):
            is_action, piece = self._pieces[self._position]
            self._position += 1
            word = piece.split(None, 1)[0] if piece.strip() else ""
            if not is_action:
                blocks.append(_Block("", piece))
            elif word in ("end", "else"):
                return blocks, piece
            elif word in _OPENERS:
                blocks.append(self._parse_body(piece))
            elif word and not piece.startswith("/*"):
                blocks.append(_Block(piece))
        return blocks, ""

    def _parse_body(self, action: str) -> _Block:
        block = _Block(action)
        block.body, end = self._parse()
        if end.startswith("else"):
            rest = end[4:].strip()
            if rest:
                block.otherwise = [self._parse_body(rest)]
            else:
                block.otherwise, _ = self._parse()
        return block


class _Run:
    """One rendering."""

    def __init__(self, functions: Mapping[str, Function], root: Any) -> None:
        self._functions = {**_BUILT_IN, **functions}
        self._root = root

    def blocks(
        self, blocks: Sequence[_Block], dot: Any, variables: Variables, out: list[str]
    ) -> None:
        for block in blocks:
            if not block.action:
                out.append(block.text)
                continue
            word, _, rest = block.action.partition(" ")
            if word in _OPENERS:
                self._body(word, rest, block, (dot, variables, out))
            else:
                self._action(block.action, dot, variables, out)

    def _action(self, action: str, dot: Any, variables: Variables, out: list[str]) -> None:
        tokens = _TOKEN.findall(action)
        if len(tokens) > 1 and tokens[1] in (":=", "="):
            value = self._pipeline(tokens[2:], dot, variables)
            holders = (scope for scope in variables.maps if tokens[0] in scope)
            scope = variables.maps[0] if tokens[1] == ":=" else next(holders, variables.maps[0])
            scope[tokens[0]] = value
            return
        out.append(_print(self._pipeline(tokens, dot, variables)))

    def _body(
        self, word: str, rest: str, block: _Block, scope: tuple[Any, Variables, list[str]]
    ) -> None:
        dot, variables, out = scope
        tokens = _TOKEN.findall(rest)
        names: list[str] = []
        if ":=" in tokens:
            cut = tokens.index(":=")
            names = [token for token in tokens[:cut] if token not in _COMMA]
            tokens = tokens[cut + 1 :]
        value = self._pipeline(tokens, dot, variables)
        if not value:
            self.blocks(block.otherwise, dot, variables.new_child(), out)
        elif word != "range":
            inner = variables.new_child(dict(zip(names, [value], strict=False)))
            self.blocks(block.body, value if word == "with" else dot, inner, out)
        else:
            pairs = sorted(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
            for key, item in pairs:
                bound = (
                    {names[0]: item}
                    if len(names) == 1
                    else dict(zip(names, (key, item), strict=False))
                )
                self.blocks(block.body, item, variables.new_child(bound), out)

    def _pipeline(self, tokens: Sequence[str], dot: Any, variables: Variables) -> Any:
        commands: list[list[Any]] = [[]]
        stack: list[list[list[Any]]] = []
        for token in tokens:
            if token in _OPENING:
                stack.append(commands)
                commands = [[]]
            elif token.startswith(")"):
                value = self._run(commands)
                commands = stack.pop()
                commands[-1].append(_follow(value, token[1:]))
            elif token in _PIPE:
                commands.append([])
            else:
                operand = self._operand(token, dot, variables)
                argument = commands[-1] and callable(operand)
                commands[-1].append(operand() if argument else operand)
        return self._run(commands)

    def _run(self, commands: list[list[Any]]) -> Any:
        value: Any = None
        for index, command in enumerate(commands):
            arguments = command[1:] + ([value] if index else [])
            head = command[0]
            value = head(*arguments) if callable(head) else head
        return value

    def _operand(self, token: str, dot: Any, variables: Variables) -> Any:
        if token[0] == '"':
            return json.loads(token)
        if token[0] == "`":
            return token[1:-1]
        if token[0] == ".":
            return _follow(dot, token)
        if token[0] == "$":
            name, _, path = token.partition(".")
            return _follow(
                self._root if name == "$" else variables[name], f".{path}" if path else ""
            )
        return self._word(token)

    def _word(self, token: str) -> Any:
        constants = {"true": True, "false": False, "nil": None}
        if token in constants:
            return constants[token]
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if token not in self._functions:
            raise TemplateError(f'function "{token}" not defined')
        return self._functions[token]


def _follow(value: Any, path: str) -> Any:
    for part in path.split("."):
        if part:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _print(value: Any) -> str:
    if value is None:
        return "<no value>"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        try:
            value = value[key] if value is not None else None
        except (KeyError, IndexError):
            return None
    return value


_BUILT_IN: dict[str, Function] = {
    "Quote": lambda value: json.dumps(_print(value) if value is not None else ""),
    "or": lambda *values: next((value for value in values if value), values[-1]),
    "and": lambda *values: next((value for value in values if not value), values[-1]),
    "not": lambda value: not value,
    "eq": lambda value, *others: any(value == other for other in others),
    "ne": lambda value, other: value != other,
    "index": _index,
    "len": lambda value: len(value or ()),
    "dict": lambda *pairs: dict(zip(pairs[::2], pairs[1::2], strict=True)),
    "default": lambda fallback, value=None: value or fallback,
    "printf": lambda form, *values: re.sub(r"%[svdq]", lambda _: "{}", form).format(
        *map(_print, values)
    ),
    "YAML": lambda value, *_: json.dumps(value),
}
