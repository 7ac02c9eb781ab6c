"""``kubectl get -w`` and ``kubectl events -w``: a sequence of views, told as changes.

Source: kubernetes/kubectl pkg/cmd/get/get.go watch and pkg/cmd/events/events.go runWatch, v0.36.1
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.kubectl.events import event_query
from gpusched.kubectl.fields import JsonObject, name_of, namespace_of
from gpusched.kubectl.flags import Arguments
from gpusched.kubectl.formats import is_table, object_printer
from gpusched.kubectl.get import parse_arguments, query_of, table_printer
from gpusched.kubectl.go_format import json_text
from gpusched.kubectl.lookup import Found, resolve
from gpusched.kubectl.output import CommandError, Output, error_text, failed
from gpusched.kubectl.tabwriter import table_writer
from gpusched.kubectl.view import View

_IGNORED_SORT: Final = (
    "warning: --watch requested, --sort-by will be ignored for watch events received\n"
)
_ONE_TYPE: Final = "you may only specify a single resource type"


@dataclass(frozen=True, slots=True)
class Change:
    """One watch event.

    Attributes:
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        obj: The object, as it then stood.
        now: The instant.
    """

    type: str
    obj: JsonObject
    now: int


def changes(
    before: Sequence[JsonObject], after: Sequence[JsonObject], now: int
) -> Iterator[Change]:
    """Return what turned ``before`` into ``after``: deletions first, then by resource version."""
    old, new = ({_key(obj): obj for obj in objects} for objects in (before, after))
    yield from (Change("DELETED", obj, now) for key, obj in old.items() if key not in new)
    altered = [(key, obj) for key, obj in new.items() if old.get(key) != obj]
    for key, obj in sorted(altered, key=lambda entry: _version(entry[1])):
        yield Change("MODIFIED" if key in old else "ADDED", obj, now)


def _key(obj: JsonObject) -> tuple[str, str, str]:
    return namespace_of(obj), name_of(obj), str(obj["metadata"].get("uid", ""))


def _version(obj: JsonObject) -> int:
    version = str(obj["metadata"].get("resourceVersion", "0"))
    return int(version) if version.isdecimal() else 0


def watch_get(views: Iterable[View], argv: Sequence[str]) -> Iterator[Output]:
    """Yield what ``kubectl get ARGV... -w`` prints, first for the first view, then per change.

    Args:
        views: The states of the cluster, oldest first; at least one.
        argv: The words after ``get``.
    """
    states = iter(views)
    try:
        arguments = parse_arguments(argv)
        first = next(states)
        found = _watched(first, arguments)
        show = _shower(arguments, found, first.now)
    except CommandError as error:
        yield failed(error)
        return
    flags = arguments.flags
    warning = _IGNORED_SORT if flags["sort-by"] else ""
    listed = [Change("ADDED", obj, first.now) for obj in found.objects]
    yield Output("" if flags["watch-only"] else show(listed), warning + error_text(found.errors))
    before = found.objects
    for view in states:
        after = _watched(view, arguments).objects
        for change in changes(before, after, view.now):
            yield Output(show([change]))
        before = after


def _watched(view: View, arguments: Arguments) -> Found:
    found = resolve(view, query_of(arguments))
    if len({group.resource for group in found.groups}) > 1:
        raise CommandError(_ONE_TYPE)
    return found


def _shower(arguments: Arguments, found: Found, now: int) -> Callable[[Sequence[Change]], str]:
    """Return what prints changes: rows whose columns never get narrower, or objects."""
    flags = arguments.flags
    typed = flags["output-watch-events"]
    if not is_table(flags["output"]):
        print_object = object_printer(flags["output"], no_headers=flags["no-headers"])

        def show_objects(shown: Sequence[Change]) -> str:
            return "".join(_typed(c) if typed else print_object(c.obj) for c in shown)

        return show_objects
    resource = found.groups[0].resource
    printer = table_printer(resource, arguments, now, namespaced=resource.namespaced)
    writer = table_writer()

    def show_rows(shown: Sequence[Change]) -> str:
        text = ""
        for change in shown:
            printer.now = change.now
            text += printer.text([change.obj], f"{change.type:<8}" if typed else "")
        return writer.align(text)

    return show_rows


def _typed(change: Change) -> str:
    return f'{{"type":"{change.type}","object":{json_text(change.obj)}}}\n'


def watch_events(views: Iterable[View], argv: Sequence[str]) -> Iterator[Output]:
    """Yield what ``kubectl events ARGV... -w`` prints: every event when it is seen, oldest first.

    Args:
        views: The states of the cluster, oldest first; at least one.
        argv: The words after ``events``.
    """
    try:
        query = event_query(argv)
    except CommandError as error:
        yield failed(error)
        return
    writer, heading, before = table_writer(), query.heading(), list[JsonObject]()
    for view in views:
        after = query.select(view)
        for change in changes(before, after, view.now):
            if change.type != "DELETED":  # events that expire are not told of
                yield Output(writer.align(heading + query.line(change.obj, view.now)))
                heading = ""
        before = after
