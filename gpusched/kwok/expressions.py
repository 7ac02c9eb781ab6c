"""The jq paths of selectors and sources.

``.metadata.annotations["a/b"]``, ``.status.conditions.[] | select(.type == "Ready") | .status``.

Source: kubernetes-sigs/kwok pkg/utils/expression, v0.7.0
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Expression = Callable[[Any], tuple[Any, ...]]
"""Returns everything that a path finds in an object; nulls are left out."""

_STEP = re.compile(
    r'\.?\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\.?\[\s*(-?\d*)\s*\]|\.([A-Za-z_][A-Za-z0-9_]*)|\."((?:[^"\\]|\\.)*)"'
)
_SELECT = re.compile(r"select\((.*)\)\Z", re.DOTALL)
_COMPARE = re.compile(
    r'(.+?)\s*(==|!=)\s*("(?:[^"\\]|\\.)*"|true|false|null|-?\d+)\s*\Z', re.DOTALL
)


def compile_expression(text: str) -> Expression:
    """Return the function of a path.

    Raises:
        ValueError: It is not a path of the supported kind.

    >>> pods = {"a": [{"type": "x", "v": 1}, {"type": "y", "v": 2}]}
    >>> compile_expression('.a.[] | select(.type == "x") | .v')(pods)
    (1,)
    """
    stages = [_compile_part(part.strip()) for part in _split(text)]

    def run(obj: Any) -> tuple[Any, ...]:
        values: list[Any] = [obj]
        for stage in stages:
            values = [found for value in values for found in stage(value)]
        return tuple(value for value in values if value is not None)

    return run


def _split(text: str) -> list[str]:
    """Split at the pipes that stand outside of quotes and brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == "|" and not depth:
                parts.append(text[start:index])
                start = index + 1
    return [*parts, text[start:]]


def _compile_part(part: str) -> Callable[[Any], Iterator[Any]]:
    chosen = _SELECT.match(part)
    if chosen:
        return _compile_select(chosen[1])
    steps = _steps(part)

    def walk(value: Any, index: int = 0) -> Iterator[Any]:
        if index == len(steps):
            yield value
            return
        for found in _take(value, steps[index]):
            yield from walk(found, index + 1)

    return walk


def _steps(part: str) -> list[Any]:
    steps: list[Any] = []
    position = 0
    while position < len(part) and part[position:] != ".":
        match = _STEP.match(part, position)
        if match is None:
            raise ValueError(f"unsupported expression {part!r}")
        name = next((group for group in (match[1], match[3], match[4]) if group is not None), None)
        steps.append(name if name is not None else (int(match[2]) if match[2] else None))
        position = match.end()
    return steps


def _take(value: Any, step: Any) -> Iterator[Any]:
    if step is None:
        yield from value.values() if isinstance(value, dict) else value or ()
    elif isinstance(step, int):
        if isinstance(value, list) and -len(value) <= step < len(value):
            yield value[step]
    elif isinstance(value, dict) and step in value:
        yield value[step]


def _compile_select(condition: str) -> Callable[[Any], Iterator[Any]]:
    compared = _COMPARE.match(condition.strip())
    if compared is None:
        path = compile_expression(condition)
        return lambda value: iter([value] if any(path(value)) else [])
    path = compile_expression(compared[1].strip())
    wanted = _literal(compared[3])
    equal = compared[2] == "=="
    return lambda value: iter([value] if (wanted in path(value)) is equal else [])


def _literal(text: str) -> Any:
    constants = {"true": True, "false": False, "null": None}
    return (
        text[1:-1] if text.startswith('"') else constants[text] if text in constants else int(text)
    )
