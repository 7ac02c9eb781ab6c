"""The fast engine: what it forgets in time, and how little work it does."""

from collections.abc import Sequence

import numpy as np
import pytest

from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Result
from gpusched.kube.engine import ENGINES, FastEngine, VerifyEngine
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.status import Rejection
from tests.kube.engine.clusters import HOSTNAME, ZONE, Cluster
from tests.kube.engine.templates import OBJECTS, PODS, PROFILES


class Moody:
    """A filter that reads what no cache knows of."""

    name = "Moody"

    def __init__(self) -> None:
        self.refuses = True

    def filter(self, _state: CycleState, _pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        return [Rejection("moody", np.full(len(nodes), self.refuses))]


def one_of(cluster: Cluster, template: str) -> Result:
    return cluster.attempt(cluster.pod(template, PODS[template])).result


def test_a_pod_that_waits_for_a_volume_is_asked_again_once_there_is_one() -> None:
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n", labels={ZONE: "a"})
    cluster.put(OBJECTS["class"])
    cluster.put(OBJECTS["waiting claim"])
    assert one_of(cluster, "waiting volume") is Result.UNSCHEDULABLE
    cluster.put(OBJECTS["volume in a"])
    assert one_of(cluster, "waiting volume") is Result.SCHEDULED


def test_a_pod_that_waits_for_a_device_is_asked_again_once_there_is_one() -> None:
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n0")
    cluster.put(OBJECTS["device class for a resource"])
    assert one_of(cluster, "device") is Result.UNSCHEDULABLE
    cluster.put(OBJECTS["devices on n0"])
    assert one_of(cluster, "device") is Result.SCHEDULED


def test_a_pod_that_waits_for_a_claimed_device_is_asked_again_once_there_is_one() -> None:
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n0")
    cluster.put(OBJECTS["device class"])
    cluster.put(OBJECTS["claim for a device"])
    assert one_of(cluster, "claim") is Result.UNSCHEDULABLE
    cluster.put(OBJECTS["devices on n0"])
    assert one_of(cluster, "claim") is Result.SCHEDULED


def test_nodes_alike_in_amounts_differ_by_the_devices_that_stand_for_a_resource() -> None:
    cluster = Cluster(VerifyEngine, PROFILES["spares devices"])
    for name in ("n0", "n1"):
        cluster.put_node(name)
    for name in ("device class for a resource", "devices on n0", "devices on n1"):
        cluster.put(OBJECTS[name])
    cluster.attempts("device", PODS["device"], 4)
    assert sorted(each.node_name for each in cluster.pods.values()) == ["n0", "n1", "n1", "n1"]
    assert one_of(cluster, "device") is Result.UNSCHEDULABLE


def test_pods_that_come_later_are_seen_by_who_had_none_to_keep_away_from() -> None:
    cluster = Cluster(VerifyEngine)
    for name in ("n0", "n1"):
        cluster.put_node(name, labels={ZONE: "a"})
    cluster.attempts("rather far", PODS["rather far"], 2)
    cluster.attempts("web", PODS["web"], 3)
    cluster.attempts("rather far", PODS["rather far"], 2)


def test_a_pod_is_kept_away_by_the_second_of_two_alike_if_the_first_was_out_of_reach() -> None:
    """The first "far" pod is on a node without the topology key: it keeps nobody away."""
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n0", labels={HOSTNAME: "n0"})
    bare = cluster.pod("far", PODS["far"])
    cluster.cache.add_pod(bare, "nowhere")
    assert one_of(cluster, "web") is Result.SCHEDULED
    cluster.cache.remove_pod(next(iter(cluster.pods.values())))
    cluster.cache.add_pod(cluster.pod("far", PODS["far"]), "n0")
    assert one_of(cluster, "web") is Result.UNSCHEDULABLE


def test_a_failure_is_remembered_until_room_is_made() -> None:
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n")
    cluster.attempts("large", PODS["large"], 3)
    assert cluster.engine.statistics.attempts == {"fast": 1, "scan": 1, "remembered": 1}
    cluster.remove(next(iter(cluster.pods.values())))
    assert one_of(cluster, "large") is Result.SCHEDULED


def test_a_failure_is_not_remembered_where_a_user_s_own_filter_has_a_say() -> None:
    cluster = Cluster(VerifyEngine)
    cluster.put_node("n")
    moody = Moody()
    cluster.framework.filters.append(moody)  # type: ignore[attr-defined] # a list underneath
    assert one_of(cluster, "small") is Result.UNSCHEDULABLE
    moody.refuses = False
    assert one_of(cluster, "small") is Result.SCHEDULED


@pytest.mark.parametrize("nodes", [50, 1600])
@pytest.mark.parametrize(
    "template", ["small", "even zones", "near", "rather far", "rather even", "owned web"]
)
def test_the_work_per_pod_does_not_grow_with_the_number_of_nodes(template: str, nodes: int) -> None:
    """Counted in questions to plugins: one look at all nodes for the plan, then at states only."""
    cluster = Cluster(FastEngine)
    cluster.put(OBJECTS["replica set"])
    room = {"cpu": "64", "memory": "256Gi", "pods": "110"}
    for number in range(nodes):
        cluster.put_node(f"n{number}", labels={ZONE: "abc"[number % 3]}, allocatable=room)
    cluster.attempts("web", PODS["web"], 1)
    cluster.attempts(template, PODS[template], 2)  # the first one with affinity changes a lot
    before = cluster.engine.statistics.evaluations
    cluster.attempts(template, PODS[template], 100)
    assert cluster.engine.statistics.attempts == {"fast": 103}
    assert cluster.engine.statistics.evaluations - before <= 100


def test_what_cannot_go_anywhere_costs_one_scan_for_all_its_replicas() -> None:
    cluster = Cluster(FastEngine)
    for number in range(200):
        cluster.put_node(f"n{number}")
    cluster.attempts("too large", PODS["too large"], 50)
    statistics = cluster.engine.statistics
    assert statistics.attempts == {"scan": 1, "remembered": 49}
    assert statistics.evaluations <= 3 * 200


@pytest.mark.parametrize("engine", ["scan", "fast"])
@pytest.mark.parametrize("template", ["idle", "too large", "picky"])
@pytest.mark.parametrize(
    ("gone", "order"),
    [
        pytest.param([], ["n0", "n2", "n1"], id="none missed: the old places"),
        pytest.param(["n0"], ["n0", "n1", "n2"], id="one missed: all anew"),
        pytest.param(["n0", "n1", "n2"], ["n0", "n1", "n2"], id="all missed: all anew"),
    ],
)
def test_each_attempt_whatever_comes_of_it_takes_note_of_the_nodes_there_are(
    engine: str, template: str, gone: list[str], order: list[str]
) -> None:
    """All nodes are deleted and created again without zones; some are missed by an attempt."""
    cluster = Cluster(ENGINES[engine])
    for name, zone in {"n0": "a", "n1": "a", "n2": "b"}.items():
        cluster.put_node(name, labels={ZONE: zone})
    one_of(cluster, template)
    for name in gone:
        cluster.cache.remove_node(name)
    one_of(cluster, template)
    for name in {"n0", "n1", "n2"} - set(gone):
        cluster.cache.remove_node(name)
    for name in ("n0", "n1", "n2"):
        cluster.put_node(name)
    one_of(cluster, template)
    rows = cluster.cache.order().tolist()
    assert [cluster.cache.nodes.info(row).name for row in rows] == order


@pytest.mark.parametrize("bare", [set(), {100}, {100, 101, 102}, {99}, {5, 100, 199}, {0, 199}])
def test_a_search_ends_at_the_first_node_that_fits_and_is_not_wanted(bare: set[int]) -> None:
    """A hundred of two hundred nodes are wanted; the ones that do not fit behind them count."""
    cluster = Cluster(VerifyEngine)
    cluster.percentage = 0
    for number in range(200):
        room = {"cpu": "0"} if number in bare else {"cpu": "4"}
        cluster.put_node(f"n{number}", allocatable=room)
    cluster.attempts("small", PODS["small"], 12)


@pytest.mark.parametrize("small", [0, 2048], ids=["boards", "glances"])
def test_windows_grow_until_enough_nodes_are_open(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zones close and open again as pods come: how far a search reaches changes all the time."""
    monkeypatch.setattr("gpusched.kube.engine.fast._SMALL", small)
    cluster = Cluster(VerifyEngine)
    cluster.percentage = 0
    for number in range(330):
        room = {"cpu": "64", "pods": str(number % 7)}
        cluster.put_node(f"n{number}", labels={ZONE: "abc"[number % 3]}, allocatable=room)
    for at in range(40):
        template = ("even zones", "small", "near", "web")[at % 4]
        cluster.attempt(cluster.pod(template, PODS[template]))
        if at % 9 == 8:
            cluster.remove(cluster.pods[min(cluster.pods)])


def test_plans_that_are_too_many_to_keep_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpusched.kube.engine.fast._MOST_CELLS", 10)
    cluster = Cluster(VerifyEngine)
    for number in range(5):
        cluster.put_node(f"n{number}", allocatable={"cpu": "20", "memory": "64Gi", "pods": "40"})
    for at in range(30):
        template = ("small", "large", "idle")[at % 3]
        cluster.attempt(cluster.pod(template, PODS[template]))
    assert cluster.engine.statistics.evaluations >= 9 * 5


@pytest.mark.parametrize(
    ("point", "plugin", "template"),
    [
        pytest.param("preFilter", "PodTopologySpread", "even zones", id="spread does not count"),
        pytest.param("preFilter", "InterPodAffinity", "near", id="affinity does not look around"),
        pytest.param("preFilter", "NodeResourcesFit", "small", id="fit does not add up"),
        pytest.param("preFilter", "NodeAffinity", "small", id="node affinity does not prepare"),
        pytest.param("preFilter", "NodePorts", "web", id="ports are not gathered"),
        pytest.param("preScore", "PodTopologySpread", "even zones", id="spread does not weigh"),
        pytest.param("preScore", "TaintToleration", "small", id="taints are not prepared for"),
    ],
)
def test_a_plugin_that_is_not_asked_to_prepare_is_one_for_the_scan(
    point: str, plugin: str, template: str
) -> None:
    """Filter fails, or Score does; a profile may be as odd as that."""
    switched_off = {"plugins": {point: {"disabled": [{"name": plugin}]}}}
    cluster = Cluster(VerifyEngine, switched_off)
    for number in range(4):
        cluster.put_node(f"n{number}", labels={ZONE: "ab"[number % 2]}, allocatable={"cpu": "4"})
    cluster.attempts(template, PODS[template], 3)
    assert set(cluster.engine.statistics.fallbacks) == {"plugins that are not prepared"}
