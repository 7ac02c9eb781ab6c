"""The last section of a description: the events about the object.

Source: kubernetes/kubectl pkg/describe/describe.go DescribeEvents, searchEvents, v0.36.1
"""

from collections.abc import Iterable

from gpusched.api.gosort import go_sorted
from gpusched.kubectl.ages import age, parse_time
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, mapping, name_of, namespace_of, text
from gpusched.kubectl.view import View, listing

_NEVER = parse_time("0001-01-01T00:00:00Z")


def events_about(view: View, obj: JsonObject, *, uid: str | None = None) -> list[JsonObject]:
    """Return the events about ``obj``, in the order of the API server.

    Args:
        view: Where to look.
        obj: The object; its kind does not matter for a pod, as upstream asks.
        uid: Look for this UID instead of the object's.
    """
    wanted = {
        "name": name_of(obj),
        "namespace": namespace_of(obj),
        "kind": "" if obj["kind"] == "Pod" else obj["kind"],
        "uid": text(obj, "metadata", "uid") if uid is None else uid,
    }
    wanted = {field: value for field, value in wanted.items() if value or field == "namespace"}
    return [
        event
        for event in listing(view, "Event", namespace_of(obj))
        if all(text(event, "involvedObject", field) == value for field, value in wanted.items())
    ]


def event_age(event: JsonObject, now: int) -> str:
    """Return when an event was seen, as ``5m29s (x9 over 45m)`` when it was seen repeatedly."""
    first = age(event.get("eventTime") or event.get("firstTimestamp"), now)
    series = event.get("series")
    if series:
        last = age(series.get("lastObservedTime"), now)
        return f"{last} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{age(event.get('lastTimestamp'), now)} (x{event['count']} over {first})"
    return first


def describe_events(writer: Writer, events: Iterable[JsonObject], now: int) -> None:
    """Write the events in the order of their last timestamps."""
    ordered = go_sorted(events, lambda a, b: _last(a) < _last(b))
    if not ordered:
        writer.pair("Events", "<none>")
        return
    writer.line("Events:")
    writer.line("Type\tReason\tAge\tFrom\tMessage", 1)
    writer.line("----\t------\t----\t----\t-------", 1)
    for event in ordered:
        source = text(event, "source", "component") or text(event, "reportingComponent")
        path = mapping(event, "involvedObject").get("fieldPath")
        message = text(event, "message").strip()
        cells = (
            text(event, "type"), text(event, "reason"), event_age(event, now), source,
            f"{path}: {message}" if path else message,
        )  # fmt: skip
        writer.line("\t".join(cells), 1)


def _last(event: JsonObject) -> int:
    stamp = event.get("lastTimestamp")
    return parse_time(stamp) if stamp else _NEVER
