"""An explanation for the eye: the verdict first, then the nodes, what would help, the queue."""

from collections.abc import Iterator, Sequence
from typing import Final

from gpusched.explain.changes import HARD, Change
from gpusched.explain.explanation import Explanation, NodeVerdict, QueueMove
from gpusched.run.table import aligned

_MOST: Final = 20
"""Nodes in a table; the rest is counted."""


def as_text(explanation: Explanation) -> str:
    """Return an explanation as a person reads it."""
    sections = (
        _head(explanation),
        _refusals(explanation),
        _scores(explanation),
        _preemption(explanation),
        _changes(explanation),
        _history(explanation.history),
        iter([f"Note: {note}." for note in explanation.notes]),
    )
    blocks = ("\n".join(section) for section in sections)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(explanation: Explanation) -> Iterator[str]:
    place = ""
    if explanation.attempt:
        of = f"attempt {explanation.attempt} of {explanation.attempts}"
        place = f", {of} at {explanation.seconds:g}s"
    outcome = explanation.result + (f" on {explanation.node}" if explanation.node else "")
    yield f"Pod {explanation.pod}: {outcome} ({explanation.scheduler}{place})"
    if explanation.message:
        yield f"  {explanation.message}"


def _refusals(explanation: Explanation) -> Iterator[str]:
    refused = [v for v in explanation.nodes if v.looked_at and not v.feasible]
    passed_over = sum(not verdict.looked_at for verdict in explanation.nodes)
    if explanation.pre_filter:
        yield f"Refused as a whole, before any node was looked at: {explanation.pre_filter}"
        return
    if refused:
        rows = ((v.node, v.refused_by, ", ".join(v.reasons), _eviction(v)) for v in refused[:_MOST])
        yield aligned([("NODE", "REFUSED BY", "REASON", "EVICTION"), *rows])
        yield from _more(len(refused) - _MOST)
    if passed_over:
        yield f"{passed_over} nodes were not looked at: the search had found what it needed."
    if explanation.skipped and not explanation.scores_told:
        yield f"Not asked, the pod does not concern them: {', '.join(explanation.skipped)}"


def _eviction(verdict: NodeVerdict) -> str:
    return "could help" if verdict.eviction_could_help else "cannot help"


def _scores(explanation: Explanation) -> Iterator[str]:
    feasible = [verdict for verdict in explanation.nodes if verdict.feasible]
    if len(feasible) == 1:
        yield f"Only {feasible[0].node} fits, so it is taken without scoring."
    if not explanation.scores_told:
        return
    plugins = list(feasible[0].scores)
    ranked = sorted(feasible, key=lambda verdict: -(verdict.total or 0))
    rows = ((v.node, v.total, *(_score(v, name) for name in plugins)) for v in ranked[:_MOST])
    yield aligned([("NODE", "TOTAL", *plugins), *rows])
    yield from _more(len(feasible) - _MOST)
    yield "Scores are raw/normalised/weighted; the weighted ones make the total."
    if explanation.tie:
        tied = ", ".join(explanation.ties[:_MOST])
        yield f"{len(explanation.ties)} nodes tie for the best total: {tied}."
        yield f"The tie falls {explanation.tie}."


def _score(verdict: NodeVerdict, plugin: str) -> str:
    score = verdict.scores[plugin]
    return f"{score.raw}/{score.normalized}/{score.weighted}"


def _preemption(explanation: Explanation) -> Iterator[str]:
    if explanation.nominated:
        victims = ", ".join(explanation.victims)
        yield f"Preemption makes room on {explanation.nominated} by evicting {victims}."


def _changes(explanation: Explanation) -> Iterator[str]:
    if not explanation.smallest_change:
        return
    when = explanation.changes_seconds
    yield "Smallest change" + (f" (as of {when:g}s):" if when is not None else ":")
    by_change: dict[tuple[Change, ...], list[str]] = {}
    for node, changes in explanation.smallest_change.items():
        by_change.setdefault(changes, []).append(node)
    for changes, nodes in by_change.items():
        yield f"  {'; '.join(_words(change) for change in changes)}"
        yield f"    on {' or '.join(nodes)}"


def _words(change: Change) -> str:
    return f"{change.text} (no eviction helps)" if change.kind in HARD else change.text


def _history(moves: Sequence[QueueMove]) -> Iterator[str]:
    if moves:
        rows = ((f"{move.seconds:g}s", _event(move), _queue(move)) for move in moves)
        yield aligned([("TIME", "EVENT", "QUEUE"), *rows])


def _event(move: QueueMove) -> str:
    return f"attempt {move.queue}" if move.event == "attempt" else move.event


def _queue(move: QueueMove) -> str:
    return "in flight" if move.event == "attempt" else move.queue


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"... and {count} more nodes (-o json has all)"
