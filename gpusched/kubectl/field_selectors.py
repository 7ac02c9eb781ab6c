"""Field selectors: the grammar of ``--field-selector`` and the fields that each kind offers.

Source: kubernetes/apimachinery pkg/fields/selector.go and kubernetes/kubernetes
pkg/apis/*/v1/conversion.go, pkg/registry/core/*/strategy.go, v1.36.1
"""

from dataclasses import dataclass
from typing import Any, Final

from gpusched.kubectl.fields import JsonObject, dig, rows, text
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.selectors import SelectorError

_NAMESPACED: Final = ("metadata.name", "metadata.namespace")
_INVOLVED: Final = (
    "kind",
    "namespace",
    "name",
    "uid",
    "apiVersion",
    "resourceVersion",
    "fieldPath",
)
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": (
        *_NAMESPACED, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
        "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
        "status.podIPs", "status.nominatedNodeName", "spec.host",
    ),
    "Node": ("metadata.name", "spec.unschedulable"),
    "Event": (
        *(f"involvedObject.{field}" for field in _INVOLVED),
        "reason", "reportingComponent", "source", "type", *_NAMESPACED,
    ),
    "Namespace": ("status.phase", "metadata.name"),
    "Service": (*_NAMESPACED, "spec.clusterIP", "spec.type"),
    "Job": (*_NAMESPACED, "status.successful"),
}  # fmt: skip
_ALIASES: Final = {"spec.host": "spec.nodeName", "status.successful": "status.succeeded"}
_OPERATORS: Final = ("!=", "==", "=")


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """One condition on a field: it equals, or does not equal, a text."""

    field: str
    equal: bool
    value: str

    def matches(self, obj: JsonObject) -> bool:
        """Return whether ``obj`` meets the condition."""
        return (field_value(obj, self.field) == self.value) == self.equal


def parse_field_selector(selector: str, kind: str) -> list[FieldTerm]:
    """Return the conditions of a ``--field-selector`` for objects of ``kind``.

    Raises:
        SelectorError: The text is malformed, or the kind does not offer a field.

    >>> parse_field_selector("status.phase!=Failed", "Pod")
    [FieldTerm(field='status.phase', equal=False, value='Failed')]
    """
    terms = [_term(selector, part) for part in sorted(_split(selector)) if part]
    for term in terms:
        if kind in _FIELDS and term.field not in _FIELDS[kind]:
            raise SelectorError(f"field label not supported: {term.field}")
        if kind not in _FIELDS and term.field not in _NAMESPACED:
            only = ", ".join(map(quote, _NAMESPACED))
            wrong = f"{quote(term.field)} is not a known field selector: only {only}"
            raise SelectorError(wrong)
    return terms


def _split(text: str) -> list[str]:
    """Return the comma-separated terms; a backslash keeps a comma inside its term."""
    terms, escaped = [""], False
    for char in text:
        if char == "," and not escaped:
            terms.append("")
        else:
            terms[-1] += char
        escaped = char == "\\" and not escaped
    return terms


def _term(selector: str, part: str) -> FieldTerm:
    for i in range(len(part)):
        for operator in _OPERATORS:
            if part.startswith(operator, i):
                value = _unescaped(part[i + len(operator) :])
                return FieldTerm(part[:i], operator != "!=", value)
    raise SelectorError(f"invalid selector: '{selector}'; can't understand '{part}'")


def _unescaped(value: str) -> str:
    done, escaped = "", False
    for char in value:
        if escaped and char not in "\\,=":
            raise SelectorError(f"invalid field selector: invalid escape sequence: \\{char}")
        if not escaped and char in ",=":
            wrong = f"invalid field selector: unescaped character in value: {ord(char)}"
            raise SelectorError(wrong)
        if escaped or char != "\\":
            done += char
        escaped = char == "\\" and not escaped
    if escaped:
        raise SelectorError("invalid field selector: invalid escape sequence: \\")
    return done


def field_value(obj: JsonObject, field: str) -> str:
    """Return a field of ``obj`` as the API server compares it: always a text."""
    if field in ("status.podIP", "status.podIPs"):
        addresses = [entry["ip"] for entry in rows(obj, "status", "podIPs")]
        return "".join(addresses[:1]) if field == "status.podIP" else ",".join(addresses)
    if field == "source":
        return text(obj, "source", "component") or text(obj, "reportingComponent")
    field = _ALIASES.get(field, field)
    return _as_text(dig(obj, *field.split(".")), field)


def _as_text(value: Any, field: str) -> str:
    if field in ("spec.unschedulable", "spec.hostNetwork"):
        return "true" if value else "false"
    if field == "status.succeeded":
        return str(value or 0)
    return "" if value is None else str(value)
