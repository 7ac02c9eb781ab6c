"""Explanations agree with what the real scheduler recorded: reasons, codes, scores, ties."""

import json
import lzma
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gpusched.decide.case import Case
from gpusched.explain import Explanation, explain_case

pytestmark = pytest.mark.golden

RECORDINGS = Path(__file__).parents[1] / "golden" / "decisions"
FAMILIES = sorted(path.name.partition(".")[0] for path in RECORDINGS.glob("*.jsonl.xz"))
KINDS = ("scheduled", "unschedulable")
MOST = 12


@cache
def recorded(family: str) -> list[Any]:
    text = lzma.decompress((RECORDINGS / f"{family}.jsonl.xz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()]


def first_decisions(family: str, result: str) -> Iterator[tuple[Case, Any]]:
    """Yield cases whose first pod met this fate: nothing had changed before it was decided."""
    for recording in recorded(family):
        decisions = recording["expect"].get("decisions") or []
        if decisions and decisions[0]["result"] == result and "forced" not in recording["case"]:
            yield Case.read(recording["case"]), decisions[0]


def reasons(explanation: Explanation) -> dict[str, list[str]]:
    refused = (verdict for verdict in explanation.nodes if not verdict.feasible)
    return {verdict.node: sorted(verdict.reasons, key=str.encode) for verdict in refused}


def scores(explanation: Explanation) -> dict[str, dict[str, int]]:
    return {
        verdict.node: {
            **{name: score.weighted for name, score in verdict.scores.items()},
            "total": verdict.total,
        }
        for verdict in explanation.nodes
        if verdict.total is not None
    }


@pytest.mark.parametrize("result", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_explanation_says_what_was_recorded(family: str, result: str) -> None:
    compared = 0
    for case, decision in first_decisions(family, result):
        found = explain_case(case, decision["pod"])
        assert found.result == result, case.name
        if result == "scheduled":
            compare_bound(found, decision)
        else:
            compare_pending(found, decision)
        compared += 1
        if compared == MOST:
            break
    assert compared


def compare_bound(found: Explanation, decision: Any) -> None:
    feasible = [verdict.node for verdict in found.nodes if verdict.feasible]
    if decision.get("scores") or len(decision["feasible"]) == 1:
        assert sorted(feasible) == sorted(decision["feasible"])
        assert sorted(found.ties) == sorted(decision["ties"])
        assert scores(found) == decision.get("scores", {})
    else:  # without scores the search ends at the first node that fits
        assert set(feasible) <= set(decision["feasible"])


def compare_pending(found: Explanation, decision: Any) -> None:
    assert found.message == decision["message"]
    wanted = {node: sorted(texts) for node, texts in (decision.get("reasons") or {}).items()}
    assert {node: sorted(texts) for node, texts in reasons(found).items()} == wanted
    codes = {verdict.node: verdict.code for verdict in found.nodes if not verdict.feasible}
    assert codes == decision.get("codes", {})
