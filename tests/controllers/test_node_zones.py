"""How fast lost nodes are given up; the story was asked of a real 1.36.1 control plane."""

import pytest

from gpusched.controllers.node_zones import State, Zones, state_of
from gpusched.controllers.protocol import SECOND, Change
from gpusched.controllers.taints import UNREACHABLE, no_execute
from gpusched.sim.control_plane import ControlPlane
from tests.sim.builders import node, plane

ZONE = "topology.kubernetes.io/zone"


class Watch:
    """Notes when nodes get and lose their NoExecute taint, in seconds."""

    def __init__(self, built: ControlPlane) -> None:
        self._loop = built.loop
        self.given_up: list[tuple[str, int]] = []
        built.store.watch("Node", self._see)

    def _see(self, change: Change) -> None:
        if change.verb != "MODIFIED":
            return
        before, after = (bool(no_execute(item)) for item in (change.old, change.new))
        if after and not before:
            self.given_up.append((change.key[1], round(self._loop.now / SECOND)))


def seven() -> ControlPlane:
    """Return three nodes of group a, one of b, three of c; a KWOK process for each group."""
    names = ("a0", "a1", "a2", "b0", "c0", "c1", "c2")
    nodes = [node(name, kwok=name[0]) for name in names]
    return plane(*nodes, kwoks=("a", "b", "c"))


def test_lost_nodes_are_given_up_one_every_ten_seconds() -> None:
    built = seven()
    watch = Watch(built)
    built.kubelets["a"].stop()
    built.run(100 * SECOND)
    (first, second, third) = [at for _, at in watch.given_up]
    assert (second - first, third - second) == (10, 10)


def test_while_most_of_a_small_zone_is_lost_nothing_more_is_given_up() -> None:
    built = seven()
    watch = Watch(built)
    built.kubelets["a"].stop()
    built.run(100 * SECOND)
    built.kubelets["b"].stop()
    built.run(402 * SECOND)
    assert [name for name, _ in watch.given_up] == ["a0", "a1", "a2"]
    built.kubelets["a"].start()
    built.run(430 * SECOND)
    back, late = 405, [at for name, at in watch.given_up if name == "b0"]
    assert late == [back + 10], "the turn that was waited for is waited for anew"


def test_of_most_nodes_lost_at_once_only_those_noticed_first_are_given_up() -> None:
    built = seven()
    watch = Watch(built)
    built.run(2 * SECOND)
    built.kubelets["a"].stop()
    built.kubelets["b"].stop()
    built.run(1000 * SECOND)
    assert watch.given_up == [("a0", 50)], "it is missed five seconds before the others"
    lost = built.store.get("Node", "", "a1")
    assert lost is not None
    assert lost["spec"]["taints"] == [{"key": UNREACHABLE, "effect": "NoSchedule"}]


def test_a_zone_that_is_lost_whole_is_given_up_while_another_lives() -> None:
    nodes = [node(f"{zone}{i}", 8, **{"kwok": zone, ZONE: zone}) for zone in "ab" for i in range(3)]
    built = plane(*nodes, kwoks=("a", "b"))
    watch = Watch(built)
    built.kubelets["a"].stop()
    built.run(100 * SECOND)
    times = [at for _, at in watch.given_up]
    assert [at - times[0] for at in times] == [0, 10, 20]


@pytest.mark.parametrize(
    ("ready", "lost", "state"),
    [
        pytest.param(3, 2, State.NORMAL, id="two lost nodes are never most of a zone"),
        pytest.param(2, 3, State.PARTIAL, id="three of five are"),
        pytest.param(9, 11, State.PARTIAL, id="fifty-five per cent are most of a zone"),
        pytest.param(10, 12, State.NORMAL, id="a little less is not"),
        pytest.param(0, 1, State.FULL, id="the only node is the whole zone"),
        pytest.param(0, 0, State.NORMAL, id="nothing is lost where nothing is"),
    ],
)
def test_how_a_zone_is(ready: int, lost: int, state: State) -> None:
    assert state_of(ready, lost) is state


@pytest.mark.parametrize(
    ("size", "turns"),
    [
        pytest.param(50, 0, id="up to fifty nodes nobody is given up"),
        pytest.param(51, 4, id="in a larger zone one every hundred seconds, once the turn comes"),
    ],
)
def test_most_of_a_zone_lost(size: int, turns: int) -> None:
    nodes = [node(f"n{i}") for i in range(size)]
    zones = Zones()
    assert zones.admit(nodes[0], 0)
    zones.judge(nodes, {f"n{i}" for i in range(size - 10)}, 1)
    admitted = [second for second in range(1, 402) if zones.admit(nodes[0], second * SECOND)]
    assert len(admitted) == turns
    assert not zones.calm


def test_a_node_may_be_left_out_of_the_count() -> None:
    label = {"node.kubernetes.io/exclude-disruption": ""}
    zones = Zones()
    zones.judge([node("a", 8, **label), node("b", 8, **label), node("c")], {"a", "b"}, 0)
    assert zones.calm
