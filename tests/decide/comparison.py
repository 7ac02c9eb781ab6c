"""How two answers to one case are compared: in all that was recorded, in nothing uncertain."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = Mapping[str, Any]

_DEVICE = re.compile(r"[\w.-]+/[\w.-]+/[\w.-]+")
_COMPARED_NODES = ("scheduled", "unschedulable")
_COMPARED_PLUGINS = ("unschedulable", "gated")


class Difference(NamedTuple):
    """One field of one decision on which expected and actual disagree."""

    where: str
    field: str
    expected: Any
    actual: Any


def differences(expected: Json, actual: Json) -> list[Difference]:
    """Return every difference between two answers to a case."""
    if "decisions" not in expected:
        return list(_creations(expected, actual))
    found = [
        Difference("", field, expected.get(field), actual.get(field))
        for field in ("error", "stage")
        if expected.get(field) != actual.get(field)
    ]
    decisions, others = expected.get("decisions") or [], actual.get("decisions") or []
    if len(decisions) != len(others):
        found.append(Difference("", "decisions", len(decisions), len(others)))
    for at, (decision, other) in enumerate(zip(decisions, others, strict=False)):
        found += _decisions(f"[{at}] {decision['pod']}", decision, other)
    return found


def _decisions(where: str, expected: Json, actual: Json) -> Iterator[Difference]:
    turn = expected["pod"], expected.get("attempt", 0)
    other = actual.get("pod"), actual.get("attempt", 0)
    if turn != other:
        yield Difference(where, "pod and attempt", turn, other)
        return
    for field, want, got in _fields(expected, actual):
        if want != got:
            yield Difference(where, field, want, got)
    yield from _nominations(where, expected, actual)


def _fields(expected: Json, actual: Json) -> Iterator[tuple[str, Any, Any]]:
    """Yield each field that counts, with both values brought into comparable form."""
    result = expected.get("result")
    yield "result", result, actual.get("result")
    if result == "scheduled":
        for field in ("feasible", "ties"):
            yield field, sorted(expected.get(field) or []), sorted(actual.get(field) or [])
        yield "chosen", expected.get("chosen"), actual.get("chosen")
        for field in ("picked", "scores"):
            if expected.get(field):
                yield field, expected[field], actual.get(field)
    else:
        yield "message", _message(expected, result), _message(actual, result)
    if result in _COMPARED_NODES:
        yield "reasons", _sorted_lists(expected), _sorted_lists(actual)
        yield "codes", expected.get("codes") or {}, actual.get("codes") or {}
    if result in _COMPARED_PLUGINS:
        for field in ("unschedulablePlugins", "pendingPlugins"):
            yield field, sorted(expected.get(field) or []), sorted(actual.get(field) or [])


def _message(decision: Json, result: Any) -> Any:
    """Errors of the API server come in no certain order; a device's name depends on it too."""
    message: str = decision.get("message") or ""
    if result == "invalid":
        return sorted(message.split("; "))
    return _DEVICE.sub("/", message) if result == "error" else message


def _sorted_lists(decision: Json) -> dict[str, list[str]]:
    return {
        node: sorted(reasons or []) for node, reasons in (decision.get("reasons") or {}).items()
    }


def _nominations(where: str, expected: Json, actual: Json) -> Iterator[Difference]:
    """Every reported outcome must have been seen, and one must be reported if any was seen."""
    if expected.get("result") != "unschedulable":
        return
    seen, reported = _outcomes(expected), _outcomes(actual)
    if not reported <= seen or bool(reported) != bool(seen):
        yield Difference(where, "nominations", sorted(seen), sorted(reported))


def _outcomes(decision: Json) -> set[tuple[Any, ...]]:
    lists = ("victims", "terminating", "cleared")
    return {
        (nomination["node"], *(tuple(sorted(nomination.get(name) or [])) for name in lists))
        for nomination in decision.get("nominations") or []
    }


def _creations(expected: Json, actual: Json) -> Iterator[Difference]:
    if not expected.get("error"):
        for field in ("error", "defaulted"):
            if expected.get(field) != actual.get(field):
                yield Difference("", field, expected.get(field), actual.get(field))
        return
    if not actual.get("error"):
        yield Difference("", "error", expected["error"], None)
        return
    if len(expected.get("errors") or []) < 2 and expected["error"] != actual["error"]:
        yield Difference("", "error", expected["error"], actual["error"])
    want, got = _errors(expected), _errors(actual)
    if want != got:
        yield Difference("", "errors", want, got)


def _errors(answer: Json) -> Sequence[tuple[str, ...]]:
    fields = ("field", "reason", "message")
    return sorted(tuple(error.get(f, "") for f in fields) for error in answer.get("errors") or [])
