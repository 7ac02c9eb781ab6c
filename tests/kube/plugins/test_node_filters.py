"""NodeUnschedulable, NodeName, NodePorts, NodeDeclaredFeatures: whom they turn away, and why."""

from typing import Any

import numpy as np
import pytest

from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import Code, Rejection
from gpusched.kube.plugins.node_declared_features import NodeDeclaredFeatures, required_features
from gpusched.kube.plugins.node_name import NodeName
from gpusched.kube.plugins.node_ports import NodePorts
from gpusched.kube.plugins.node_unschedulable import NodeUnschedulable
from tests.cluster.builders import Json, add_node, container, empty_cache, node, pod

NEVER = Code.UNSCHEDULABLE_AND_UNRESOLVABLE
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def turned_away(rejections: Any, nodes: Nodes) -> dict[str, tuple[str, Code]]:
    """Return node -> (reason, code)."""
    found: dict[str, tuple[str, Code]] = {}
    for rejection in rejections:
        for row in np.flatnonzero(rejection.nodes).tolist():
            found[nodes.info(row).name] = rejection.reason, rejection.code
    return found


@pytest.mark.parametrize(
    ("tolerations", "fits"),
    [
        pytest.param([], False, id="an ordinary pod"),
        pytest.param([{**CORDON, "operator": "Exists"}], True, id="a pod that bears the cordon"),
        pytest.param([{"operator": "Exists"}], True, id="a pod that bears everything"),
        pytest.param([{**CORDON, "value": "x"}], False, id="a value that the cordon has not"),
    ],
)
def test_a_cordoned_node_takes_no_ordinary_pods(tolerations: list[Json], fits: bool) -> None:
    cache = empty_cache()
    add_node(cache, "open")
    add_node(cache, "cordoned", spec={"unschedulable": True})
    rejections = NodeUnschedulable().filter(
        CycleState(), pod(cache, tolerations=tolerations), cache.nodes
    )
    expected = {} if fits else {"cordoned": ("node(s) were unschedulable", NEVER)}
    assert turned_away(rejections, cache.nodes) == expected


def test_a_pod_that_names_its_node_fits_nowhere_else() -> None:
    cache = empty_cache()
    for name in "ab":
        add_node(cache, name)
    reason = "node(s) didn't match the requested node name", NEVER
    named = NodeName().filter(CycleState(), pod(cache, nodeName="b"), cache.nodes)
    assert turned_away(named, cache.nodes) == {"a": reason}
    gone = NodeName().filter(CycleState(), pod(cache, nodeName="gone"), cache.nodes)
    assert turned_away(gone, cache.nodes) == {"a": reason, "b": reason}
    assert not NodeName().filter(CycleState(), pod(cache), cache.nodes)


def with_port(cache: Any, name: str, port: int, **more: Any) -> PodInfo:
    return pod(cache, name, containers=[container(ports=[{"hostPort": port, **more}])])


@pytest.mark.parametrize(
    ("used", "wanted", "conflict"),
    [
        pytest.param({}, {}, True, id="the same port on any address"),
        pytest.param({"hostIP": "10.0.0.1"}, {}, True, id="any address wants one that is taken"),
        pytest.param({}, {"hostIP": "10.0.0.1"}, True, id="all addresses are taken"),
        pytest.param(
            {"hostIP": "10.0.0.1"}, {"hostIP": "10.0.0.2"}, False, id="two different addresses"
        ),
        pytest.param({"hostIP": "10.0.0.1"}, {"hostIP": "10.0.0.1"}, True, id="equal addresses"),
        pytest.param({"protocol": "UDP"}, {}, False, id="another protocol"),
        pytest.param({}, {"protocol": "TCP"}, True, id="TCP is the default"),
    ],
)
def test_two_pods_do_not_share_a_host_port(used: Json, wanted: Json, conflict: bool) -> None:
    cache = empty_cache()
    for name in "ab":
        add_node(cache, name)
    cache.add_pod(with_port(cache, "first", 80, **used), "a")
    plugin, state, second = NodePorts(), CycleState(), with_port(cache, "second", 80, **wanted)
    assert plugin.pre_filter(state, second, cache.snapshot()).status.is_success
    reason = "node(s) didn't have free ports for the requested pod ports"
    expected = {"a": (reason, Code.UNSCHEDULABLE)} if conflict else {}
    assert turned_away(plugin.filter(state, second, cache.nodes), cache.nodes) == expected


def test_ports_count_on_main_containers_and_sidecars_only() -> None:
    cache = empty_cache()
    snapshot = cache.snapshot()
    port = {"ports": [{"hostPort": 80}]}
    init, sidecar = {"name": "i", **port}, {"name": "i", "restartPolicy": "Always", **port}
    plugin = NodePorts()
    for containers, code in (([init], Code.SKIP), ([sidecar], Code.SUCCESS)):
        found = pod(cache, initContainers=containers)
        assert plugin.pre_filter(CycleState(), found, snapshot).status.code is code


def test_node_ports_without_its_pre_filter_is_an_error() -> None:
    cache = empty_cache()
    add_node(cache, "a")
    (rejection,) = NodePorts().filter(CycleState(), pod(cache), cache.nodes)
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.reason) == (
        Code.ERROR,
        'reading "PreFilterNodePorts" from cycleState: not found',
    )


def test_required_features_follow_from_the_spec() -> None:
    assert required_features(pod(empty_cache()).shape) == frozenset()


def test_a_pod_without_special_needs_asks_for_no_features() -> None:
    cache = empty_cache()
    add_node(cache, "a")
    plugin = NodeDeclaredFeatures()
    found = plugin.pre_filter(CycleState(), pod(cache), cache.snapshot())
    assert found.status.code is Code.SKIP
    (rejection,) = plugin.filter(CycleState(), pod(cache), cache.nodes)
    assert (rejection.code, rejection.reason) == (
        Code.ERROR,
        'error reading "PreFilterNodeDeclaredFeatures" from cycle-state: not found',
    )


def hint_of(plugin: Any, at: int) -> Any:
    return plugin.events_to_register()[at].hint


def test_uncordoning_wakes_but_a_mere_taint_change_does_not() -> None:
    cache = empty_cache()
    waiting = pod(cache)
    closed = node(cache, "n", spec={"unschedulable": True})
    opened = node(cache, "n")
    hint = hint_of(NodeUnschedulable(), 0)
    assert hint(waiting, Change(closed, opened, cache.snapshot()))
    assert hint(waiting, Change(None, opened, cache.snapshot()))
    assert not hint(waiting, Change(opened, opened, cache.snapshot()))
    assert not hint(waiting, Change(opened, closed, cache.snapshot()))


def test_a_deleted_pod_wakes_who_waits_for_its_port() -> None:
    cache = empty_cache()
    waiting, gone = with_port(cache, "w", 80), with_port(cache, "g", 80)
    other = with_port(cache, "o", 81)
    hint = hint_of(NodePorts(), 0)
    assert not hint(waiting, Change(gone, None, cache.snapshot()))
    gone.node_name = other.node_name = "n"
    assert hint(waiting, Change(gone, None, cache.snapshot()))
    assert not hint(waiting, Change(other, None, cache.snapshot()))
