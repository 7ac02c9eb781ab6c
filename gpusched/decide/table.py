"""Answers as tables that people read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]

_HEADER: Final = ("POD", "RESULT", "NODE", "SCORE", "DETAIL")
_GAP: Final = "   "
_NOTHING: Final = "-"


def as_table(answer: Json, *, wide: bool = False) -> str:
    """Return one answer as text, without a newline at its end.

    Args:
        answer: In the schema of ``expect``.
        wide: Add a table of all nodes below each decision.
    """
    if answer.get("error"):
        stage = f" ({answer['stage']})" if answer.get("stage") else ""
        return f"{answer.get('name', '')}: error{stage}: {answer['error']}"
    if "defaulted" in answer:
        return f"{answer.get('name', '')}: accepted"
    decisions = answer["decisions"]
    if not wide:
        return _aligned([_HEADER, *map(_row, decisions)])
    blocks = (f"{_aligned([_HEADER, _row(d)])}\n\n{_nodes(d)}".rstrip() for d in decisions)
    return "\n\n".join(blocks)


def _row(decision: Json) -> tuple[str, ...]:
    node = decision.get("chosen", "")
    score = decision.get("scores", {}).get(node, {}).get("total", _NOTHING)
    return (
        decision["pod"],
        decision["result"],
        node or _NOTHING,
        str(score),
        "; ".join(_details(decision)) or _NOTHING,
    )


def _details(decision: Json) -> Iterator[str]:
    if decision["result"] == "scheduled":
        feasible, ties = decision["feasible"], decision["ties"]
        yield f"{len(feasible)} feasible"
        if len(ties) > 1:
            yield f"tied: {', '.join(ties)}"
        return
    if decision.get("message"):
        yield decision["message"]
    for nomination in decision.get("nominations", [])[:1]:
        gone = [*nomination["victims"], *nomination.get("terminating", [])]
        yield f"preempts {', '.join(gone)} on {nomination['node']}"


def _nodes(decision: Json) -> str:
    """Return a row per node: its scores, or why it does not fit."""
    scores, reasons = decision.get("scores", {}), decision.get("reasons", {})
    names = sorted({*decision.get("feasible", ()), *reasons}, key=str.encode)
    if not names:
        return ""
    plugins = sorted({name for by_plugin in scores.values() for name in by_plugin} - {"total"})
    rows = [("NODE", "TOTAL", *plugins, "REASONS")]
    for name in names:
        cells = [scores.get(name, {}).get(column, _NOTHING) for column in ("total", *plugins)]
        rows.append((name, *map(str, cells), ", ".join(reasons.get(name, ())) or _NOTHING))
    return _aligned(rows)


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    """Pad all columns but the last to one width."""
    table = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
