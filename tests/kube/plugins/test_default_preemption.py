"""DefaultPreemption: who may preempt, whose pods go, and which node is taken."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.api.config import DefaultPreemptionArgs
from gpusched.api.policy import PodDisruptionBudget
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Attempt
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import PostFilterResult, Victims
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.kube.plugins.default_preemption.budgets import compile_budgets, split_by_budgets
from gpusched.kube.plugins.default_preemption.choice import best_candidates
from gpusched.kube.plugins.default_preemption.victims import by_importance, select_victims
from tests.kube.plugins.worlds import ZONE, Json, World, cpu

PLUGINS = (
    "NodeUnschedulable",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
    "DefaultPreemption",
)
EVICTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "PreemptionByScheduler",
}


def full_world(*pods: tuple[str, str, int, str]) -> World:
    """Return two nodes of 4 cpus with pods given as (name, node, priority, cpu)."""
    world = World()
    world.nodes({"n1": "a", "n2": "b"})
    for name, node, priority, amount in pods:
        world.placed(name, node, cpu(amount, priority=priority), labels={"app": name})
    return world


def preemptor(world: World, amount: str, priority: int = 100, **more: Any) -> PodInfo:
    return world.pod("p", cpu(amount, priority=priority, **more.pop("spec", {})), **more)


def outcome(attempt: Attempt) -> PostFilterResult:
    assert attempt.post_filter is not None
    return attempt.post_filter


def tried(world: World, pod: PodInfo) -> PostFilterResult:
    return outcome(world.attempt(world.framework(*PLUGINS), pod))


def names(pods: Iterable[PodInfo]) -> list[str]:
    return [pod.name for pod in pods]


def found(world: World, pod: PodInfo) -> dict[str, list[str]]:
    """Return node -> victims of all best candidates."""
    return {c.node: names(c.pods) for c in tried(world, pod).candidates}


def test_the_least_important_pod_makes_room() -> None:
    world = full_world(("high", "n1", 10, "2"), ("low", "n1", 0, "2"), ("top", "n2", 100, "4"))
    result = tried(world, preemptor(world, "2"))
    assert (result.status.code, result.nominated_node) == (Code.SUCCESS, "n1")
    assert [(c.node, names(c.pods), c.violations) for c in result.candidates] == [
        ("n1", ["low"], 0)
    ]


def test_reprieve_is_greedy_by_importance() -> None:
    """The big important pod stays although the small ones would be fewer."""
    world = full_world(("top", "n2", 100, "4"), *[(f"s{i}", "n1", 0, "1") for i in range(3)])
    world.placed("big", "n1", cpu("1", priority=5))
    assert found(world, preemptor(world, "3")) == {"n1": ["s0", "s1", "s2"]}


def test_nodes_that_tie_are_all_reported() -> None:
    world = full_world(("a", "n1", 0, "4"), ("b", "n2", 0, "4"))
    assert found(world, preemptor(world, "2")) == {"n1": ["a"], "n2": ["b"]}


def test_a_terminating_pod_is_a_victim_like_others() -> None:
    world = full_world(("top", "n2", 100, "4"))
    gone = "2026-01-01T00:00:00Z"
    world.placed("leaving", "n1", cpu("4", priority=0), deletionTimestamp=gone)
    assert found(world, preemptor(world, "4")) == {"n1": ["leaving"]}


MESSAGES = [
    pytest.param(
        [("top", "n1", 100, "4"), ("low", "n2", 0, "1")],
        "5",
        {},
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        "",
        id="a request beyond all nodes is beyond help and clears the nomination",
    ),
    pytest.param(
        [("top", "n1", 100, "4"), ("high", "n2", 100, "2"), ("low", "n2", 0, "2")],
        "3",
        {},
        "preemption: 0/2 nodes are available: 1 Insufficient cpu, "
        "1 No preemption victims found for incoming pod.",
        "",
        id="each node says why its dry run failed",
    ),
    pytest.param(
        [("a", "n1", 0, "4"), ("b", "n2", 0, "4")],
        "1",
        {"spec": {"preemptionPolicy": "Never"}},
        "preemption: not eligible due to preemptionPolicy=Never.",
        None,
        id="a pod that never preempts keeps its nomination",
    ),
]


@pytest.mark.parametrize(("pods", "amount", "more", "message", "nomination"), MESSAGES)
def test_messages(
    pods: list[tuple[str, str, int, str]],
    amount: str,
    more: dict[str, Any],
    message: str,
    nomination: str | None,
) -> None:
    world = full_world(*pods)
    result = tried(world, preemptor(world, amount, **more))
    assert (result.status.code, result.status.message) == (Code.UNSCHEDULABLE, message)
    assert (result.nominated_node, result.candidates) == (nomination, ())


@pytest.mark.parametrize(
    ("conditions", "cordoned", "waits"),
    [
        pytest.param([EVICTED], False, True, id="a victim that is still there is waited for"),
        pytest.param([], False, False, id="a pod that leaves for another reason is not"),
        pytest.param(
            [{**EVICTED, "reason": "EvictionByEvictionAPI"}, EVICTED],
            False,
            False,
            id="only the first DisruptionTarget condition counts",
        ),
        pytest.param([EVICTED], True, False, id="nor is a victim on a node that became useless"),
    ],
)
def test_a_pod_with_a_nomination(conditions: list[Json], cordoned: bool, waits: bool) -> None:
    world = full_world(("low", "n2", 0, "4"))
    world.cache.update_node(world.node_info("n1", {ZONE: "a"}, {"unschedulable": cordoned}))
    gone, status = "2026-01-01T00:00:00Z", {"conditions": conditions}
    spec = cpu("4", priority=0)
    world.placed("leaving", "n1", spec, deletionTimestamp=gone, status=status)
    result = tried(world, preemptor(world, "1", status={"nominatedNodeName": "n1"}))
    text = "preemption: not eligible due to a terminating pod on the nominated node."
    assert (result.status.message == text, result.nominated_node is None) == (waits, waits)
    assert bool(result.candidates) is not waits


def test_a_failed_dry_run_is_an_error_that_keeps_the_nomination() -> None:
    """Without the data of PreFilter the extensions of a plugin fail on every node."""
    world = full_world(("a", "n1", 0, "4"), ("b", "n2", 0, "4"))
    framework = world.framework(*PLUGINS)
    pod = preemptor(world, "1")
    attempt = world.attempt(framework, pod)
    result = framework.post_filter(CycleState(), pod, world.snapshot, attempt.diagnosis)
    assert result.status.code is Code.ERROR
    assert result.status.message == (
        'preemption: running RemovePod on PreFilter plugin "PodTopologySpread": '
        'reading "PreFilterPodTopologySpread" from cycleState: not found'
    )
    assert result.nominated_node is None


def test_the_dry_run_changes_nothing() -> None:
    world = full_world(("a", "n1", 0, "2"), ("b", "n1", 0, "2"), ("c", "n2", 0, "4"))
    before = world.snapshot.nodes.requested.tolist()
    tried(world, preemptor(world, "4"))
    assert world.snapshot.nodes.requested.tolist() == before
    assert [names(state.pods) for state in world.snapshot.nodes.states] == [["a", "b"], ["c"]]


def test_anti_affinity_of_victims_and_spreading_are_seen_in_the_dry_run() -> None:
    world = World()
    world.nodes({"n1": "a", "n2": "b"})
    term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "p"}}}
    hater = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    world.placed("hater", "n1", {"affinity": hater, "priority": 0})
    for name in ("w1", "w2"):
        world.placed(name, "n2", {"priority": 0}, labels={"app": "p"})
    spread = {
        "topologyKey": ZONE,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": term["labelSelector"],
    }
    pod = world.pod(
        "p", {"priority": 9, "topologySpreadConstraints": [spread]}, labels={"app": "p"}
    )
    assert found(world, pod) == {"n1": ["hater"]}
    world.cache.update_node(world.node_info("n1", {ZONE: "a"}, {"unschedulable": True}))
    assert found(world, pod) == {"n2": ["w1", "w2"]}


@pytest.mark.parametrize(
    ("args", "start", "examined"),
    [
        pytest.param((10, 100), 0, 6, id="with few nodes all are examined"),
        pytest.param((10, 2), 0, 2, id="two candidates are enough where two are asked for"),
        pytest.param((50, 0), 4, 3, id="half of the nodes, from the drawn one on"),
    ],
)
def test_how_many_candidates_are_looked_for(
    args: tuple[int, int], start: int, examined: int
) -> None:
    world = World()
    nodes = [f"n{number}" for number in range(6)]
    world.nodes(dict.fromkeys(nodes, "a"))
    for name in nodes:
        world.placed(f"on-{name}", name, cpu("4", priority=0))
    bounds: list[int] = []

    def draw(bound: int) -> int:
        bounds.append(bound)
        return start

    framework = world.framework(*PLUGINS, draw=draw)
    pod = preemptor(world, "1")
    attempt = world.attempt(framework, pod)
    plugin = DefaultPreemption(DefaultPreemptionArgs(*args), framework)
    result = plugin.post_filter(attempt.state, pod, world.snapshot, attempt.diagnosis)
    order = nodes[start:] + nodes[:start]
    assert [candidate.node for candidate in result.candidates] == order[:examined]
    assert bounds == [6, 6], "one draw for each preemption"


def test_a_preempting_pod_waits_outside_the_queue() -> None:
    world = World()
    plugin = world.framework("DefaultPreemption").plugins["DefaultPreemption"]
    assert isinstance(plugin, DefaultPreemption)
    pod = world.pod("p")
    assert plugin.pre_enqueue(pod, world.snapshot).is_success
    plugin.preempting[pod.uid] = lambda: False
    assert plugin.pre_enqueue(pod, world.snapshot).is_success
    plugin.preempting[pod.uid] = lambda: True
    status = plugin.pre_enqueue(pod, world.snapshot)
    assert (status.code, status.message) == (
        Code.UNSCHEDULABLE_AND_UNRESOLVABLE,
        "waiting for the preemption for this pod to be finished",
    )
    (registration,) = plugin.events_to_register()
    assert registration.hint is not None
    assert not registration.hint(pod, world.change(pod, None))


def budget(allowed: int, selector: Json | None, *disrupted: str) -> PodDisruptionBudget:
    times = dict.fromkeys(disrupted, "2026-01-01T00:00:00Z")
    return PodDisruptionBudget.model_validate(
        {
            "metadata": {"name": "b", "namespace": "default"},
            "spec": {"selector": selector},
            "status": {"disruptionsAllowed": allowed, "disruptedPods": times},
        }
    )


WEB = {"matchLabels": {"app": "web"}}
BUDGETS = [
    pytest.param([budget(1, WEB)], ["w2"], id="the second pod is one too many"),
    pytest.param([budget(2, WEB)], [], id="a budget of two bears both"),
    pytest.param([budget(0, {})], [], id="an empty selector covers nobody"),
    pytest.param([budget(0, None)], [], id="no selector covers nobody"),
    pytest.param([budget(0, WEB, "w1")], ["w2"], id="a disrupted pod was counted before"),
    pytest.param(
        [budget(0, WEB), budget(1, WEB)],
        ["w1", "w2"],
        id="one broken budget is enough, and all of them are used up",
    ),
]


@pytest.mark.parametrize(("budgets", "violating"), BUDGETS)
def test_budgets_split_the_victims(
    budgets: list[PodDisruptionBudget], violating: list[str]
) -> None:
    world = World()
    pods = [world.pod(name, labels={"app": "web"}) for name in ("w1", "w2")]
    pods.append(world.pod("bare"))
    pods.append(world.pod("far", labels={"app": "web"}, namespace="other"))
    broken, others = split_by_budgets(pods, compile_budgets(budgets))
    assert names(broken) == violating
    assert names(others) == [pod.name for pod in pods if pod.name not in violating]


def test_a_budget_is_about_its_own_namespace() -> None:
    pod = World().pod("far", labels={"app": "web"}, namespace="other")
    obj = budget(0, WEB).model_dump(by_alias=True)
    obj["metadata"]["namespace"] = "other"
    budgets = compile_budgets([PodDisruptionBudget.model_validate(obj)])
    assert split_by_budgets([pod], budgets) == ([pod], [])


def test_a_node_that_needs_no_victim_after_all_is_an_error() -> None:
    world = full_world(("low", "n1", 0, "1"))
    framework, state = world.framework(*PLUGINS), CycleState()
    pod = preemptor(world, "1")
    framework.pre_filter(state, pod, world.snapshot)
    node = world.snapshot.nodes.copy_row(world.copy_of("n1"))
    status = select_victims(framework, state, pod, node, ())
    assert isinstance(status, Status)
    assert (status.code, status.message) == (
        Code.ERROR,
        'expected at least one victim pod on node "n1"',
    )


def test_pods_that_break_a_budget_are_reprieved_first() -> None:
    world = full_world(("web", "n1", 0, "2"), ("db", "n1", 5, "2"), ("top", "n2", 100, "4"))
    world.objects.disruption_budgets.put(("default", "b"), budget(0, WEB))
    assert found(world, preemptor(world, "2")) == {"n1": ["db"]}
    (candidate,) = tried(world, preemptor(world, "4")).candidates
    assert (names(candidate.pods), candidate.violations) == (["db", "web"], 1)


def aged(world: World, name: str, priority: int, start: str | None) -> PodInfo:
    status = {} if start is None else {"startTime": f"2026-01-01T00:00:{start}Z"}
    return world.pod(name, {"priority": priority}, status=status)


@pytest.mark.parametrize(
    ("pods", "order"),
    [
        pytest.param([(0, "01"), (5, "09")], [1, 0], id="priority goes first"),
        pytest.param([(0, "05"), (0, "01")], [1, 0], id="then age"),
        pytest.param([(0, "01"), (0, "01")], [0, 1], id="equals keep their order"),
        pytest.param([(0, None), (0, "09")], [1, 0], id="one that has not started is young"),
        pytest.param([(0, None), (0, None)], [1, 0], id="two that have not started swap places"),
    ],
)
def test_importance(pods: list[tuple[int, str | None]], order: list[int]) -> None:
    world = World()
    given_pods = [aged(world, str(at), *pod) for at, pod in enumerate(pods)]
    assert [int(pod.name) for pod in by_importance(given_pods)] == order


CHOICES = [
    pytest.param([(1, [(0, "01")]), (0, [(9, "01")])], [1], id="fewest broken budgets"),
    pytest.param([(0, [(5, "01")]), (0, [(4, "01"), (4, "01")])], [1], id="lowest top priority"),
    pytest.param([(0, [(5, "01"), (3, "01")]), (0, [(5, "01"), (2, "01")])], [1], id="least sum"),
    pytest.param(
        [(0, [(-5, "01"), (-5, "01")]), (0, [(-5, "01")])], [1], id="fewer of negative priority"
    ),
    pytest.param([(0, [(5, "01")]), (0, [(5, "03")])], [1], id="youngest top victim"),
    pytest.param(
        [(0, [(5, "02"), (5, "09")]), (0, [(5, "03"), (5, "04")])],
        [1],
        id="the oldest of the top victims is compared",
    ),
    pytest.param(
        [(0, [(5, "03"), (0, "09")]), (0, [(5, "05"), (0, "01")])],
        [1],
        id="the age of less important victims does not matter",
    ),
    pytest.param([(0, [(5, "01")]), (0, [(5, None)])], [1], id="not started is youngest"),
    pytest.param([(0, [(5, "01")]), (0, [(5, "01")])], [0, 1], id="equal candidates tie"),
]


@pytest.mark.parametrize(("candidates", "best"), CHOICES)
def test_the_choice_of_the_node(
    candidates: list[tuple[int, list[tuple[int, str | None]]]], best: list[int]
) -> None:
    world = World()
    given_candidates = [
        Victims(str(at), tuple(aged(world, "v", *pod) for pod in pods), violations)
        for at, (violations, pods) in enumerate(candidates)
    ]
    assert [int(candidate.node) for candidate in best_candidates(given_candidates)] == best


@pytest.mark.property
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(0, 2),
)
def test_no_victim_could_have_stayed(
    pods: list[tuple[int, int]], wanted: int, allowed: int
) -> None:
    """The preemptor fits without the victims, and with any single one of them it would not."""
    world = World()
    world.nodes({"n1": "a"})
    left = 4
    for at, (priority, amount) in enumerate(pods):
        if amount <= left:
            left -= amount
            world.placed(f"p{at}", "n1", cpu(str(amount), priority=priority), labels={"app": "web"})
    world.objects.disruption_budgets.put(("default", "b"), budget(allowed, WEB))
    pod = preemptor(world, str(wanted), priority=2)
    attempt = world.attempt(world.framework(*PLUGINS), pod)
    if attempt.post_filter is None or not attempt.post_filter.candidates:
        return
    (candidate,) = attempt.post_filter.candidates
    free = left * 1000 + sum(victim.accounted.amount(0) for victim in candidate.pods)
    assert all(victim.priority < pod.priority for victim in candidate.pods)
    assert free >= wanted * 1000
    assert all(free - v.accounted.amount(0) < wanted * 1000 for v in candidate.pods)
    assert names(by_importance(candidate.pods)) == names(candidate.pods)
    assert candidate.violations <= max(0, len(candidate.pods))


def test_a_port_is_free_as_soon_as_one_of_its_users_is_gone() -> None:
    """Used ports are a set, so that the important user of the same port is no obstacle."""
    world = full_world(("top", "n2", 100, "4"))
    world.placed("high", "n1", on_port_80("1", 1000))
    world.placed("low", "n1", on_port_80("1", 0))
    assert found(world, world.pod("p", on_port_80("1", 9))) == {"n1": ["low"]}


def on_port_80(amount: str, priority: int) -> Json:
    spec = cpu(amount, priority=priority)
    spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 80}]
    return spec


templates = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["1", "2"]), st.booleans()),
    min_size=1,
    max_size=3,
)


@pytest.mark.property
@settings(deadline=None)
@given(templates, st.lists(st.integers(0, 2), max_size=8), st.sampled_from(["1", "2", "4"]))
def test_replicas_that_share_a_shape_fare_as_if_each_had_its_own(
    kinds: list[tuple[int, str, bool]], chosen: list[int], wanted: str
) -> None:
    answers = []
    for shares in (False, True):
        world = World()
        world.nodes({"n1": "a"})
        firsts: dict[int, PodInfo] = {}
        for at, index in enumerate(chosen):
            priority, amount, has_port = kinds[index % len(kinds)]
            spec = on_port_80(amount, priority) if has_port else cpu(amount, priority=priority)
            pod = world.pod(f"p{at}", spec, status={"startTime": "2026-01-01T00:00:00Z"})
            if shares:
                pod.shape = firsts.setdefault(index % len(kinds), pod).shape
            world.cache.add_pod(pod, "n1")
        attempt = world.attempt(world.framework(*PLUGINS), world.pod("p", on_port_80(wanted, 2)))
        result = attempt.post_filter
        victims = names(result.candidates[0].pods) if result and result.candidates else []
        answers.append((attempt.message, victims))
    assert answers[0] == answers[1]
