"""The binary operators of CEL: which static types they take, what they give, what they do.

Source: google/cel-go common/stdlib/standard.go
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from gpusched.kube.plugins.dynamic_resources.cel_functions import ANYTHING
from gpusched.kube.plugins.dynamic_resources.cel_values import (
    Value,
    arithmetic,
    contains,
    equal,
    not_equal,
    order,
)

_NUMBERS: Final = ("int", "uint", "double")
_ADDED: Final = (*_NUMBERS, "string", "bytes", "list")
_ORDERED: Final = ("bool", "string", "bytes")


def outer(type_: str) -> str:
    """Return a static type without its parameters.

    >>> outer("map(string, any)")
    'map'
    """
    return type_.partition("(")[0]


def parameters(type_: str) -> tuple[str, ...]:
    """Return the parameters of a static list or map type.

    >>> parameters("map(string, map(string, any))")
    ('string', 'map(string, any)')
    """
    inside = type_.partition("(")[2][:-1]
    if outer(type_) == "map" and inside:
        key, _, value = inside.partition(", ")
        return key, value
    return (inside,) if inside else ()


def may_be_equal(left: str, right: str) -> bool:
    """Return whether values of two static types may be compared with ``==``."""
    if left in ANYTHING or right in ANYTHING:
        return True
    if outer(left) != outer(right):
        return "null_type" in (left, right) and outer(left) not in (*_NUMBERS, *_ORDERED)
    inside = zip(parameters(left), parameters(right), strict=False)
    return all(may_be_equal(one, other) for one, other in inside)


def common(left: str, right: str) -> str:
    """Return the static type of a value that has one of two types."""
    if left == right or right in ANYTHING - {"?"}:
        return right if left in ANYTHING else left
    return right if left in ANYTHING else "?"


def _is_one_of(type_: str, names: Sequence[str]) -> bool:
    return type_ in ANYTHING or outer(type_) in names


def _ordered(left: str, right: str) -> str | None:
    both_numbers = _is_one_of(left, _NUMBERS) and _is_one_of(right, _NUMBERS)
    same = any(_is_one_of(left, (name,)) and _is_one_of(right, (name,)) for name in _ORDERED)
    return "bool" if both_numbers or same else None


def _calculated(names: Sequence[str], left: str, right: str) -> str | None:
    for name in names:
        if _is_one_of(left, (name,)) and _is_one_of(right, (name,)):
            return "?" if left in ANYTHING and right in ANYTHING else common(left, right)
    return None


def _compared(left: str, right: str) -> str | None:
    return "bool" if may_be_equal(left, right) else None


def _found(left: str, right: str) -> str | None:
    if right in ANYTHING:
        return "bool"
    inside = parameters(right)[:1]
    fits = outer(right) in ("list", "map") and all(may_be_equal(left, item) for item in inside)
    return "bool" if fits else None


@dataclass(frozen=True, slots=True)
class Operator:
    """A binary operator.

    Attributes:
        symbol: As it is written.
        name: As messages name it.
        type_of: (static type, static type) -> the result's static type, or None if it cannot be.
        run: What it does.
    """

    symbol: str
    name: str
    type_of: Callable[[str, str], str | None]
    run: Callable[[Value, Value], Value]


def _arithmetic(symbol: str, names: Sequence[str]) -> Operator:
    return Operator(symbol, f"_{symbol}_", partial(_calculated, names), partial(arithmetic, symbol))


OPERATORS: Final[dict[str, Operator]] = {
    "relation_eq": Operator("==", "_==_", _compared, equal),
    "relation_ne": Operator("!=", "_!=_", _compared, not_equal),
    "relation_lt": Operator("<", "_<_", _ordered, lambda left, right: order(left, right) < 0),
    "relation_le": Operator("<=", "_<=_", _ordered, lambda left, right: order(left, right) <= 0),
    "relation_gt": Operator(">", "_>_", _ordered, lambda left, right: order(left, right) > 0),
    "relation_ge": Operator(">=", "_>=_", _ordered, lambda left, right: order(left, right) >= 0),
    "relation_in": Operator("in", "@in", _found, contains),
    "addition_add": _arithmetic("+", _ADDED),
    "addition_sub": _arithmetic("-", _NUMBERS),
    "multiplication_mul": _arithmetic("*", _NUMBERS),
    "multiplication_div": _arithmetic("/", _NUMBERS),
    "multiplication_mod": _arithmetic("%", ("int", "uint")),
}
"""By the name of celpy's grammar rule."""
