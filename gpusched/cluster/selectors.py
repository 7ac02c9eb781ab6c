"""Selectors, compiled: of pods by labels, of nodes by labels and name.

Label selectors answer for one label map at a time; node selectors for a whole table of nodes,
through its label columns. Both are values: equal selectors are equal and hash alike, so that
their answers may be kept under them.

Source: kubernetes/apimachinery pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector) and
kubernetes/component-helpers scheduling/corev1/nodeaffinity/nodeaffinity.go, v0.36.1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gpusched.api import meta, placement
from gpusched.cluster.nodes import Mask, Nodes
from gpusched.cluster.requirements import (
    DOES_NOT_EXIST,
    EXISTS,
    GREATER,
    IN,
    LESS,
    NOT_IN,
    OPERATORS,
    Requirement,
    aggregate,
    requirement_errors,
)

NAME_FIELD: Final = "metadata.name"
_LABEL_OPERATORS: Final = (IN, NOT_IN, EXISTS, DOES_NOT_EXIST)
_FIELD_OPERATORS: Final = (IN, NOT_IN)
_NODE_OPERATORS: Final = (IN, NOT_IN, EXISTS, DOES_NOT_EXIST, GREATER, LESS)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A label selector: every requirement must hold.

    Attributes:
        requirements: What must hold; none means that everything matches.
        matches_nothing: It stands for a selector that is absent, or that cannot be parsed.
        error: The parse error, or an empty string.
    """

    requirements: tuple[Requirement, ...] = ()
    matches_nothing: bool = False
    error: str = ""

    @classmethod
    def compile(cls, selector: meta.LabelSelector | None) -> "LabelSelector":
        """Return the selector compiled; None (absent) matches nothing, an empty one everything."""
        if selector is None:
            return NOTHING
        requirements = [Requirement(k, IN, (v,)) for k, v in selector.match_labels.items()]
        for expression in selector.match_expressions:
            if expression.operator not in _LABEL_OPERATORS:
                text = f'"{expression.operator}" is not a valid label selector operator'
                return cls(matches_nothing=True, error=text)
            found = Requirement(expression.key, expression.operator, tuple(expression.values))
            if errors := requirement_errors(found, ""):
                return cls(matches_nothing=True, error=aggregate(errors).removeprefix("."))
            requirements.append(found)
        return cls(tuple(requirements))

    @classmethod
    def of_labels(cls, labels: Mapping[str, str]) -> "LabelSelector":
        """Return the selector that asks for exactly these labels, as a Service's does."""
        return cls(tuple(Requirement(key, IN, (value,)) for key, value in labels.items()))

    @property
    def is_empty(self) -> bool:
        """Return True if it matches everything; an absent selector is not empty."""
        return not self.requirements and not self.matches_nothing

    @property
    def sign(self) -> tuple[str, str] | None:
        """Return a label that whatever matches must have, the last one asked for; None if none.

        >>> LabelSelector.of_labels({"app": "web", "hash": "5c"}).sign
        ('hash', '5c')
        """
        for requirement in reversed(self.requirements):
            if requirement.operator == IN and len(requirement.values) == 1:
                return requirement.key, requirement.values[0]
        return None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether a label map satisfies every requirement."""
        if self.matches_nothing:
            return False
        return all(
            requirement.holds(labels.get(requirement.key)) for requirement in self.requirements
        )

    def plus(self, requirements: Sequence[Requirement]) -> "LabelSelector":
        """Return a selector that asks for more; one that matches nothing stays as it is."""
        if self.matches_nothing:
            return self
        return replace(self, requirements=(*self.requirements, *requirements))


NOTHING: Final = LabelSelector(matches_nothing=True)
EVERYTHING: Final = LabelSelector()


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One term of a node selector: all expressions and all fields must hold.

    Attributes:
        labels: Requirements on labels.
        fields: Requirements on fields; only ``metadata.name`` is one.
        errors: Why it cannot be parsed; such a term matches no node.
    """

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()
    errors: tuple[str, ...] = ()

    @classmethod
    def compile(cls, term: placement.NodeSelectorTerm, path: str) -> "NodeTerm":
        """Return the term compiled; ``path`` opens its errors."""
        labels, errors = [], []
        for at, expression in enumerate(term.match_expressions):
            found = Requirement(expression.key, expression.operator, tuple(expression.values))
            labels.append(found)
            errors += _expression_errors(found, f"{path}.matchExpressions[{at}]")
        fields = []
        for at, expression in enumerate(term.match_fields):
            found = Requirement(expression.key, expression.operator, tuple(expression.values))
            fields.append(found)
            errors += _field_errors(found, f"{path}.matchFields[{at}]")
        return cls(tuple(labels), tuple(fields), tuple(errors))

    @property
    def is_empty(self) -> bool:
        """Return True if it asks for nothing; such a term matches no node."""
        return not self.labels and not self.fields

    @property
    def names(self) -> frozenset[str] | None:
        """Return the only node names that can match (``metadata.name In [...]``), or None."""
        names: frozenset[str] | None = None
        for field in self.fields:
            if field.key == NAME_FIELD and field.operator == IN:
                values = frozenset(field.values)
                names = values if names is None else names & values
        return names

    def matches(self, nodes: Nodes) -> Mask:
        """Return True where it matches; shape (N,)."""
        found = np.ones(len(nodes), np.bool_)
        if self.errors or self.is_empty:
            return ~found
        for requirement in self.labels:
            found &= label_mask(nodes, requirement)
        for requirement in self.fields:
            found &= _name_mask(nodes, requirement)
        return found

    def matches_one(self, labels: Mapping[str, str], name: str) -> bool:
        """Return whether it matches a node with these labels and this name."""
        return (
            not (self.errors or self.is_empty)
            and all(requirement.holds(labels.get(requirement.key)) for requirement in self.labels)
            and all(r.holds(name if r.key == NAME_FIELD else "") for r in self.fields)
        )


