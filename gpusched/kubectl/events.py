"""``kubectl events``.

Source: kubernetes/kubectl pkg/cmd/events/events.go, event_printer.go, v0.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.api.gosort import go_sorted
from gpusched.kubectl.ages import parse_time
from gpusched.kubectl.describe.events import event_age
from gpusched.kubectl.fields import JsonObject, namespace_of, text
from gpusched.kubectl.flags import Flag, FlagType, parse_flags
from gpusched.kubectl.formats import no_such_format, object_printer
from gpusched.kubectl.go_format import escape_terminal, json_text, quote
from gpusched.kubectl.output import CommandError, Output, PlainError, failed
from gpusched.kubectl.resources import Resource, find
from gpusched.kubectl.tabwriter import table_writer
from gpusched.kubectl.view import View, listing

_FLAGS: Final = (
    Flag("all-namespaces", FlagType.SWITCH, short="A"),
    Flag("for"),
    Flag("types", FlagType.LIST),
    Flag("no-headers", FlagType.SWITCH),
    Flag("output", short="o"),
    Flag("watch", FlagType.SWITCH, short="w"),
    Flag("chunk-size", FlagType.NUMBER, default=500),
)
_FORMATS: Final = (
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,"
    "templatefile,yaml"
)
_STRUCT: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "kind", "apiVersion", "metadata", "involvedObject", "reason", "message", "source",
        "firstTimestamp", "lastTimestamp", "count", "type", "eventTime", "series", "action",
        "related", "reportingComponent", "reportingInstance",
    ),
    "metadata": (
        "name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp",
        "labels", "annotations", "ownerReferences",
    ),
    "involvedObject": (
        "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
    ),
    "source": ("component", "host"),
    "series": ("count", "lastObservedTime"),
}  # fmt: skip
_HEADING: Final = "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events a command line asks for, and how to print them."""

    namespace: str
    everywhere: bool
    types: frozenset[str]
    about: tuple[Resource, str] | None
    no_headers: bool
    output: str
    watches: bool

    def select(self, view: View) -> list[JsonObject]:
        """Return the events that are asked for, in the API server's order."""
        scope = "" if self.everywhere else self.namespace
        return [event for event in listing(view, "Event", scope) if self._wants(event)]

    def _wants(self, event: JsonObject) -> bool:
        if self.types and text(event, "type").lower() not in self.types:
            return False
        if self.about is None:
            return True
        resource, name = self.about
        wanted = {"kind": resource.kind, "apiVersion": resource.api_version, "name": name}
        return all(text(event, "involvedObject", key) == wanted[key] for key in wanted)

    def heading(self) -> str:
        """Return the line of headings, or nothing when there is to be none."""
        namespace = "NAMESPACE\t" if self.everywhere else ""
        return "" if self.no_headers else f"{namespace}{_HEADING}\n"

    def line(self, event: JsonObject, now: int) -> str:
        """Return an event as a row."""
        fields = (text(event, "type"), text(event, "reason"), _object(event), _message(event))
        cells = [event_age(event, now), *map(escape_terminal, fields)]
        return "\t".join([namespace_of(event)] * self.everywhere + cells) + "\n"


def _object(event: JsonObject) -> str:
    return f"{text(event, 'involvedObject', 'kind')}/{text(event, 'involvedObject', 'name')}"


def _message(event: JsonObject) -> str:
    return text(event, "message").strip()


def event_query(argv: Sequence[str]) -> EventQuery:
    """Return what a command line of ``kubectl events`` asks for.

    Raises:
        CommandError: It makes no sense.
    """
    arguments = parse_flags("kubectl events", _FLAGS, argv)
    flags = arguments.flags
    types = frozenset(kind.lower() for kind in flags["types"])
    about = _subject(flags["for"]) if flags["for"] else None
    if types - {"normal", "warning"}:
        raise CommandError("valid --types are Normal or Warning")
    return EventQuery(
        namespace=flags["namespace"],
        everywhere=flags["all-namespaces"],
        types=types,
        about=about,
        no_headers=flags["no-headers"],
        output=flags["output"],
        watches=flags["watch"],
    )


def _subject(argument: str) -> tuple[Resource, str]:
    kind, slash, name = argument.partition("/")
    if not slash:
        raise CommandError("--for must be in resource/name form")
    if "/" in name:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    try:
        return find(kind.lower()), name
    except CommandError:
        message = f"the server doesn't have a resource type {quote(kind.lower())}"
        raise PlainError(message) from None


def events(view: View, argv: Sequence[str]) -> Output:
    """Return what ``kubectl events ARGV...`` prints.

    Args:
        view: The objects and the instant.
        argv: The words after ``events``.
    """
    try:
        query = event_query(argv)
        found = go_sorted(query.select(view), lambda a, b: _time(a) < _time(b))
        if not found:
            place = "." if query.everywhere else f" in {query.namespace} namespace."
            return Output("", f"No events found{place}\n", 0)
        if query.output:
            return Output(_in_format(query.output, found))
    except CommandError as error:
        return failed(error)
    lines = (query.line(event, view.now) for event in found)
    return Output(table_writer().align(query.heading() + "".join(lines)))


def _in_format(output: str, found: list[JsonObject]) -> str:
    """Return events in one of the formats of ``-o``; upstream gives up on ``name`` in silence."""
    if output == "wide" or output.startswith("custom-columns"):
        raise no_such_format(output, _FORMATS)
    items = [_in_struct_order(event) for event in found]
    listed: JsonObject = {"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items}
    if output == "json":
        return json_text(listed, indent=4, sort=False) + "\n"
    text_of = object_printer(output)
    return "" if output == "name" else text_of(listed)


def _in_struct_order(value: JsonObject, name: str = "") -> JsonObject:
    """Return an event with its fields in the order of upstream's structs, which JSON keeps."""
    known = [key for key in _STRUCT[name] if key in value]
    return {
        key: _in_struct_order(value[key], key) if key in _STRUCT and value[key] else value[key]
        for key in (*known, *sorted(value.keys() - set(known)))
    }


def _time(event: JsonObject) -> int:
    """Return when an event was last seen."""
    series = event.get("series")
    seen = series.get("lastObservedTime") if series else event.get("lastTimestamp")
    stamp = seen or (None if series else event.get("eventTime"))
    return parse_time(stamp or "0001-01-01T00:00:00Z")
