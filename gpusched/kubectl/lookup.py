"""From a command's arguments to the objects they mean: types, names, ``TYPE/NAME``, selectors.

Source: kubernetes/cli-runtime pkg/resource/builder.go, v0.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gpusched.kubectl.field_selectors import parse_field_selector
from gpusched.kubectl.fields import JsonObject, labels_of
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.output import CommandError, ServerError
from gpusched.kubectl.resources import Resource, expand_all, find
from gpusched.kubectl.selectors import SelectorError, parse_selector
from gpusched.kubectl.view import View, listing, lookup

_SLASH_FORM: Final = "arguments in resource/name form"
_MIXED: Final = (
    "there is no need to specify a resource type as a separate argument when passing arguments in "
    "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get "
    "resource resource/<resource_name>'"
)


@dataclass(frozen=True, slots=True)
class Query:
    """What a command asks for.

    Attributes:
        arguments: E.g. ``["pods"]``, ``["pod", "a", "b"]``, ``["pod/a", "node/b"]``.
        namespace: Where to look for namespaced objects.
        everywhere: Whether to look in all namespaces instead (``-A``).
        labels: The text of ``-l``.
        fields: The text of ``--field-selector``.
    """

    arguments: Sequence[str]
    namespace: str = "default"
    everywhere: bool = False
    labels: str = ""
    fields: str = ""

    @property
    def scope(self) -> str:
        """The namespace to list, empty for all."""
        return "" if self.everywhere else self.namespace


@dataclass(frozen=True, slots=True)
class Group:
    """The answer to one request: a list of one kind, or a single object."""

    resource: Resource
    objects: list[JsonObject]


@dataclass(slots=True)
class Found:
    """Everything that was found, and what was not.

    Attributes:
        groups: In the order of the arguments.
        errors: One for each name that does not exist.
        single: Whether exactly one object was asked for by name.
    """

    groups: list[Group] = field(default_factory=list)
    errors: list[CommandError] = field(default_factory=list)
    single: bool = False

    @property
    def objects(self) -> list[JsonObject]:
        """All objects, group by group."""
        return [obj for group in self.groups for obj in group.objects]


def resolve(view: View, query: Query) -> Found:
    """Return the objects that ``query`` means.

    Raises:
        CommandError: The query makes no sense, or names an unknown type.
    """
    arguments = _paired(query.arguments)
    names = _by_slash(arguments)
    by_name = names is not None or len(arguments) > 1
    if by_name and (query.labels or query.fields):
        raise CommandError(
            "name cannot be provided when a selector is specified" if names is None else
            "selectors and the all flag cannot be used when passing resource/name arguments"
        )  # fmt: skip
    if names is not None:
        return _by_name(view, query, [(find(kind), name) for kind, name in names])
    types = expand_all(arguments[0]).split(",")
    if by_name:
        return _by_name(view, query, [(find(types[0]), name) for name in arguments[1:]])
    resources = list(dict.fromkeys(find(name) for name in types))
    found = Found()
    for resource in resources:
        try:
            found.groups.append(Group(resource, _selected(view, query, resource)))
        except ServerError as error:
            found.errors.append(error)
    return found


def _paired(arguments: Sequence[str]) -> list[str]:
    """Return ``a,b x`` as ``a/x b/x``; other arguments as they are."""
    types = arguments[0].split(",")
    if len(arguments) == 1 or len(types) == 1:
        return list(arguments)
    return [f"{kind}/{name}" for kind in types for name in arguments[1:]]


def _by_slash(arguments: Sequence[str]) -> list[tuple[str, str]] | None:
    """Return types and names of arguments in slash form; None when they are not in that form."""
    with_slash = [argument for argument in arguments if "/" in argument]
    if not with_slash:
        return None
    if len(with_slash) != len(arguments):
        raise CommandError(_MIXED)
    return [_split(argument) for argument in arguments]


def _split(argument: str) -> tuple[str, str]:
    kind, name, *more = argument.split("/")
    if more:
        raise CommandError(f"{_SLASH_FORM} may not have more than one slash")
    if not kind or not name or "," in kind:
        raise CommandError(f"{_SLASH_FORM} must have a single resource and name")
    return kind, name


def _by_name(view: View, query: Query, wanted: list[tuple[Resource, str]]) -> Found:
    found = Found(single=len(wanted) == 1)
    for resource, name in wanted:
        if resource.namespaced and query.everywhere:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        namespace = query.namespace if resource.namespaced else ""
        obj = lookup(view, resource.kind, namespace, name)
        if obj is None:
            found.errors.append(not_found(resource, name))
        else:
            found.groups.append(Group(resource, [obj]))
    return found


def not_found(resource: Resource, name: str) -> ServerError:
    """Return the API server's answer for an object that does not exist."""
    return ServerError("NotFound", f"{resource.qualified} {quote(name)} not found")


def _selected(view: View, query: Query, resource: Resource) -> list[JsonObject]:
    scope = query.scope if resource.namespaced else ""
    try:
        selector = parse_selector(query.labels)
        terms = parse_field_selector(query.fields, resource.kind)
    except SelectorError as error:
        group = f"{resource.group}/{resource.version}, Resource={resource.plural}"
        raise ServerError(
            "BadRequest",
            f"Unable to find {quote(group)} that match label selector {quote(query.labels)}, "
            f"field selector {quote(query.fields)}: {error}",
        ) from None
    return [
        obj
        for obj in listing(view, resource.kind, scope)
        if selector.matches(labels_of(obj)) and all(term.matches(obj) for term in terms)
    ]
