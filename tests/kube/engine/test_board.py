"""The board: at each look it says what the node states say, and it asks for what has changed."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.kube.engine import EngineStatistics, FastEngine
from gpusched.kube.engine import board as boards
from gpusched.kube.engine import states as node_states
from gpusched.kube.engine.board import Board, Glance, Walk, WalkedStates
from gpusched.kube.engine.plan import Plan
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.engine.verdicts import INFEASIBLE, Verdicts
from tests.kube.engine.clusters import ZONE, Cluster
from tests.kube.engine.templates import PODS

NODES = 12
TEMPLATE = {"spec": {**PODS["small"]["spec"], "nodeSelector": {ZONE: "a"}}}


class Counting(Board):
    """A board that counts the rows whose verdicts are looked up as arrays."""

    asked = 0

    def _known(self, rows: Ints) -> Ints:
        self.asked += len(rows)
        return super()._known(rows)


class BoardMachine(RuleBasedStateMachine):
    """Pods come and go, one or many between two looks."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(FastEngine)
        for number in range(NODES):
            self.cluster.put_node(f"n{number}", labels={ZONE: "aab"[number % 3]})
        cache = self.cluster.cache
        self.states = NodeStates(cache.nodes)
        self.states.refresh()
        self.walk = Walk(cache.order())
        self.pod = self.cluster.pod("picky", TEMPLATE)
        self.plan = self.a_plan()
        self.board = Board(self.plan, self.walk, self.states)
        self.glance = Glance(self.plan, self.walk, WalkedStates(self.walk, self.states))
        self.bound: list[PodInfo] = []

    def a_plan(self) -> Plan:
        framework = self.cluster.framework
        verdicts = Verdicts(framework, self.states, EngineStatistics())
        return Plan(framework, self.cluster.cache.snapshot(), self.pod, verdicts)

    @rule(nodes=st.lists(st.integers(0, NODES - 1), max_size=2 * boards._FEW))
    def bind(self, nodes: list[int]) -> None:
        for number in nodes:
            pod = self.cluster.pod("small", PODS["small"])
            self.cluster.cache.add_pod(pod, f"n{number}")
            self.bound.append(pod)

    @rule(count=st.integers(0, NODES))
    def unbind(self, count: int) -> None:
        for pod in self.bound[:count]:
            self.cluster.cache.remove_pod(pod)
        del self.bound[:count]

    @rule()
    def begin_anew(self) -> None:
        """The states are numbered anew."""
        self.states.count += 4 * node_states._LONG

    @rule()
    def look_away(self) -> None:
        """The states are read, but not by this board."""
        self.states.refresh()

    @rule()
    def grow_long(self) -> None:
        self.states.changed[self.states.changes :] = 0
        self.states.changes = len(self.states.changed)

    @rule(start=st.integers(0, NODES - 1), size=st.integers(1, NODES))
    def look(self, start: int, size: int) -> None:
        self.states.refresh()
        rows = self.walk.rows[start : start + size]
        wanted = self.a_plan().verdicts_of(self.states.ids[rows])
        assert self.plan.allowed is not None
        wanted[~self.plan.allowed[rows]] = INFEASIBLE
        for view in (self.board, self.glance):
            seen, lowest = view.look(start, size)
            assert (seen.tolist(), lowest) == (wanted.tolist(), wanted.min())


TestBoardMachine = BoardMachine.TestCase
TestBoardMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_look_reads_the_rows_that_have_changed_and_no_other() -> None:
    machine = BoardMachine()
    board = Counting(machine.plan, machine.walk, machine.states)
    board.look(0, NODES)
    assert board.asked == NODES
    machine.bind([1, 2, 3])
    machine.states.refresh()
    board.look(0, NODES)
    board.look(5, NODES)
    assert board.asked == NODES
    machine.bind(list(range(NODES)))
    machine.states.refresh()
    board.look(0, NODES)
    assert board.asked == 2 * NODES


def test_a_walk_stands_twice_in_a_row() -> None:
    walk = Walk(np.array([2, 0, 1]))
    assert walk.rows.tolist() == [2, 0, 1, 2, 0, 1]
    assert walk.places.tolist() == [1, 2, 0]
