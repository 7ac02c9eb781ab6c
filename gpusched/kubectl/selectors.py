"""Label selectors: the grammar of ``-l``, and selectors as objects carry them.

Source: kubernetes/apimachinery pkg/labels/selector.go, v0.36.1
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from typing_extensions import override

from gpusched.api.names import label_key, label_value
from gpusched.kubectl.fields import mapping, rows, texts
from gpusched.kubectl.go_format import quote

_TOKEN: Final = re.compile(r"[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^=!(),<> \t\r\n]+))")
_OPERATORS: Final = ("in", "notin", "=", "==", "!=", ">", "<")
_SYMBOLS: Final = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">"))
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OF_EXPRESSIONS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


class SelectorError(ValueError):
    """A selector is malformed; the message is the API server's."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label.

    Attributes:
        key: The label's key.
        operator: ``=``, ``==``, ``!=``, ``in``, ``notin``, ``>``, ``<``, ``exists`` or ``!``.
        values: The values to compare with, sorted.
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with ``labels`` meets the condition."""
        match self.operator:
            case "=" | "==" | "in":
                return labels.get(self.key) in self.values
            case "!=" | "notin":
                return labels.get(self.key) not in self.values
            case "exists":
                return self.key in labels
            case "!":
                return self.key not in labels
            case _:
                return self._compares(labels)

    def _compares(self, labels: Mapping[str, str]) -> bool:
        """Return whether the label is a whole number beyond the bound."""
        value = labels.get(self.key, "")
        if not _INTEGER.fullmatch(value):
            return False
        bound = int(self.values[0])
        return int(value) > bound if self.operator == ">" else int(value) < bound

    @override
    def __str__(self) -> str:
        """Return the condition in the grammar of ``-l``."""
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case _:
                return f"{self.key}{self.operator}{','.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that must all hold; none selects everything."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with ``labels`` is selected."""
        return not self.nothing and all(term.matches(labels) for term in self.requirements)

    @override
    def __str__(self) -> str:
        """Return the selector in the grammar of ``-l``."""
        return ",".join(map(str, self.requirements))


def parse_selector(text: str) -> Selector:
    """Return the selector that ``-l text`` means.

    Raises:
        SelectorError: The text is malformed.

    >>> parse_selector("a in (x,y),!b").matches({"a": "y"})
    True
    """
    return _Parser(_tokens(text)).parse()


def of_object(label_selector: Any) -> Selector:
    """Return the selector that an object's ``spec.selector`` means; nothing when it has none."""
    if label_selector is None:
        return Selector(nothing=True)
    labels = mapping(label_selector, "matchLabels")
    terms = [Requirement(key, "=", (value,)) for key, value in labels.items()]
    for expression in rows(label_selector, "matchExpressions"):
        values = tuple(sorted(texts(expression, "values")))
        operator = _OF_EXPRESSIONS[expression["operator"]]
        terms.append(Requirement(expression["key"], operator, values))
    return Selector(tuple(sorted(terms, key=lambda term: term.key)))


def label_selector_text(label_selector: Any) -> str:
    """Return an object's selector as tables show it.

    Source: kubernetes/apimachinery pkg/apis/meta/v1/helpers.go FormatLabelSelector, v0.36.1
    """
    return str(of_object(label_selector)) or "<none>"


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as ``a=b,c=d``, or ``<none>``."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


def _tokens(text: str) -> list[str]:
    """Return the words and symbols of ``text``; an empty word marks the end."""
    return [symbol or word for symbol, word in _TOKEN.findall(text)] + [""]


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens."""

    tokens: list[str]
    position: int = 0
    terms: list[Requirement] = field(default_factory=list)

    def _peek(self) -> str:
        return self.tokens[self.position]

    def _take(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1]

    def parse(self) -> Selector:
        while self._peek():
            if self._peek() in _SYMBOLS - {"!"}:
                expected = "!, identifier, or 'end of string'"
                raise SelectorError(f"found '{self._peek()}', expected: {expected}")
            self._requirement()
            separator = self._take()
            if not separator:
                break
            if separator != ",":
                raise SelectorError(f"found '{separator}', expected: ',' or 'end of string'")
            if self._peek() in (_SYMBOLS | {""}) - {"!"}:
                raise SelectorError(f"found '{self._peek()}', expected: identifier after ','")
        return Selector(tuple(self.terms))

    def _requirement(self) -> None:
        try:
            self.terms.append(self._term())
        except SelectorError as error:
            raise SelectorError(f"unable to parse requirement: {error}") from None

    def _term(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._take()
        key = self._take()
        if not key or key in _SYMBOLS:
            raise SelectorError(f"found '{key}', expected: identifier")
        if faults := label_key(key):
            raise SelectorError(f"<nil>: Invalid value: {quote(key)}: {'; '.join(faults)}")
        if negated or self._peek() in ("", ","):
            return Requirement(key, "!" if negated else "exists")
        operator = self._take()
        if operator not in _OPERATORS:
            expected = ", ".join([*_OPERATORS[:5], "gt", "lt"])
            raise SelectorError(f"found '{operator}', expected: {expected}")
        values = self._set() if operator in ("in", "notin") else {self._exact()}
        return _checked(Requirement(key, operator, tuple(sorted(values))))

    def _exact(self) -> str:
        if self._peek() in ("", ","):
            return ""
        value = self._take()
        if value in _SYMBOLS:
            raise SelectorError(f"found '{value}', expected: identifier")
        return value

    def _set(self) -> set[str]:
        opening = self._take()
        if opening != "(":
            raise SelectorError(f"found '{opening}' expected: '('")
        if self._peek() == ")":
            self._take()
            return {""}
        if self._peek() != "," and self._peek() in _SYMBOLS | {""}:
            raise SelectorError(f"found '{self._peek()}', expected: ',', ')' or identifier")
        values = self._members()
        self._take()
        return values

    def _members(self) -> set[str]:
        """Read up to the closing parenthesis; an empty place between commas is an empty value."""
        values = set[str]()
        while True:
            word = self._take()
            if word == ",":
                values |= set() if values else {""}
                values |= {""} if self._peek() in (")", ",") else set()
            elif word and word not in _SYMBOLS:
                values.add(word)
                if self._peek() not in (",", ")"):
                    raise SelectorError(f"found '{self._peek()}', expected: ',' or ')'")
            else:
                raise SelectorError(f"found '{word}', expected: ',', or identifier")
            if self._peek() == ")":
                return values


def _checked(term: Requirement) -> Requirement:
    """Return ``term`` if its values are good."""
    faults = []
    for i, value in enumerate(term.values):
        if term.operator in ("<", ">") and not _INTEGER.fullmatch(value):
            wrong = "for 'Gt', 'Lt' operators, the value must be an integer"
            faults.append(f"values[{i}]: Invalid value: {quote(value)}: {wrong}")
    for i, value in enumerate(term.values):
        if wrong := "; ".join(label_value(value)):
            faults.append(f"values[{i}][{term.key}]: Invalid value: {quote(value)}: {wrong}")
    if faults:
        raise SelectorError(faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]")
    return term
