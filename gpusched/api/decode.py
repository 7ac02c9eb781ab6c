"""Strict decoding: which fields of a JSON object Kubernetes does not know, or cannot read.

Judges one JSON object by the table in ``gpusched.api.schema`` and words each fault as the API
server does. It knows nothing of files: ``gpusched.api.load`` adds the place.

Source: kubernetes/apimachinery pkg/runtime/serializer/json, pkg/util/json; sigs.k8s.io/json
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from typing_extensions import override

from gpusched.api.meta import parse_time
from gpusched.api.quantity import FORMAT_WRONG, InvalidQuantityError, Quantity, number_text
from gpusched.api.schema import FieldType, fields_of, kinds, struct_of

Path = tuple[str | int, ...]

STRICT: Final = "strict decoding error: "
_TYPE_META: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
_VERSION_KIND: Final = "couldn't get version/kind; json parse error: json: cannot unmarshal "
_BITS: Final = {"int": 63, "int32": 31, "int64": 63}
_KINDS_OF_JSON: Final = {
    bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in one object.

    Attributes:
        message: The API server's words.
        path: Keys and indices that lead to the value.
        remedy: What was probably meant, or empty.
    """

    message: str
    path: Path = ()
    remedy: str = ""

    @property
    def field(self) -> str:
        """The path as the API server writes it."""
        return path_text(self.path)

    @override
    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


def path_text(path: Path) -> str:
    """Return a path as the API server writes it, e.g. ``spec.containers[0].image``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def strict(obj: Any) -> tuple[Finding, ...]:
    """Return everything that keeps the API server from decoding an object strictly.

    Args:
        obj: A JSON value.

    Returns:
        The faults in the order of the object; empty if there are none. Fields that are null count
        as absent.

    >>> pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"nodeSelektor": {}}}
    >>> print(*strict(pod))
    strict decoding error: unknown field "spec.nodeSelektor" (did you mean "nodeSelector"?)
    """
    unread = _kind_fault(obj)
    if unread is not None:
        return (unread,)
    struct = struct_of(obj["apiVersion"], obj["kind"])
    if struct is None:
        return (_no_such_kind(obj["apiVersion"], obj["kind"]),)
    walk = _Walk()
    walk.struct(obj, struct, ())
    return tuple(walk.findings)


def _kind_fault(obj: Any) -> Finding | None:
    """Return why an object's kind cannot be told, if so."""
    if not isinstance(obj, dict):
        json_kind = _KINDS_OF_JSON.get(type(obj), "null")
        words = f"{_VERSION_KIND}{json_kind} into Go value of type {_TYPE_META}"
        return Finding(words, (), "a manifest is a map with apiVersion and kind")
    for name in ("apiVersion", "kind"):
        value = obj.get(name)
        if value is not None and not isinstance(value, str):
            json_kind = _KINDS_OF_JSON[type(value)]
            words = f"{_VERSION_KIND}{json_kind} into Go struct field .{name} of type string"
            return Finding(words, (name,))
    for name, title in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not obj.get(name):
            return Finding(f"Object '{title}' is missing in '{json.dumps(obj)}'")
    return None


def _no_such_kind(api_version: str, kind: str) -> Finding:
    remedy = nearest(f"{api_version}/{kind}", kinds())
    words = f'no matches for kind "{kind}" in version "{api_version}"'
    return Finding(words, ("kind",), remedy)


