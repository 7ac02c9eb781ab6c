"""YAML as kubectl writes it: block style, natural key order, upstream's quoting and folding.

Source: kubernetes-sigs/yaml v1.6.0 and go.yaml.in/yaml/v2 v2.4.3 encode.go, sorter.go
"""

from functools import cmp_to_key
from typing import Any

from gpusched.kubectl.go_format import float_text
from gpusched.kubectl.yaml_scalar import spell, spell_key


def to_yaml(value: Any) -> str:
    """Return a decoded JSON value as a YAML document.

    >>> print(to_yaml({"b": ["1", {"c": 1, "d": []}], "a10": None, "a9": "x: y"}), end="")
    a9: 'x: y'
    a10: null
    b:
    - "1"
    - c: 1
      d: []
    """
    lines = _lines(value, 0) if _is_open(value) else [_inline(value, 0, 2)]
    return "\n".join(lines) + "\n"


def _is_open(value: Any) -> bool:
    """Return whether a value is a collection with something in it, so that it takes lines."""
    return isinstance(value, dict | list) and bool(value)


def _lines(value: Any, indent: int) -> list[str]:
    """Return the lines of a collection whose entries begin at column ``indent``."""
    return _mapping(value, indent) if isinstance(value, dict) else _sequence(value, indent)


def _mapping(value: dict[str, Any], indent: int) -> list[str]:
    lines = []
    for key in sorted(value, key=cmp_to_key(compare_keys)):
        label, content = f"{' ' * indent}{spell_key(key)}:", value[key]
        if _is_open(content):
            inner = indent + 2 if isinstance(content, dict) else indent
            lines += [label, *_lines(content, inner)]
        else:
            lines.append(f"{label} {_inline(content, len(label) + 1, indent + 2)}")
    return lines


def _sequence(value: list[Any], indent: int) -> list[str]:
    lines, dash, inner = [], f"{' ' * indent}- ", indent + 2
    for item in value:
        if _is_open(item):
            first, *others = _lines(item, inner)
            lines += [dash + first[inner:], *others]
        else:
            lines.append(dash + _inline(item, inner, inner))
    return lines


def _inline(value: Any, column: int, indent: int) -> str:
    """Return what fits behind ``key:`` or ``-``; a folded scalar goes on at ``indent``."""
    match value:
        case str():
            return spell(value, column, indent)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value)
        case _:
            return str(value)


def compare_keys(left: str, right: str) -> int:
    """Compare two keys in the natural order: letters last, runs of digits as numbers.

    >>> sorted(["a10", "a9", "a.b", "ab"], key=cmp_to_key(compare_keys))
    ['a.b', 'a9', 'a10', 'ab']
    """
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            continue
        if a.isalpha() or b.isalpha():
            return _sign(a, b) if a.isalpha() and b.isalpha() else (-1 if b.isalpha() else 1)
        led = "0" in (a, b) and _follows_digits(left[:i])
        first, second = (_number_at(key, i, led=led) for key in (left, right))
        return _sign((*first, a), (*second, b))
    return _sign(len(left), len(right))


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _follows_digits(head: str) -> bool:
    """Return whether ``head`` ends in a number that is not just zeros."""
    digits = head[len(head.rstrip("0123456789")) :]
    return bool(digits.strip("0"))


def _number_at(key: str, start: int, *, led: bool) -> tuple[int, int]:
    """Return the number in ``key`` from ``start`` on, and its length in characters."""
    rest = key[start:]
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return int(("1" if led else "") + digits or "0"), len(digits)
