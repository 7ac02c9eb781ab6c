"""Node states: equal numbers for equal nodes, whatever came before."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gpusched.cluster.pod import PodInfo
from gpusched.kube.engine import states as states_module
from gpusched.kube.engine.states import NodeStates
from tests.cluster.builders import add_node, empty_cache, node, pod


class StatesMachine(RuleBasedStateMachine):
    """Nodes and pods come and go; now and then somebody looks."""

    names = st.sampled_from(["n0", "n1", "n2"])

    def __init__(self) -> None:
        super().__init__()
        self.cache = empty_cache()
        self.states = NodeStates(self.cache.nodes)
        self.pods: list[PodInfo] = []
        self.live: set[str] = set()

    @rule(name=names, cpu=st.integers(1, 2), fresh=st.booleans())
    def put_node(self, name: str, cpu: int, fresh: bool) -> None:
        room = {"cpu": str(cpu), "pods": "5", **({f"x.com/r{cpu}": "1"} if fresh else {})}
        info = node(self.cache, name, allocatable=room)
        (self.cache.update_node if name in self.live else self.cache.add_node)(info)
        self.live.add(name)

    @rule(name=names)
    def drop_node(self, name: str) -> None:
        if name in self.live:
            self.cache.remove_node(name)
            self.live.remove(name)

    @rule(name=names, cpu=st.integers(0, 1))
    def bind(self, name: str, cpu: int) -> None:
        bound = pod(self.cache, f"p{len(self.pods)}", requests={"cpu": str(cpu)})
        self.cache.add_pod(bound, name)
        self.pods.append(bound)

    @rule()
    def unbind(self) -> None:
        if self.pods:
            self.cache.remove_pod(self.pods.pop())

    @invariant()
    def equal_nodes_have_equal_numbers_and_others_have_not(self) -> None:
        if len(self.pods) % 3 == 0:
            return  # several changes between two looks
        self.states.refresh()
        nodes = self.cache.nodes
        assert len(self.states.ids) == len(nodes)
        amounts = [
            (
                nodes.allocatable[:, row].tolist(),
                nodes.requested[:, row].tolist(),
                nodes.nonzero_requested[:, row].tolist(),
                nodes.allowed_pods[row],
                nodes.pod_counts[row],
            )
            for row in range(len(nodes))
        ]
        for row, number in enumerate(self.states.ids.tolist()):
            for other, another in enumerate(self.states.ids.tolist()):
                assert (number == another) == (amounts[row] == amounts[other])

    @invariant()
    def the_table_of_states_has_every_node_s_amounts(self) -> None:
        self.states.refresh()
        nodes = self.cache.nodes
        table = self.states.table(0, self.states.count)
        ids = self.states.ids
        assert (table.allocatable[:, ids] == nodes.allocatable).all()
        assert (table.requested[:, ids] == nodes.requested).all()
        assert (table.nonzero_requested[:, ids] == nodes.nonzero_requested).all()
        assert (table.allowed_pods[ids] == nodes.allowed_pods).all()
        assert (table.pod_counts[ids] == nodes.pod_counts).all()


TestStatesMachine = StatesMachine.TestCase
TestStatesMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_numbering_begins_anew_only_if_rows_or_resources_come_or_go() -> None:
    cache = empty_cache()
    states = NodeStates(cache.nodes)
    add_node(cache, "n")
    states.refresh()
    cache.add_pod(pod(cache, requests={"cpu": "1"}), "n")
    states.refresh()
    assert (states.ids.tolist(), states.count, states.epoch) == ([1], 2, 1)
    cache.update_node(node(cache, "n", allocatable={"cpu": "3", "x.com/new": "1"}))
    states.refresh()
    assert (states.ids.tolist(), states.count, states.epoch) == ([0], 1, 2)


def test_states_that_no_node_is_in_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states_module, "_LONG", 8)
    cache = empty_cache()
    states = NodeStates(cache.nodes)
    add_node(cache, "n", allocatable={"cpu": "100", "pods": "100"})
    for number in range(30):
        cache.add_pod(pod(cache, f"p{number}", requests={"cpu": "1"}), "n")
        states.refresh()
    assert states.count <= 10
