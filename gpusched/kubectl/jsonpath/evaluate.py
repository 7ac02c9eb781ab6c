"""A template applied to a value.

Source: kubernetes/client-go util/jsonpath/jsonpath.go, v0.36.1
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gpusched.kubectl.go_format import json_text, sprint, type_name
from gpusched.kubectl.jsonpath.compare import holds
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
from gpusched.kubectl.jsonpath.parse import parse


class Template:
    r"""A parsed template.

    Args:
        text: E.g. ``{range .items[*]}{.metadata.name}{"\n"}{end}``.
        missing_allowed: Whether a key that is not there gives nothing instead of an error.

    Raises:
        JsonPathError: The template is malformed.

    >>> Template('{.a[?(@.b>1)].c}!').render({"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}]})
    'y!'
    """

    def __init__(self, text: str, *, missing_allowed: bool = True) -> None:
        self._parts = parse(text)
        self._evaluator = _Evaluator(missing_allowed)

    def find(self, value: Any) -> list[list[Any]]:
        """Return the results of each part of the template; ranges give their parts repeatedly."""
        return self._evaluator.parts(self._parts, 0, value, depth=0)[0]

    def render(self, value: Any) -> str:
        """Return the template with its actions replaced by their results."""
        return "".join(" ".join(map(_printed, results)) for results in self.find(value))

    def render_json(self, value: Any) -> str:
        """Return the results of each part as an indented JSON list of its own."""
        return "".join(f"{json_text(results, indent=4)}\n" for results in self.find(value))


def _printed(value: Any) -> str:
    if value is None:
        return "null"
    return json_text(value) if isinstance(value, dict | list) else sprint(value)


@dataclass(frozen=True, slots=True)
class _Evaluator:
    missing_allowed: bool

    def parts(
        self, parts: Sequence[Node], start: int, value: Any, depth: int
    ) -> tuple[list[list[Any]], int | None]:
        """Evaluate ``parts[start:]``; return results and the place of the ``{end}`` that was met.

        A range without an end runs to the template's end, and its body is then evaluated once more
        outside of it, as upstream does.
        """
        found, i = list[list[Any]](), start
        while i < len(parts):
            keyword = _keyword(parts[i])
            if keyword == "end" and depth == 0:
                raise JsonPathError("not in range, nothing to end")
            results = self.walk([value], parts[i])
            if keyword == "end":
                return found, i
            if keyword == "range":
                end = None
                for item in results or [None]:
                    inner, end = self.parts(parts, i + 1, item, depth + 1)
                    found += inner if results else []
                i = i if end is None else end
            else:
                found.append(results)
            i += 1
        return found, None

    def walk(self, values: list[Any], node: Node) -> list[Any]:
        """Return what ``node`` makes of each of ``values``, in one flat list."""
        match node:
            case Action(steps):
                results = values
                for step in steps:
                    results = self.walk(results, step)
            case Text(text):
                results = [text]
            case Literal(literal):
                results = [literal] * len(values)
            case Identifier(name):
                results = _identified(values, name)
            case Union(actions):
                results = [result for action in actions for result in self.walk(values, action)]
            case Field(name):
                results = self._fields(values, name)
            case _:
                results = [result for value in values for result in self._members(value, node)]
        return results

    def _members(self, value: Any, node: Filter | Slice | Wildcard | Recursive) -> Iterator[Any]:
        match node:
            case Filter():
                yield from self._filtered(value, node)
            case Slice():
                yield from _sliced(value, node)
            case Wildcard():
                yield from _children(value)
            case Recursive():
                yield from _descendants(value)

    def _fields(self, values: list[Any], name: str) -> list[Any]:
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if values and not found and not self.missing_allowed:
            raise JsonPathError(f"{name} is not found")
        return found

    def _filtered(self, value: Any, node: Filter) -> Iterator[Any]:
        if not isinstance(value, list):
            raise JsonPathError(f"{sprint(value)} is not array or slice and cannot be filtered")
        for item in value:
            if node.operator == "exists":
                kept = bool(self.walk([item], node.left))
            else:
                left, right = (self._single(item, side) for side in (node.left, node.right))
                kept = bool(left and right) and holds(left[0], node.operator, right[0])
            if kept:
                yield item

    def _single(self, item: Any, side: Action) -> list[Any]:
        found = self.walk([item], side)
        if len(found) > 1:
            raise JsonPathError("can only compare one element at a time")
        return found


def _keyword(node: Node) -> str:
    steps = node.steps if isinstance(node, Action) else ()
    return next((step.name for step in steps if isinstance(step, Identifier)), "")


def _identified(values: list[Any], name: str) -> list[Any]:
    if name == "range":
        return values
    if name == "end":
        return []
    raise JsonPathError(f"unrecognized identifier {name}")


def _children(value: Any) -> list[Any]:
    """Return the members of a collection; those of an object by key, as Go gives no order."""
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _descendants(value: Any) -> Iterator[Any]:
    children = _children(value)
    if children:
        yield value
    for child in children:
        yield from _descendants(child)


def _sliced(value: Any, node: Slice) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise JsonPathError(f"{type_name(value)} is not array or slice")
    length = len(value)
    start = node.start or 0
    end = length if node.end is None else node.end
    start += length if start < 0 else 0
    end += length if end < 0 or (end == 0 and node.derived) else 0
    if start == end:
        return []
    if not 0 <= start < length:
        raise JsonPathError(f"array index out of bounds: index {start}, length {length}")
    if not 0 <= end <= length:
        raise JsonPathError(f"array index out of bounds: index {end - 1}, length {length}")
    if start > end:
        raise JsonPathError(f"starting index {start} is greater than ending index {end}")
    if node.step is not None and node.step <= 0:
        raise JsonPathError("step must be > 0")
    return value[start : end : node.step or 1]
