"""A Stage as its author writes it: selector, delay, weight, what it changes.

Source: kubernetes-sigs/kwok pkg/apis/v1alpha1/stage_types.go, pkg/utils/lifecycle, v0.7.0
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from gpusched.errors import Fault, InvalidInputError
from gpusched.kwok.expressions import Expression, compile_expression
from gpusched.kwok.templates import Template

Json = dict[str, Any]
MILLISECOND = 1000


@dataclass(frozen=True, slots=True)
class Term:
    """One of a selector's expressions.

    Attributes:
        path: Where to look.
        operator: ``In``, ``NotIn``, ``Exists`` or ``DoesNotExist``.
        values: What to look for.
    """

    path: Expression
    operator: str
    values: tuple[str, ...]

    def holds(self, obj: Json) -> bool:
        """Return whether the term holds; without data only the negative operators do."""
        found = self.path(obj)
        if self.operator == "Exists":
            return bool(found)
        if self.operator == "DoesNotExist":
            return not found
        inside = any(_text(value) in self.values for value in found)
        return inside if self.operator == "In" else not inside


@dataclass(frozen=True, slots=True)
class Source:
    """A number that is written down or read from the object.

    Attributes:
        fixed: What is written down, or None.
        path: Where to read it instead, or None.
    """

    fixed: int | None
    path: Expression | None

    def read(self, obj: Json) -> str | None:
        """Return what the object says, or None."""
        found = self.path(obj) if self.path is not None else ()
        return _text(found[0]) if found and found[0] is not None else None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: Its name.
        kind: The kind of object it is for.
        labels: Labels that must match.
        annotations: Annotations that must match.
        terms: Expressions that must hold.
        weight: Weight in the choice among several matching stages.
        duration: Its delay.
        jitter: The upper bound of its delay.
        event: Type, reason and message of an event to record, or None.
        finalizers: ``add``, ``remove`` and ``empty``.
        delete: Whether the object is deleted.
        patches: Subresource, root, patch type and template of each patch.
    """

    name: str
    kind: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    terms: tuple[Term, ...]
    weight: Source
    duration: Source
    jitter: Source | None
    event: Mapping[str, str] | None
    finalizers: Json
    delete: bool
    patches: tuple[tuple[str, str, str, Template], ...]

    def matches(self, obj: Json) -> bool:
        """Return whether the stage applies to an object."""
        meta = obj["metadata"]
        return (
            _within(self.labels, meta.get("labels") or {})
            and _within(self.annotations, meta.get("annotations") or {})
            and all(term.holds(obj) for term in self.terms)
        )

    def weight_for(self, obj: Json) -> int | None:
        """Return the stage's weight for an object, or None if the object says what is no number."""
        found = self.weight.read(obj)
        if found is None:
            return self.weight.fixed or 0
        return int(found) if found.lstrip("-").isdigit() else None


def _within(wanted: Mapping[str, str], have: Mapping[str, str]) -> bool:
    return all(have.get(name) == value for name, value in wanted.items())


def _text(value: Any) -> str:
    return (
        {True: "true", False: "false"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


def choose(stages: Sequence[Stage], obj: Json, rng: np.random.Generator) -> Stage | None:
    """Return the stage that applies: none, the only one, or one drawn by weight.

    Weights of 0 and less count only where no stage has a positive one; then all are equal. A stage
    without a weight that can be read counts only where no stage has one.
    """
    matching = [stage for stage in stages if stage.matches(obj)]
    if len(matching) <= 1:
        return matching[0] if matching else None
    told = [stage.weight_for(obj) for stage in matching]
    weights = [max(0, weight or 0) for weight in told]
    if not any(weights):
        silent = all(weight is None for weight in told)
        weights = [int(silent or weight is not None) for weight in told]
    draw = int(rng.integers(sum(weights)))
    for stage, weight in zip(matching, weights, strict=True):
        draw -= weight
        if draw < 0:
            return stage
    raise AssertionError("the draw is smaller than the sum of the weights")


@cache
def general_stages() -> tuple[Stage, ...]:
    """Return KWOK's ``general`` stages for pods, and those that fail a pod whose label asks for it.

    Source: kubernetes-sigs/kwok kustomize/stage/pod/{general,chaos}, v0.7.0
    """
    return tuple(load_stages(files(__package__).joinpath("general.yaml").read_text("utf-8")))


def load_stages(text: str) -> list[Stage]:
    """Return the stages of a YAML text; documents of other kinds are skipped."""
    documents: Iterable[Any] = yaml.load_all(
        text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    stages = []
    for number, document in enumerate(documents, start=1):
        if document and document.get("kind") == "Stage":
            try:
                stages.append(parse_stage(document))
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidInputError(
                    [Fault(f"not a Stage that can be played: {error}", document=number)]
                ) from error
    return stages


def parse_stage(document: Json) -> Stage:
    """Return the stage of one document."""
    spec = document["spec"]
    selector, following, delay = (
        spec.get("selector"),
        spec.get("next") or {},
        spec.get("delay") or {},
    )
    return Stage(
        name=document["metadata"]["name"],
        kind=spec["resourceRef"]["kind"],
        labels=(selector or {}).get("matchLabels") or {},
        annotations=(selector or {}).get("matchAnnotations") or {},
        terms=_terms(selector),
        weight=Source(spec.get("weight", 0), _path(spec.get("weightFrom"))),
        duration=Source(
            (delay.get("durationMilliseconds") or 0) * MILLISECOND, _path(delay.get("durationFrom"))
        ),
        jitter=_jitter(delay),
        event=following.get("event"),
        finalizers=following.get("finalizers") or {},
        delete=bool(following.get("delete")),
        patches=tuple(_patches(following)),
    )


def _terms(selector: Json | None) -> tuple[Term, ...]:
    if selector is None:
        return (Term(lambda _: (), "Exists", ()),)
    return tuple(
        Term(
            compile_expression(item["key"]),
            item["operator"],
            tuple(map(_text, item.get("values") or ())),
        )
        for item in selector.get("matchExpressions") or ()
    )


def _path(source: Json | None) -> Expression | None:
    return (
        compile_expression(source["expressionFrom"])
        if source and source.get("expressionFrom")
        else None
    )


def _jitter(delay: Json) -> Source | None:
    if "jitterDurationMilliseconds" not in delay and "jitterDurationFrom" not in delay:
        return None
    fixed = delay.get("jitterDurationMilliseconds")
    return Source(
        None if fixed is None else fixed * MILLISECOND, _path(delay.get("jitterDurationFrom"))
    )


def _patches(following: Json) -> Iterable[tuple[str, str, str, Template]]:
    if following.get("statusTemplate"):
        yield "status", "status", "merge", Template(following["statusTemplate"])
    for patch in following.get("patches") or ():
        yield (
            patch.get("subresource", ""),
            patch.get("root", ""),
            patch.get("type") or "merge",
            Template(patch["template"]),
        )
