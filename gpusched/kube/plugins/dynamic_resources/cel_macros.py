"""CEL's macros over lists and maps: ``all``, ``exists``, ``exists_one``, ``map`` and ``filter``.

Source: google/cel-go parser/macro.go
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from gpusched.kube.plugins.dynamic_resources.cel_values import NO_OVERLOAD, CelError, Value, truth

Each: TypeAlias = Callable[[Value], Value]
"""One argument of a macro, as a function of the loop variable."""


def elements(container: Value) -> Iterable[Value]:
    """Return what a macro loops over: a list's elements, a map's keys."""
    if isinstance(container, list | dict):
        return container
    raise CelError(NO_OVERLOAD)


def _decided(container: Value, each: Each, decisive: bool) -> bool:
    """Return ``decisive`` if an element gives it, whatever errors the others give."""
    first: CelError | None = None
    for element in elements(container):
        try:
            if truth(each(element)) is decisive:
                return decisive
        except CelError as error:
            first = first or error
    if first is not None:
        raise first
    return not decisive


def _all(container: Value, each: Each) -> bool:
    return _decided(container, each, decisive=False)


def _exists(container: Value, each: Each) -> bool:
    return _decided(container, each, decisive=True)


def _exists_one(container: Value, each: Each) -> bool:
    return sum(truth(each(element)) for element in elements(container)) == 1


def _filter(container: Value, each: Each) -> list[Value]:
    return [element for element in elements(container) if truth(each(element))]


def _map(container: Value, *arguments: Each) -> list[Value]:
    *test, each = arguments
    kept = _filter(container, test[0]) if test else elements(container)
    return [each(element) for element in kept]


MACROS: Final[dict[tuple[str, int], tuple[str, Callable[..., Value]]]] = {
    ("all", 1): ("bool", _all),
    ("exists", 1): ("bool", _exists),
    ("exists_one", 1): ("bool", _exists_one),
    ("existsOne", 1): ("bool", _exists_one),
    ("filter", 1): ("list", _filter),
    ("map", 1): ("list", _map),
    ("map", 2): ("list", _map),
}
"""(Name, number of arguments after the loop variable) to static type and function."""
