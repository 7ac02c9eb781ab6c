"""PodTopologySpread: what it turns away, how it scores, what it waits for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.api.config import PodTopologySpreadArgs
from gpusched.api.core import Service
from gpusched.api.workloads import ReplicaSet, ReplicationController, StatefulSet
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, ClusterEvent, EventResource
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.pod_topology_spread import PodTopologySpread
from gpusched.kube.plugins.pod_topology_spread.constraints import Defaults
from gpusched.kube.plugins.pod_topology_spread.filtering import SpreadState
from tests.kube.plugins.worlds import HOSTNAME, ZONE, Json, World

SKEWED = ("node(s) didn't match pod topology spread constraints", "Unschedulable")
NO_LABEL = (
    "node(s) didn't match pod topology spread constraints (missing required label)",
    "UnschedulableAndUnresolvable",
)
WEB = {"matchLabels": {"app": "web"}}
SYSTEM = PodTopologySpread(Defaults())


def constraint(key: str = ZONE, skew: int = 1, **more: Any) -> Json:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": WEB,
        **more,
    }


def soft(key: str = ZONE, skew: int = 1, **more: Any) -> Json:
    return constraint(key, skew, whenUnsatisfiable="ScheduleAnyway", **more)


def spread(*constraints: Json, **spec: Any) -> Json:
    return {"topologySpreadConstraints": list(constraints), **spec}


def world_of(pods: dict[str, int], zones: dict[str, str | None]) -> World:
    """Return a world with so many web pods on each node."""
    world = World()
    world.nodes(zones)
    for node, count in pods.items():
        for number in range(count):
            world.placed(f"{node}-{number}", node, labels={"app": "web"})
    return world


def filtered(world: World, pod: PodInfo) -> dict[str, tuple[str, str]]:
    state = CycleState()
    assert SYSTEM.pre_filter(state, pod, world.snapshot).status.is_success
    return world.turned_away(SYSTEM.filter(state, pod, world.snapshot.nodes))


TWO_ZONES: dict[str, str | None] = {"a1": "a", "a2": "a", "b1": "b"}

FILTER_CASES = [
    pytest.param(
        {"a1": 1},
        [constraint()],
        {"a1": SKEWED, "a2": SKEWED},
        id="a whole zone is turned away when it has one pod more than the emptiest",
    ),
    pytest.param(
        {"a1": 1}, [constraint(skew=2)], {}, id="a skew of two leaves room for one pod more"
    ),
    pytest.param({"a1": 1, "b1": 1}, [constraint()], {}, id="equally filled zones are open to all"),
    pytest.param(
        {"a1": 1, "b1": 1},
        [constraint(minDomains=3)],
        {"a1": SKEWED, "a2": SKEWED, "b1": SKEWED},
        id="with fewer domains than minDomains the emptiest counts as empty",
    ),
    pytest.param(
        {"a1": 1, "b1": 1}, [constraint(minDomains=2)], {}, id="just enough domains are enough"
    ),
    pytest.param(
        {"a1": 5}, [constraint(labelSelector={})], {}, id="an empty selector counts no pods"
    ),
    pytest.param({"a1": 5}, [constraint(labelSelector=None)], {}, id="no selector matches nobody"),
    pytest.param(
        {"a1": 1, "a2": 1},
        [constraint(), constraint(HOSTNAME)],
        {"a1": SKEWED, "a2": SKEWED},
        id="a node is turned away once, by the first constraint that it breaks",
    ),
    pytest.param(
        {"a1": 2, "b1": 1},
        [constraint(matchLabelKeys=["ver", "absent"])],
        {},
        id="the keys of matchLabelKeys that the pod has narrow the selector",
    ),
]


@pytest.mark.parametrize(("pods", "constraints", "expected"), FILTER_CASES)
def test_filter_turns_away(
    pods: dict[str, int], constraints: list[Json], expected: dict[str, tuple[str, str]]
) -> None:
    world = world_of(pods, TWO_ZONES)
    pod = world.pod("new", spread(*constraints), labels={"app": "web", "ver": "v1"})
    assert filtered(world, pod) == expected


def test_a_node_without_the_topology_key_is_beyond_help_and_counts_for_nothing() -> None:
    world = world_of({"a1": 1, "lost": 5}, {"a1": "a", "lost": None, "b1": "b"})
    pod = world.pod("new", spread(constraint()), labels={"app": "web"})
    assert filtered(world, pod) == {"a1": SKEWED, "lost": NO_LABEL}


def test_a_node_lacking_one_key_counts_for_no_constraint() -> None:
    world = world_of({"bare": 3, "b1": 1}, {"bare": None, "b1": "b", "c1": "c"})
    pod = world.pod("new", spread(constraint(), constraint(HOSTNAME)), labels={"app": "web"})
    assert filtered(world, pod) == {"b1": SKEWED, "bare": NO_LABEL}


def test_terminating_pods_and_other_namespaces_do_not_count() -> None:
    world = world_of({}, TWO_ZONES)
    world.placed("a", "a1", labels={"app": "web"}, deletionTimestamp="2026-01-01T00:00:00Z")
    world.placed("b", "a1", labels={"app": "web"}, namespace="other")
    assert filtered(world, world.pod("p", spread(constraint()), labels={"app": "web"})) == {}


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param({}, {}, id="by default nodes outside the node selector do not count"),
        pytest.param(
            {"nodeAffinityPolicy": "Ignore"},
            {"a1": SKEWED},
            id="with affinity ignored the empty zone outside counts",
        ),
    ],
)
def test_node_affinity_policy(policies: Json, expected: dict[str, tuple[str, str]]) -> None:
    world = world_of({"a1": 1}, {"a1": "a", "b1": "b"})
    spec = spread(constraint(**policies), nodeSelector={HOSTNAME: "a1"})
    assert filtered(world, world.pod("p", spec, labels={"app": "web"})) == expected


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param({}, {"a1": SKEWED}, id="by default tainted nodes count"),
        pytest.param({"nodeTaintsPolicy": "Honor"}, {}, id="honoured taints keep the zone out"),
    ],
)
def test_node_taints_policy(policies: Json, expected: dict[str, tuple[str, str]]) -> None:
    world = world_of({"a1": 1}, {"a1": "a"})
    taints = {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}
    world.cache.add_node(world.node_info("b1", {ZONE: "b"}, taints))
    pod = world.pod("p", spread(constraint(**policies)), labels={"app": "web"})
    assert filtered(world, pod) == expected


def test_without_any_domain_every_node_passes() -> None:
    world = world_of({"a1": 3}, {"a1": "a"})
    spec = spread(constraint(), nodeSelector={HOSTNAME: "nowhere"})
    assert filtered(world, world.pod("p", spec, labels={"app": "web"})) == {}


def test_pre_filter_skips_pods_without_hard_constraints() -> None:
    world = world_of({}, TWO_ZONES)
    pod = world.pod("p", spread(soft()))
    assert SYSTEM.pre_filter(CycleState(), pod, world.snapshot).status.code is Code.SKIP


def test_a_dry_run_counts_what_pre_filter_leaves_out() -> None:
    """An empty selector and a terminating pod count in AddPod and RemovePod."""
    world = world_of({"a1": 1}, {"a1": "a", "b1": "b"})
    pod = world.pod("p", spread(constraint(labelSelector={})))
    state = CycleState()
    SYSTEM.pre_filter(state, pod, world.snapshot)
    leaving = world.pod("t", deletionTimestamp="2026-01-01T00:00:00Z")
    node = world.snapshot.nodes.copy_row(world.copy_of("a1"))
    assert SYSTEM.add_pod(state, pod, leaving, node).is_success
    assert [r.reason for r in SYSTEM.filter(state, pod, node) if r.nodes.any()] == [SKEWED[0]]


def test_extension_points_without_their_data_are_errors() -> None:
    world = world_of({}, TWO_ZONES)
    pod, state, nodes = world.pod("p"), CycleState(), world.snapshot.nodes
    (rejection,) = SYSTEM.filter(state, pod, nodes)
    text = 'reading "PreFilterPodTopologySpread" from cycleState: not found'
    assert (rejection.reason, rejection.code, bool(rejection.nodes.all())) == (
        text,
        Code.ERROR,
        True,
    )
    assert SYSTEM.add_pod(state, pod, pod, nodes.copy_row(0)).message == text
    score = SYSTEM.score(state, pod, world.snapshot, world.rows("a1"))
    assert isinstance(score, Status)
    assert score.message == ('error reading "PreScorePodTopologySpread" from cycleState: not found')


def scored(
    world: World, pod: PodInfo, plugin: PodTopologySpread, *names: str
) -> tuple[list[int], list[int]] | None:
    """Return raw and normalised scores, or None if scoring is skipped."""
    state, rows = CycleState(), world.rows(*names)
    if plugin.pre_score(state, pod, world.snapshot, rows).code is Code.SKIP:
        return None
    raw = plugin.score(state, pod, world.snapshot, rows)
    assert isinstance(raw, np.ndarray)
    return raw.tolist(), plugin.normalize_score(state, pod, raw).tolist()


def test_the_worked_example_of_two_zones() -> None:
    world = world_of({"a1": 2}, {"a1": "a", "b1": "b"})
    pod = world.pod("p", spread(soft()))
    assert scored(world, pod, SYSTEM, "a1", "b1") == ([3, 0], [0, 100])


def test_hostname_counts_each_node_by_itself_and_skew_is_added() -> None:
    world = world_of({"a1": 2, "a2": 1}, TWO_ZONES)
    pod = world.pod("p", spread(soft(HOSTNAME, skew=3)))
    # ln(3 nodes + 2) = 1.609…: 2 * 1.609 + 2 = 5.2, 1.609 + 2 = 3.6, 2
    assert scored(world, pod, SYSTEM, "a1", "a2", "b1") == ([5, 4, 2], [40, 60, 100])


def test_rows_without_a_key_get_nothing_and_do_not_count_as_nodes() -> None:
    world = world_of({"a1": 1, "lost": 9}, {"a1": "a", "b1": "b", "lost": None})
    pod = world.pod("p", spread(soft(), soft(HOSTNAME)))
    # Two zones and two hosts: ln 4 + ln 4 = 2.77
    assert scored(world, pod, SYSTEM, "a1", "lost", "b1") == ([3, 0, 0], [0, 0, 100])


def test_a_zone_counts_the_pods_of_all_its_nodes() -> None:
    world = world_of({"a1": 1, "a2": 1}, TWO_ZONES)
    pod = world.pod("p", spread(soft()))
    # ln(2 zones + 2) = 1.386…, times 2
    assert scored(world, pod, SYSTEM, "a1", "a2", "b1") == ([3, 3, 0], [0, 0, 100])


def test_nodes_outside_the_policies_or_without_all_keys_are_not_counted_for_scores() -> None:
    zones: dict[str, str | None] = {"a1": "a", "a2": "a", "b1": "b"}
    world = world_of({"a1": 1, "a2": 5}, zones)
    world.cache.add_node(replace(world.node_info("a3", {}), labels={ZONE: "a"}))
    for number in range(5):
        world.placed(f"more-{number}", "a3", labels={"app": "web"})
    selector = {HOSTNAME: "a1"}
    pod = world.pod("p", spread(soft(), soft(HOSTNAME, skew=2), nodeSelector=selector))
    # One web pod counts in zone a: ln 4 = 1.386; hosts: 1.386 * pods + 1
    assert scored(world, pod, SYSTEM, "a1", "b1") == ([4, 1], [25, 100])


def test_all_scores_zero_are_all_best() -> None:
    world = world_of({}, TWO_ZONES)
    assert scored(world, world.pod("p", spread(soft())), SYSTEM, "a1", "b1") == ([0, 0], [100, 100])


def service(selector: Json) -> Service:
    obj = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": selector}}
    return Service.model_validate(obj)


def test_system_defaults_score_pods_of_a_service_even_on_nodes_without_a_zone() -> None:
    world = world_of({"a1": 1, "lost": 1}, {"a1": "a", "lost": None, "b1": "b"})
    world.objects.services.put(("default", "s"), service({"app": "web"}))
    pod = world.pod("p", labels={"app": "web"})
    # hostname: ln 5 * pods + 2; zone ("a", "b" and "none"): ln 5 * pods + 4, none on "lost"
    assert scored(world, pod, SYSTEM, "a1", "b1", "lost") == ([9, 6, 4], [44, 77, 100])


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        pytest.param({"app": "db"}, {"app": "web"}, id="a service that selects other pods"),
        pytest.param({}, {"app": "web"}, id="a service that selects by nothing"),
        pytest.param(None, {"app": "web"}, id="a service without a selector"),
    ],
)
def test_defaults_need_a_selector_from_services_or_owners(selector: Json, labels: Json) -> None:
    world = world_of({}, TWO_ZONES)
    world.objects.services.put(("default", "s"), service(selector))
    assert scored(world, world.pod("p", labels=labels), SYSTEM, "a1", "b1") is None


LIST = PodTopologySpread.create(
    PodTopologySpreadArgs(
        "List", ({k: v for k, v in constraint().items() if k != "labelSelector"},)
    )
)
OWNERS = [
    pytest.param("apps/v1", "ReplicaSet", WEB, True, id="a ReplicaSet's selector"),
    pytest.param("apps/v1", "StatefulSet", WEB, True, id="a StatefulSet's selector"),
    pytest.param("v1", "ReplicationController", {"app": "web"}, True, id="a controller's map"),
    pytest.param("apps/v1", "ReplicaSet", None, False, id="an owner that selects nothing"),
    pytest.param("batch/v1", "Job", WEB, False, id="another kind of owner"),
]


@pytest.mark.parametrize(("version", "kind", "selector", "spreads"), OWNERS)
@pytest.mark.parametrize("exists", [True, False], ids=["that exists", "that is gone"])
def test_list_defaults_filter_by_what_the_owner_selects(
    version: str, kind: str, selector: Json | None, spreads: bool, exists: bool
) -> None:
    world = world_of({"a1": 1}, {"a1": "a", "b1": "b"})
    obj = {"metadata": {"name": "o", "namespace": "default"}, "spec": {"selector": selector}}
    if exists and kind == "ReplicaSet":
        world.objects.replica_sets.put(("default", "o"), ReplicaSet.model_validate(obj))
    if exists and kind == "StatefulSet":
        world.objects.stateful_sets.put(("default", "o"), StatefulSet.model_validate(obj))
    if exists and kind == "ReplicationController":
        controller = ReplicationController.model_validate(obj)
        world.objects.replication_controllers.put(("default", "o"), controller)
    owner = {"apiVersion": version, "kind": kind, "name": "o", "controller": True}
    pod = world.pod("p", labels={"app": "web"}, ownerReferences=[owner])
    state = CycleState()
    skipped = LIST.pre_filter(state, pod, world.snapshot).status.code is Code.SKIP
    assert skipped is not (spreads and exists)
    if not skipped:
        rejections = LIST.filter(state, pod, world.snapshot.nodes)
        assert world.turned_away(rejections) == {"a1": SKEWED}


def test_a_replication_controller_adds_to_what_services_select() -> None:
    world = world_of({"a1": 1}, {"a1": "a", "b1": "b"})
    world.objects.services.put(("default", "s"), service({"app": "web"}))
    obj = {"metadata": {"name": "o", "namespace": "default"}, "spec": {"selector": {"v": "1"}}}
    controller = ReplicationController.model_validate(obj)
    world.objects.replication_controllers.put(("default", "o"), controller)
    owner = {"apiVersion": "v1", "kind": "ReplicationController", "name": "o", "controller": True}
    pod = world.pod("p", labels={"app": "web", "v": "1"}, ownerReferences=[owner])
    state = CycleState()
    assert LIST.pre_filter(state, pod, world.snapshot).status.is_success
    assert world.turned_away(LIST.filter(state, pod, world.snapshot.nodes)) == {}


def test_without_arguments_the_defaults_are_the_built_in_ones() -> None:
    assert PodTopologySpread.create(None) == SYSTEM


def hinted(world: World, kind: int, pod: PodInfo, old: Any, new: Any) -> bool:
    hint = SYSTEM.events_to_register()[kind].hint
    assert hint is not None
    return hint(pod, world.change(old, new))


def test_hints_for_pods() -> None:
    world = world_of({}, TWO_ZONES)
    honours = spread(constraint(nodeTaintsPolicy="Honor"), constraint(HOSTNAME))
    waiting = world.pod("p", honours)
    tolerant = world.pod("p", {**honours, "tolerations": [{"operator": "Exists"}]})
    web = world.placed("w", "a1", labels={"app": "web"})
    database = world.placed("w", "a1", labels={"app": "db"})
    pending = world.pod("x", labels={"app": "web"})
    elsewhere = world.placed("y", "a1", labels={"app": "web"}, namespace="other")
    expected = {
        "a matching pod comes": (None, web, True),
        "a matching pod goes": (web, None, True),
        "another pod comes": (None, database, False),
        "a pod without a place comes": (None, pending, False),
        "a pod of another namespace goes": (elsewhere, None, False),
        "a relabelled pod matches now": (database, web, True),
        "a pod without a place was a matching one": (web, world.pod("x"), False),
        "a pod stays as it is": (web, web, False),
        "the pod itself tolerates more": (waiting, tolerant, True),
    }
    found = {what: hinted(world, 0, waiting, old, new) for what, (old, new, _) in expected.items()}
    assert found == {what: queued for what, (_, _, queued) in expected.items()}


def test_the_events_that_may_cure_a_rejection() -> None:
    assert [registration.event for registration in SYSTEM.events_to_register()] == [
        ClusterEvent(
            EventResource.POD,
            Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL | Action.UPDATE_POD_TOLERATION,
        ),
        ClusterEvent(
            EventResource.NODE,
            Action.ADD | Action.DELETE | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_TAINT,
        ),
    ]


def test_hints_for_nodes() -> None:
    world = world_of({}, {})
    waiting = world.pod("p", spread(constraint(), constraint(HOSTNAME)))
    a, b = world.node_info("n", {ZONE: "a"}), world.node_info("n", {ZONE: "b"})
    none, other = world.node_info("n", {}), world.node_info("n", {ZONE: "a", "disk": "ssd"})
    tainted = world.node_info("n", {ZONE: "a"}, {"taints": [{"key": "k", "effect": "NoSchedule"}]})
    expected = {
        "a node with the key comes": (None, a, True),
        "a node with the key goes": (a, None, True),
        "a node without the key comes": (None, none, False),
        "a node gets the key": (none, a, True),
        "a node loses the key": (a, none, True),
        "a node moves": (a, b, True),
        "another label changes": (a, other, False),
        "taints change": (a, tainted, True),
    }
    found = {what: hinted(world, 1, waiting, old, new) for what, (old, new, _) in expected.items()}
    assert found == {what: queued for what, (_, _, queued) in expected.items()}


counts = st.dictionaries(st.sampled_from(["a1", "a2", "b1"]), st.integers(0, 3))
chosen = st.lists(
    st.builds(
        constraint,
        st.sampled_from([ZONE, HOSTNAME]),
        st.integers(1, 3),
        minDomains=st.integers(1, 4),
    ),
    min_size=1,
    max_size=3,
)


def tables(state: SpreadState) -> list[list[int]]:
    return [spread.pods.table().tolist() for spread in state.spreads]


def leasts(state: SpreadState) -> list[int]:
    return [spread.least() for spread in state.spreads]


@pytest.mark.property
@settings(deadline=None)
@given(counts, chosen, st.sampled_from(["a1", "b1"]), st.sampled_from(["web", "db"]))
def test_adding_a_pod_is_what_counting_anew_gives_and_removing_it_undoes_it(
    pods: dict[str, int], constraints: list[Json], node: str, app: str
) -> None:
    world = world_of(pods, TWO_ZONES)
    pod = world.pod("new", spread(*constraints), labels={"app": "web"})
    state = CycleState()
    SYSTEM.pre_filter(state, pod, world.snapshot)
    counted = state.read("PreFilterPodTopologySpread")
    assert isinstance(counted, SpreadState)
    before = tables(counted)
    dry, one = state.clone(), world.snapshot.nodes.copy_row(world.copy_of(node))
    other = world.pod("other", labels={"app": app})
    SYSTEM.add_pod(dry, pod, other, one)
    assert tables(counted) == before, "the attempt's own data must not change"
    world.cache.add_pod(other, node)
    again = CycleState()
    SYSTEM.pre_filter(again, pod, world.snapshot)
    changed, recount = (s.read("PreFilterPodTopologySpread") for s in (dry, again))
    assert isinstance(changed, SpreadState)
    assert isinstance(recount, SpreadState)
    assert tables(changed) == tables(recount)
    assert leasts(changed) == leasts(recount)
    SYSTEM.remove_pod(dry, pod, other, one)
    assert tables(changed) == before
    assert all(not spread.pods.changes for spread in changed.spreads)
    SYSTEM.remove_pod(again, pod, other, one)
    assert (tables(recount), leasts(recount)) == (before, leasts(counted))
