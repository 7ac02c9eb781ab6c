"""Tallies: whatever has come and gone, they say what counting anew says."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gpusched.cluster import tally as tally_module
from gpusched.cluster.domains import by_node
from gpusched.cluster.nodes import Mask
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.tally import Counting, Tallies, Tally
from tests.cluster.builders import add_node, empty_cache, pod

WEIGHTS = {"a": 1, "b": -7, "c": 0}


def weigh(shape: PodShape) -> int:
    return WEIGHTS[shape.labels["app"]]


def only(app: str) -> Callable[[PodShape], int]:
    return lambda shape: 3 * (shape.labels["app"] == app)


class TallyMachine(RuleBasedStateMachine):
    """Pods come, leave and change; some tallies are kept throughout, others come and go."""

    nodes = ("n0", "n1", "n2", "n3", "ghost")

    def __init__(self) -> None:
        super().__init__()
        self.cache = empty_cache()
        for number, zone in enumerate(({"z": "a"}, {"z": "b"}, {"z": "a"}, {})):
            add_node(self.cache, f"n{number}", labels=zone)
        self.pods: list[PodInfo] = []
        self.always = list(self.tallies())
        self.sometimes: list[Tally] = []

    def masks(self) -> Iterable[Mask | None]:
        names = self.cache.nodes.classes("name", lambda info: info.name)
        return None, names.among(("n0", "n1", "n3"))

    def tallies(self, name: str | None = None) -> Iterable[Tally]:
        tallies, nodes = self.cache.snapshot().tallies, self.cache.nodes
        for mask in self.masks():
            for staying in (False, True):
                yield tallies.by_label("z", Counting(weigh, staying, name=name), mask)
                yield tallies.of(by_node(nodes), Counting(weigh, staying), mask)
                for app in "ab":
                    signed = Counting(only(app), staying, ("app", app), name and f"{name}, {app}")
                    yield tallies.by_label("z", signed, mask)

    def anew(self, tally: Tally) -> list[int]:
        fresh = Tally(tally.classes, tally.counting, tally.counted)
        pods = np.zeros(len(self.cache.nodes), np.int64)
        for each in self.pods:
            state = self.cache.state(each.node_name)
            if state is not None and state.row >= 0:
                counts = not (each.terminating and tally.counting.staying)
                pods[state.row] += counts * tally.counting.weigh(each.shape)
        fresh.begin(pods)
        found: list[int] = fresh.sums.tolist()
        return found

    @rule(named=st.booleans())
    def ask_anew(self, named: bool) -> None:
        self.sometimes.extend(self.tallies("z" if named else None))

    @rule(at=st.integers(0, 20), count=st.integers(1, 9))
    def give_up(self, at: int, count: int) -> None:
        del self.sometimes[at : at + count]

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

    @invariant()
    def they_agree(self) -> None:
        for each in (*self.always, *self.sometimes):
            assert each.sums.tolist() == self.anew(each)


TestTallyMachine = TallyMachine.TestCase
TestTallyMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_shapes_that_are_too_many_to_keep_are_asked_about_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally_module, "_MOST_SHAPES", 1)
    machine = TallyMachine()
    forgotten: list[Tallies] = []
    forget = Tallies._forget_shapes

    def note(tallies: Tallies) -> None:
        forgotten.append(tallies)
        forget(tallies)

    monkeypatch.setattr(Tallies, "_forget_shapes", note)
    for number in range(60):
        machine.bind(f"n{number % 4}", "abc"[number % 3], leaving=number % 5 == 0)
        if number % 4:
            machine.remove(number)
        if number % 7 == 0:
            machine.ask_anew(named=False)
        machine.they_agree()
    assert len(forgotten) > 2


def test_a_tally_asks_about_a_shape_once() -> None:
    machine = TallyMachine()
    asked: list[PodShape] = []

    def count(shape: PodShape) -> int:
        asked.append(shape)
        return 1

    tally = machine.cache.snapshot().tallies.by_label("z", Counting(count))
    first = pod(machine.cache, "first", metadata={"labels": {"app": "a"}})
    for number in range(50):
        machine.cache.add_pod(replace(first, uid=f"{number}"), "n0")
    assert tally.sums.tolist() == [50, 0, 0]
    assert asked == [first.shape]


def test_who_counts_pods_with_a_label_is_asked_about_no_others() -> None:
    machine = TallyMachine()
    tallies = machine.cache.snapshot().tallies
    asked: list[str] = []

    def count(shape: PodShape) -> int:
        asked.append(shape.labels["app"])
        return 1

    machine.bind("n0", "a", leaving=False)
    machine.bind("n1", "b", leaving=False)
    tally = tallies.by_label("z", Counting(count, sign=("app", "b")))
    for number in range(9):
        machine.bind("n2", "abc"[number % 3], leaving=False)
    assert set(asked) == {"b"}
    assert tally.sums.tolist() == [3, 1, 0]


def test_only_those_hear_of_a_move_whom_it_concerns() -> None:
    machine = TallyMachine()
    tallies = machine.cache.snapshot().tallies
    heard: list[str] = []

    class Attentive(Tally):
        def add(self, row: int, amount: int, *, terminating: bool) -> None:
            heard.extend(self.classes.values)
            super().add(row, amount, terminating=terminating)

    def about(app: str) -> Tally:
        return tallies.by_label("z", Counting(only(app)))

    kept = [about(app) for app in "abc"]
    for each in kept:
        each.__class__ = Attentive
    for number in range(30):
        machine.bind("n0", "abc"[number % 3], leaving=False)
    assert len(heard) == 30 * len(kept[0].classes.values)
    label = pod(machine.cache, metadata={"labels": {"app": "a", "more": "of them"}}).shape
    alike = replace(machine.pods[0], shape=label)
    machine.cache.update_pod(machine.pods[0], alike)
    assert len(heard) == 30 * len(kept[0].classes.values), "nothing has changed for anybody"
    assert [each.sums.tolist() for each in kept] == [[30, 0, 0]] * 3


def test_equal_tallies_are_one_while_nodes_stay_as_they_are() -> None:
    machine = TallyMachine()
    tallies, (_, some) = machine.cache.snapshot().tallies, machine.masks()
    named = Counting(weigh, name="z")
    first = tallies.by_label("z", named)
    assert tallies.by_label("z", named) is first
    assert tallies.by_label("z", named, some) is not first
    assert tallies.by_label("z", Counting(weigh, staying=True, name="z")) is not first
    assert tallies.by_label("z", Counting(weigh)) is not first
    add_node(machine.cache, "n4", labels={"z": "c"})
    machine.bind("n4", "a", leaving=False)
    assert not tallies.are_kept
    again = tallies.by_label("z", named)
    assert again is not first
    assert again.sums.tolist() == [0, 0, 0, 1]
