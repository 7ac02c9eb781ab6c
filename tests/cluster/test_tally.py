"""Tallies: whatever has come and gone, they say what counting anew says."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gpusched.cluster import news
from gpusched.cluster.domains import by_node
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.tally import Tally
from tests.cluster.builders import add_node, empty_cache, pod

WEIGHTS = {"a": 1, "b": -7, "c": 0}


def weigh(shape: PodShape) -> int:
    return WEIGHTS[shape.labels["app"]]


class TallyMachine(RuleBasedStateMachine):
    """Pods come, leave and change; one tally is asked at every step, one now and then."""

    nodes = ("n0", "n1", "n2", "n3", "ghost")

    def __init__(self) -> None:
        super().__init__()
        self.cache = empty_cache()
        for number, zone in enumerate(({"z": "a"}, {"z": "b"}, {"z": "a"}, {})):
            add_node(self.cache, f"n{number}", labels=zone)
        self.pods: list[PodInfo] = []
        self.often = self.tallies()
        self.seldom = self.tallies()

    def tallies(self) -> list[Tally]:
        snapshot, nodes = self.cache.snapshot(), self.cache.nodes
        some = nodes.classes("name", lambda info: info.name).among(("n0", "n1", "n3"))
        return [
            tally
            for counted in (None, some)
            for staying in (False, True)
            for tally in (
                Tally.by_label(snapshot, "z", weigh, counted, staying=staying),
                Tally(snapshot, by_node(nodes), weigh, counted, staying=staying),
            )
        ]

    @rule(node=st.sampled_from(nodes), app=st.sampled_from("abc"), leaving=st.booleans())
    def bind(self, node: str, app: str, leaving: bool) -> None:
        info = pod(self.cache, f"p{len(self.pods)}", metadata={"labels": {"app": app}})
        info.terminating = leaving
        self.cache.add_pod(info, node)
        self.pods.append(info)

    @rule(at=st.integers(0, 20))
    def remove(self, at: int) -> None:
        if self.pods:
            self.cache.remove_pod(self.pods.pop(at % len(self.pods)))

    @rule(at=st.integers(0, 20), leaves=st.booleans(), app=st.sampled_from("abc"))
    def update(self, at: int, leaves: bool, app: str) -> None:
        if self.pods:
            at %= len(self.pods)
            other = pod(self.cache, metadata={"labels": {"app": app}}).shape
            new = replace(self.pods[at], shape=other, terminating=leaves)
            self.cache.update_pod(self.pods[at], new)
            self.pods[at] = new

    @rule()
    def look(self) -> None:
        self.agree(self.seldom)

    @invariant()
    def they_agree(self) -> None:
        self.agree(self.often)

    def agree(self, tallies: list[Tally]) -> None:
        for tally, anew in zip(tallies, self.tallies(), strict=True):
            assert tally.sums().tolist() == anew.sums().tolist()


TestTallyMachine = TallyMachine.TestCase
TestTallyMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_who_has_missed_moves_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "_LONG", 3)
    machine = TallyMachine()
    for number in range(20):
        machine.bind(f"n{number % 4}", "ab"[number % 2], leaving=number % 5 == 0)
        machine.agree(machine.often)
        if number % 7 == 0:
            machine.agree(machine.seldom)


def test_a_tally_asks_about_a_shape_once() -> None:
    machine = TallyMachine()
    asked: list[PodShape] = []

    def count(shape: PodShape) -> int:
        asked.append(shape)
        return 1

    tally = Tally.by_label(machine.cache.snapshot(), "z", count)
    first = pod(machine.cache, "first", metadata={"labels": {"app": "a"}})
    for number in range(50):
        machine.cache.add_pod(replace(first, uid=f"{number}"), "n0")
        tally.sums()
    assert tally.sums().tolist() == [50, 0, 0]
    assert asked == [first.shape]
