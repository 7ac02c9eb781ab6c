"""The functions of device selectors: CEL's own, its string extensions, and Kubernetes' libraries.

A function has overloads; which one applies is asked twice, of static types when an expression is
compiled and of the values' types when it is evaluated. Functions of Kubernetes' libraries that
make no sense for devices (URLs, IP addresses, times, formatting) are missing.

Source: google/cel-go common/stdlib, ext/strings.go, ext/sets.go; kubernetes/apiserver
pkg/cel/library/{quantity,semverlib,lists,regex}.go, v0.36.1
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gpusched.kube.plugins.dynamic_resources import cel_library as library
from gpusched.kube.plugins.dynamic_resources.cel_values import (
    NO_OVERLOAD,
    CelError,
    CelType,
    Value,
    contains,
    type_name,
)

ANYTHING: Final = frozenset({"any", "dyn", "?"})
"""Static types that may turn out to be anything; ``?`` is one that is not worked out here."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function.

    Attributes:
        parameters: Type names, the receiver of a method first; ``any`` takes everything.
        result: The static type of the result.
        run: What it does.
    """

    parameters: tuple[str, ...]
    result: str
    run: Callable[..., Value]

    def takes(self, types: Sequence[str]) -> bool:
        """Return whether arguments of these types may be passed; ``list(int)`` is a ``list``."""
        return len(types) == len(self.parameters) and all(
            want == "any" or have in ANYTHING or have.partition("(")[0] == want
            for want, have in zip(self.parameters, types, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method.

    Attributes:
        name: Its name.
        overloads: Its overloads.
        terse: Whether a call that fits no overload fails without naming the function.
    """

    name: str
    overloads: tuple[Overload, ...]
    terse: bool

    def call(self, arguments: Sequence[Value]) -> Value:
        """Return the result for these values.

        Raises:
            CelError: No overload fits, or the function fails.
        """
        types = [type_name(argument) for argument in arguments]
        for overload in self.overloads:
            if overload.takes(types):
                return overload.run(*arguments)
        if self.name == "size":
            raise CelError(f"{NO_OVERLOAD}: size")
        raise CelError(
            NO_OVERLOAD if self.terse else f"{NO_OVERLOAD}: {self.name}({', '.join(types)})"
        )


def _of(parameters: str, result: str, run: Callable[..., Value]) -> Overload:
    return Overload(tuple(parameters.split()), result, run)


def _table(terse: bool, table: dict[str, tuple[Overload, ...]]) -> dict[str, Function]:
    return {name: Function(name, overloads, terse) for name, overloads in table.items()}


_SIZE: Final = tuple(_of(kind, "int", len) for kind in ("string", "bytes", "list", "map"))
_Q: Final = "kubernetes.Quantity"
_V: Final = "kubernetes.Semver"


def _ordered(name: str, test: Callable[[int], Value], result: str) -> tuple[str, tuple[Any, ...]]:
    def run(left: Any, right: Any) -> Value:
        return test(library.compare(left, right))

    return name, tuple(_of(f"{kind} {kind}", result, run) for kind in (_Q, _V))