@dataclass(frozen=True, slots=True)
class NodeSelector:
    """A node selector: one term must match. Empty terms, and an empty list, match nothing.

    Attributes:
        terms: The terms, empty ones included.
    """

    terms: tuple[NodeTerm, ...] = ()

    @classmethod
    def compile(cls, selector: placement.NodeSelector, path: str = "") -> "NodeSelector":
        """Return the selector compiled; ``path`` opens its parse errors."""
        terms = enumerate(selector.node_selector_terms)
        return cls(tuple(NodeTerm.compile(term, f"{path}[{at}]") for at, term in terms))

    @property
    def errors(self) -> tuple[str, ...]:
        """Return the parse errors of all terms, in order."""
        return tuple(error for term in self.terms for error in term.errors)

    @property
    def names(self) -> frozenset[str] | None:
        """Return the only node names that can match, or None if any term leaves them open."""
        names: frozenset[str] = frozenset()
        for term in self.terms:
            of_term = term.names
            if of_term is None:
                return None
            names |= of_term
        return names if self.terms else None

    def matches(self, nodes: Nodes) -> Mask:
        """Return True where a term matches; shape (N,). Kept until a node changes: do not write."""
        return nodes.memo(self, self._matches)

    def _matches(self, nodes: Nodes) -> Mask:
        found = np.zeros(len(nodes), np.bool_)
        for term in self.terms:
            found |= term.matches(nodes)
        return found

    def matches_one(self, labels: Mapping[str, str], name: str) -> bool:
        """Return whether a term matches a node with these labels and this name."""
        return any(term.matches_one(labels, name) for term in self.terms)


def label_mask(nodes: Nodes, requirement: Requirement) -> Mask:
    """Return True where a node's label satisfies ``requirement``; shape (N,)."""
    classes = nodes.label(requirement.key)
    if requirement.operator == IN:
        return classes.among(requirement.values)
    if requirement.operator == NOT_IN:
        return ~classes.among(requirement.values)
    return classes.select(requirement.holds)


def _name_mask(nodes: Nodes, requirement: Requirement) -> Mask:
    found = np.zeros(len(nodes), np.bool_)
    if requirement.key == NAME_FIELD:
        rows = (nodes.row_of(name) for name in requirement.values)
        found[[row for row in rows if row is not None]] = True
    return found if requirement.operator == IN else ~found


def _expression_errors(requirement: Requirement, path: str) -> list[str]:
    if requirement.operator not in OPERATORS:
        return [_unsupported(requirement, path, _NODE_OPERATORS)]
    return requirement_errors(requirement, path)


def _field_errors(requirement: Requirement, path: str) -> list[str]:
    if requirement.operator not in _FIELD_OPERATORS:
        return [_unsupported(requirement, path, _FIELD_OPERATORS)]
    if len(requirement.values) != 1:
        listed = json.dumps(requirement.values, separators=(",", ":"))
        return [f"{path}.values: Invalid value: {listed}: must have one element"]
    return []


def _unsupported(requirement: Requirement, path: str, supported: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in supported)
    return (
        f'{path}.operator: Unsupported value: "{requirement.operator}": supported values: {names}'
    )