def nearest(name: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """Return ``did you mean "…"?`` with the known name that is nearest, or an empty string."""
    same = [candidate for candidate in known if candidate.lower() == name.lower()]
    close = same or get_close_matches(name, known, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""


@dataclass(slots=True)
class _Walk:
    """Goes through one object, and keeps what it finds.

    Attributes:
        findings: The faults so far.
        struct_name: The innermost Go struct, as the API server's texts name it.
        stack: The names of the fields that lead there, without indices and map keys.
    """

    findings: list[Finding] = field(default_factory=list)
    struct_name: str = ""
    stack: tuple[str, ...] = ()

    def struct(self, obj: dict[str, Any], struct: str, path: Path) -> None:
        """Judge the fields of a struct."""
        known = fields_of(struct)
        if known is None:
            return
        outer = self.struct_name, self.stack
        for name, value in obj.items():
            self.struct_name, self.stack = struct.rpartition(".")[2], (*outer[1], name)
            if name not in known:
                words = f'{STRICT}unknown field "{path_text((*path, name))}"'
                self.findings.append(Finding(words, (*path, name), nearest(name, known)))
            elif value is not None:
                self.value(value, known[name], (*path, name))
        self.struct_name, self.stack = outer

    def value(self, value: Any, kind: FieldType, path: Path) -> None:
        """Judge one value."""
        shape = kind.shape
        if shape.startswith(("@", "{}")):
            self._object(value, kind, path)
        elif shape.startswith("[]"):
            self._list(value, kind, path)
        elif shape in _SCALARS:
            problem = _SCALARS[shape](value, kind.words)
            if problem is not None:
                self.findings.append(Finding(problem.format(where=self._where()), path))

    def _object(self, value: Any, kind: FieldType, path: Path) -> None:
        if kind.shape.startswith("@") and fields_of(kind.shape[1:]) is None:
            return
        if not isinstance(value, dict):
            self._mismatch(value, kind.words, path)
        elif kind.shape.startswith("@"):
            self.struct(value, kind.shape[1:], path)
        else:
            element = kind.element()
            for name, entry in value.items():
                if entry is not None:
                    self.value(entry, element, (*path, name))

    def _list(self, value: Any, kind: FieldType, path: Path) -> None:
        if not isinstance(value, list):
            self._mismatch(value, kind.words, path)
            return
        element = kind.element()
        for index, entry in enumerate(value):
            if entry is not None:
                self.value(entry, element, (*path, index))

    def _mismatch(self, value: Any, words: str, path: Path) -> None:
        text = f"json: cannot unmarshal {_KINDS_OF_JSON[type(value)]} into {self._where()}"
        self.findings.append(Finding(f"{text} of type {words}", path))

    def _where(self) -> str:
        return f"Go struct field {self.struct_name}.{'.'.join(self.stack)}"


def _unmarshal(what: str, words: str, *, own: bool = False) -> str:
    """Return Go's text; ``{where}`` is filled in unless the type decodes itself (``own``)."""
    place = "Go value" if own else "{where}"
    return f"json: cannot unmarshal {what} into {place} of type {words}"


def _judge_string(value: Any, words: str) -> str | None:
    return None if isinstance(value, str) else _unmarshal(_KINDS_OF_JSON[type(value)], words)


def _judge_bool(value: Any, words: str) -> str | None:
    return None if isinstance(value, bool) else _unmarshal(_KINDS_OF_JSON[type(value)], words)


def _judge_int(value: Any, words: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _unmarshal(_KINDS_OF_JSON[type(value)], words)
    bound = 1 << _BITS.get(words, 63)
    if value == int(value) and -bound <= value < bound:
        return None
    return _unmarshal(f"number {number_text(value)}", words)


def _judge_float(value: Any, words: str) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return None if good else _unmarshal(_KINDS_OF_JSON[type(value)], words)


def _judge_int_or_string(value: Any, _: str) -> str | None:
    if isinstance(value, str):
        return None
    problem = _judge_int(value, "int32")
    return problem and problem.format(where="Go value")


def _judge_time(value: Any, _: str) -> str | None:
    if not isinstance(value, str):
        return _unmarshal(_KINDS_OF_JSON[type(value)], "string", own=True)
    try:
        parse_time(value)
    except ValueError as error:
        return _literal(str(error))
    return None


def _judge_quantity(value: Any, _: str) -> str | None:
    if isinstance(value, list | dict | bool):
        return _literal(FORMAT_WRONG)
    try:
        Quantity.parse(value)
    except InvalidQuantityError as error:
        return _literal(str(error))
    return None


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


_SCALARS: Final[dict[str, Callable[[Any, str], str | None]]] = {
    "string": _judge_string,
    "bytes": _judge_string,
    "bool": _judge_bool,
    "int": _judge_int,
    "int32": _judge_int,
    "int64": _judge_int,
    "float64": _judge_float,
    "int-or-string": _judge_int_or_string,
    "time": _judge_time,
    "quantity": _judge_quantity,
}