METHODS: Final[dict[str, Function]] = {
    **_table(
        terse=True,
        table={
            "size": _SIZE,
            "contains": (_of("string string", "bool", lambda text, part: part in text),),
            "startsWith": (_of("string string", "bool", str.startswith),),
            "endsWith": (_of("string string", "bool", str.endswith),),
            "matches": (
                _of(
                    "string string",
                    "bool",
                    lambda text, how: bool(library.pattern(how).search(text)),
                ),
            ),
            "find": (
                _of(
                    "string string",
                    "string",
                    lambda text, how: (library.find_all(text, how) or [""])[0],
                ),
            ),
            "findAll": (
                _of("string string", "list(string)", library.find_all),
                _of("string string int", "list(string)", library.find_all),
            ),
        },
    ),
    **_table(
        terse=False,
        table={
            "charAt": (
                _of("string int", "string", lambda t, at: t[library.within(at, 0, len(t)) :][:1]),
            ),
            "indexOf": (
                _of("string string", "int", str.find),
                _of("list any", "int", library.index_of),
            ),
            "lastIndexOf": (
                _of("string string", "int", str.rfind),
                _of("list any", "int", library.last_index_of),
            ),
            "lowerAscii": (_of("string", "string", library.lower),),
            "upperAscii": (_of("string", "string", library.upper),),
            "trim": (_of("string", "string", str.strip),),
            "replace": (
                _of("string string string", "string", str.replace),
                _of("string string string int", "string", str.replace),
            ),
            "split": (
                _of("string string", "list(string)", library.split),
                _of("string string int", "list(string)", library.split),
            ),
            "substring": (
                _of("string int", "string", library.substring),
                _of("string int int", "string", library.substring),
            ),
            "join": (
                _of("list", "string", "".join),
                _of("list string", "string", lambda texts, between: between.join(texts)),
            ),
            "sum": (_of("list", "?", sum),),
            "min": (_of("list", "?", lambda values: library.extreme(values, -1, "min")),),
            "max": (_of("list", "?", lambda values: library.extreme(values, 1, "max")),),
            "isSorted": (_of("list", "bool", library.is_sorted),),
            **dict(
                (
                    _ordered("isGreaterThan", lambda result: result > 0, "bool"),
                    _ordered("isLessThan", lambda result: result < 0, "bool"),
                    _ordered("compareTo", lambda result: result, "int"),
                )
            ),
            "add": (
                _of(f"{_Q} {_Q}", _Q, lambda left, right: left + right),
                _of(f"{_Q} int", _Q, library.plus),
            ),
            "sub": (
                _of(f"{_Q} {_Q}", _Q, lambda left, right: left - right),
                _of(f"{_Q} int", _Q, lambda left, number: library.plus(left, -number)),
            ),
            "asInteger": (_of(_Q, "int", library.as_integer),),
            "isInteger": (_of(_Q, "bool", lambda quantity: quantity.is_integer),),
            "asApproximateFloat": (_of(_Q, "double", lambda quantity: quantity.nano / 10**9),),
            "major": (_of(_V, "int", lambda version: version.numbers[0]),),
            "minor": (_of(_V, "int", lambda version: version.numbers[1]),),
            "patch": (_of(_V, "int", lambda version: version.numbers[2]),),
        },
    ),
}
"""Functions called on a receiver, by name."""


def _conversions(target: str, sources: str, run: Callable[..., Value]) -> tuple[Overload, ...]:
    return tuple(_of(source, target, run) for source in sources.split())


GLOBALS: Final[dict[str, Function]] = _table(
    terse=False,
    table={
        "size": _SIZE,
        "matches": METHODS["matches"].overloads,
        "quantity": (_of("string", _Q, library.quantity),),
        "isQuantity": (
            _of("string", "bool", lambda text: library.succeeds(library.quantity, text)),
        ),
        "sign": (_of(_Q, "int", lambda quantity: quantity.sign),),
        "semver": (_of("string", _V, library.semver), _of("string bool", _V, library.semver)),
        "isSemver": (
            _of("string", "bool", lambda text: library.succeeds(library.semver, text)),
            _of(
                "string bool", "bool", lambda text, how: library.succeeds(library.semver, text, how)
            ),
        ),
        "int": _conversions("int", "int uint double string", library.to_int),
        "uint": _conversions("uint", "int uint double string", library.to_uint),
        "double": _conversions("double", "int uint double string", library.to_double),
        "bool": _conversions("bool", "bool string", library.to_bool),
        "string": _conversions("string", "bool int uint double string bytes", library.to_string),
        "bytes": _conversions("bytes", "bytes", bytes)
        + _conversions("bytes", "string", str.encode),
        "dyn": (_of("any", "dyn", lambda value: value),),
        "type": (_of("any", "type", lambda value: CelType(type_name(value))),),
        "sets.contains": (_of("list list", "bool", library.sets_contain),),
        "sets.equivalent": (
            _of(
                "list list",
                "bool",
                lambda a, b: library.sets_contain(a, b) and library.sets_contain(b, a),
            ),
        ),
        "sets.intersects": (
            _of("list list", "bool", lambda a, b: any(contains(item, a) for item in b)),
        ),
    },
)
"""Functions called without a receiver, by name (``sets.contains`` with its dot)."""
