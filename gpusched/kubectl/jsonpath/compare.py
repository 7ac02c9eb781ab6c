"""Comparing two values as Go's templates do: equal kinds only.

Source: kubernetes/client-go third_party/forked/golang/template/funcs.go, v0.36.1
"""

from typing import Any, Final

from gpusched.kubectl.jsonpath.nodes import JsonPathError

_KINDS: Final = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"))


def holds(left: Any, operator: str, right: Any) -> bool:
    """Return whether ``left operator right``.

    Raises:
        JsonPathError: The two cannot be compared, or there is no such operator.
    """
    match operator:
        case "==":
            return _equal(left, right)
        case "!=":
            return not _equal(left, right)
        case "<":
            return _less(left, right)
        case "<=":
            return _less(left, right) or _equal(left, right)
        case ">":
            return not (_less(left, right) or _equal(left, right))
        case ">=":
            return not _less(left, right)
        case _:
            raise JsonPathError(f"unrecognized filter operator {operator}")


def _kind(value: Any) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    raise JsonPathError("invalid type for comparison")


def _equal(left: Any, right: Any) -> bool:
    if _kind(left) != _kind(right):
        raise JsonPathError("incompatible types for comparison")
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    kind = _kind(left)
    if kind != _kind(right):
        raise JsonPathError("incompatible types for comparison")
    if kind == "bool":
        raise JsonPathError("invalid type for comparison")
    return bool(left < right)
