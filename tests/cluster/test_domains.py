"""Counting pods by topology domain."""

import numpy as np
import pytest

from gpusched.cluster.domains import DomainCounts, has_label, per_node
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Nodes, NodeState
from gpusched.cluster.placement import Placement
from gpusched.cluster.resources import ResourceNames


def info(name: str, labels: dict[str, str]) -> NodeInfo:
    return NodeInfo(
        name=name,
        labels=labels,
        taints=(),
        unschedulable=False,
        allocatable=(),
        allowed_pods=110,
        images={},
        features=frozenset(),
        zone="",
    )


def table(*zones: str | None) -> Nodes:
    nodes = Nodes(ResourceNames())
    for at, zone in enumerate(zones):
        nodes.append(NodeState(info(f"n{at}", {} if zone is None else {"zone": zone})))
    return nodes


ZONES = ("a", "b", None, "a")


def counted() -> tuple[Nodes, DomainCounts]:
    nodes = table(*ZONES)
    return nodes, DomainCounts.of_pods("zone", nodes, np.array([1, 2, 4, 8], np.int64))


def placement(**counts: NodeState) -> Placement:
    found = Placement()
    for count, state in counts.items():
        found.change(state, int(count.lstrip("n")))
    return found


def test_pods_on_ghosts_have_no_row() -> None:
    nodes = table("a", "b")
    placed = placement(n2=nodes.states[1], n5=NodeState(None))
    assert placed.column(nodes).tolist() == [0, 2]
    assert per_node(nodes, [placed, placement(n1=nodes.states[1])]).tolist() == [0, 3]


def test_a_column_follows_pods_and_rows() -> None:
    nodes = table("a", "b", "c")
    placed = placement(n2=nodes.states[1])
    assert placed.column(nodes).tolist() == [0, 2, 0]
    placed.change(nodes.states[2], 1)
    placed.change(nodes.states[1], -2)
    assert placed.column(nodes).tolist() == [0, 0, 1]
    nodes.delete(nodes.states[0])
    assert placed.column(nodes).tolist() == [0, 1]
    nodes.append(NodeState(info("new", {})))
    placed.change(nodes.states[2], 3)
    assert placed.column(nodes).tolist() == [0, 1, 3]


def test_counts_are_sums_over_nodes_that_share_a_value() -> None:
    nodes, counts = counted()
    assert counts.at(nodes).tolist() == [9, 2, 0, 9]
    assert has_label(nodes, "zone").tolist() == [True, True, False, True]
    assert (counts.total(), counts.of("a"), counts.of("c"), counts.of(None)) == (11, 9, 0, 0)


def test_a_change_shows_in_the_whole_domain_and_not_in_the_original() -> None:
    nodes, counts = counted()
    dry = counts.clone()
    dry.change({"zone": "a"}, -3)
    dry.change({"other": "a"}, 100)
    assert (dry.at(nodes).tolist(), dry.total()) == ([6, 2, 0, 6], 8)
    assert dry.at(nodes.copy_row(3)).tolist() == [6]
    assert counts.at(nodes).tolist() == [9, 2, 0, 9]
    dry.change({"zone": "a"}, 3)
    assert dry.changes == {}


@pytest.mark.parametrize(("zone", "expected"), [("b", 2), (None, 0), ("new", 0)])
def test_counts_can_be_read_for_another_table_of_nodes(zone: str | None, expected: int) -> None:
    _, counts = counted()
    assert counts.at(table(zone)).tolist() == [expected]
    assert counts.at(table("a", zone)).tolist() == [9, expected]


def test_counts_of_nothing_take_changes() -> None:
    nodes = table(*ZONES)
    counts = DomainCounts("zone")
    counts.change({"zone": "b"}, 2)
    assert (counts.at(nodes).tolist(), counts.total()) == ([0, 2, 0, 0], 2)
