"""What a differential run says of what it has asked and left out; without the real scheduler."""

from collections.abc import Sequence
from typing import Any

import pytest

from conformance import differential
from conformance.decide import oracle
from conformance.decide.families import draw_case
from gpusched.decide import answer

Json = dict[str, Any]


class Twin:
    """Stands in for the real scheduler: answers as we do, but for what it is told to do wrong."""

    def __init__(self) -> None:
        self.asked = 0
        self.dies_at: int | None = None
        self.varies_at: int | None = None

    def ask(self, _program: str, cases: Sequence[Json]) -> list[Json]:
        found = [self.answer(case, nth) for nth, case in enumerate(cases)]
        self.asked += 1
        return found

    def answer(self, case: Json, nth: int) -> Json:
        expect = answer(case, differential.SETTINGS).expect
        if nth == self.dies_at and not self.asked:
            words = "selfcheck: 109 feasible nodes by hand, 100 in SchedulePod"
            return {"name": case["name"], "error": words, "stage": "internal", "decisions": []}
        if nth == self.varies_at and not self.asked:
            decisions = [{**each, "message": "x", "result": "x"} for each in expect["decisions"]]
            return {**expect, "decisions": decisions}
        return expect


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Twin:
    twin = Twin()
    monkeypatch.setattr(oracle, "ask", twin.ask)
    return twin


def test_what_cannot_be_played_is_counted_by_its_reason(twin: Twin) -> None:
    twin.dies_at = 1
    found = differential.run_batch("", "resources", 5, range(3))
    assert (found.counts["cases"], found.counts["unusable"]) == (3, 1)
    reason = "unusable: selfcheck: N feasible nodes by hand, N in SchedulePod"
    assert found.reasons == {reason: 1}
    assert found.examples == {reason: "resources-5-000001"}
    assert not found.differing


def test_who_contradicts_himself_is_named_with_the_field(twin: Twin) -> None:
    twin.varies_at = 0
    found = differential.run_batch("", "resources", 5, range(1))
    assert (found.counts["flaky"], found.counts["different"]) == (1, 0)
    (reason,) = found.reasons
    assert reason.startswith("flaky: the real scheduler itself varies in ")
    assert "result" in reason


def test_samples_are_drawn_of_more_than_a_hundred_nodes() -> None:
    cases = [draw_case("sampling", 1, index) for index in range(20)]
    counts = [sum(obj["kind"] == "Node" for obj in case["objects"]) for case in cases]
    assert sum(count > 100 for count in counts) > 15
    assert sum("percentageOfNodesToScore" in case.get("config", "") for case in cases) > 8
    attempted = differential.ours(cases[0], {"decisions": []})["decisions"]
    assert attempted
