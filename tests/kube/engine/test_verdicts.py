"""Verdicts: judged for all shapes at once, they are what each plugin says of each pod and node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.cluster.cache import Cache
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.request_table import RequestTable
from gpusched.kube.engine import EngineStatistics, FastEngine, VerifyEngine
from gpusched.kube.engine import verdicts as verdicts_module
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.engine.verdicts import INFEASIBLE, INVALID, Asker, Verdicts
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from gpusched.kube.plugins.node_resources_fit import NodeResourcesFit
from tests.cluster.builders import add_node, empty_cache, pod
from tests.kube.engine.clusters import Cluster, profile_of
from tests.kube.engine.templates import PODS, PROFILES, THEMES

GPU = "x.com/gpu"
cpus = st.sampled_from(["0", "1m", "250m", "1", "3", "7"])
memories = st.sampled_from(["0", "1", "100Mi", "1Gi", "3Gi", "31Gi"])
gpus = st.sampled_from(["0", "1", "2", "7"])
amounts = st.fixed_dictionaries({}, optional={"cpu": cpus, "memory": memories, GPU: gpus})
rooms = st.fixed_dictionaries(
    {"pods": st.sampled_from(["0", "1", "5"])},
    optional={"cpu": cpus, "memory": memories, GPU: gpus},
)
strategies = st.sampled_from(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"])
resources = st.lists(
    st.sampled_from(["cpu", "memory", GPU, "nobody.com/has-it"]),
    min_size=1,
    max_size=4,
    unique=True,
)


def profile(strategy: str, scored: Sequence[str], balanced: Sequence[str], ignored: bool) -> Any:
    """Return a profile that scores by these resources."""
    shape = [{"utilization": 0, "score": 10}, {"utilization": 70, "score": 3}]
    given = [{"name": name, "weight": at + 1} for at, name in enumerate(scored)]
    scoring: dict[str, Any] = {"type": strategy, "resources": given}
    if strategy == "RequestedToCapacityRatio":
        scoring["requestedToCapacityRatio"] = {"shape": shape}
    fit: dict[str, Any] = {"scoringStrategy": scoring}
    if ignored:
        fit["ignoredResources"] = [GPU]
    even = {"resources": [{"name": name, "weight": 1} for name in balanced]}
    return profile_of(
        {
            "pluginConfig": [
                {"name": "NodeResourcesFit", "args": fit},
                {"name": "NodeResourcesBalancedAllocation", "args": even},
            ]
        }
    )


def one_by_one(framework: Framework, cache: Cache, waiting: PodInfo) -> list[int]:
    """Return what the plugins say of one pod, as the scan asks them."""
    snapshot, state, nodes = cache.snapshot(), CycleState(), cache.nodes
    framework.pre_filter(state, waiting, snapshot)
    passed = np.ones(len(nodes), np.bool_)
    totals, rows = np.zeros(len(nodes), np.int64), np.arange(len(nodes))
    for plugin in framework.filters:
        if plugin.name in verdicts_module.READS_AMOUNTS:
            for rejection in plugin.filter(state, waiting, nodes):
                passed &= ~rejection.nodes
    for scorer in framework.scorers:
        if scorer.name in verdicts_module.READS_AMOUNTS:
            scores = scorer.score(state, waiting, snapshot, rows)
            assert isinstance(scores, np.ndarray)
            totals += scores * framework.profile.score_weights[scorer.name]
    return [int(t) if p else INFEASIBLE for t, p in zip(totals, passed, strict=True)]


@pytest.mark.property
@given(
    nodes=st.lists(st.tuples(rooms, st.lists(amounts, max_size=2)), min_size=1, max_size=4),
    waiting=st.lists(amounts, min_size=1, max_size=5),
    written=st.builds(profile, strategies, resources, resources, st.booleans()),
)
def test_many_pods_are_judged_as_one_by_one(
    nodes: list[tuple[dict[str, str], list[dict[str, str]]]],
    waiting: list[dict[str, str]],
    written: Any,
) -> None:
    cache = empty_cache()
    for at, (room, used) in enumerate(nodes):
        add_node(cache, f"n{at}", allocatable=room)
        for number, requests in enumerate(used):
            cache.add_pod(pod(cache, f"u{at}-{number}", requests=requests), f"n{at}")
    pods = [pod(cache, f"p{at}", requests=requests) for at, requests in enumerate(waiting)]
    framework = Framework(written, IN_TREE, Nominator())
    states = NodeStates(cache.nodes)
    states.refresh()
    verdicts = Verdicts(framework, states, EngineStatistics())
    for each in pods:
        found = verdicts.of(Asker(each.shape.requests), states.ids)
        assert found.tolist() == one_by_one(framework, cache, each)


@pytest.mark.parametrize("start", range(0, len(PODS), 4))
def test_new_states_are_judged_for_all_shapes_that_were_met(start: int) -> None:
    """Shapes in turn on nodes that fill: the one that meets a state first answers for all."""
    cluster = Cluster(VerifyEngine)
    for number in range(5):
        cluster.put_node(f"n{number}", allocatable={"cpu": f"{3 + number}", "pods": "20"})
    templates = THEMES["resources"][0]
    for at in range(40):
        template = templates[(start + at * at) % len(templates)]
        cluster.attempt(cluster.pod(template, PODS[template]))


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_what_is_forgotten_is_judged_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts_module, "_MOST_REQUESTS", 2)
    monkeypatch.setattr("gpusched.kube.engine.states._LONG", 3)
    cluster = Cluster(VerifyEngine, PROFILES[name])
    for number in range(3):
        cluster.put_node(f"n{number}", allocatable={"cpu": "20", "memory": "64Gi", "pods": "40"})
    for at in range(60):
        template = ("small", "large", "idle", "fond", "gpu")[at % 5]
        cluster.attempt(cluster.pod(template, PODS[template]))


class Overbearing(NodeResourcesFit):
    """Gives too good a score to nodes where cpu is taken."""

    def rate(self, pods: RequestTable, nodes: Nodes) -> Any:
        return np.where(nodes.requested[0] > 0, 101, super().rate(pods, nodes))


def test_a_score_out_of_bounds_is_no_verdict() -> None:
    cache = empty_cache()
    for name, room in (("n0", "1"), ("n1", "4"), ("n2", "4")):
        add_node(cache, name, allocatable={"cpu": room, "pods": "5"})
    for name in ("n0", "n1"):
        cache.add_pod(pod(cache, name, requests={"cpu": "1"}), name)
    registry = {**IN_TREE, "NodeResourcesFit": lambda _args, _handle: Overbearing()}
    framework = Framework(profile_of({}), registry, Nominator())
    states = NodeStates(cache.nodes)
    states.refresh()
    asker = Asker(pod(cache, requests={"cpu": "1"}).shape.requests)
    found = Verdicts(framework, states, EngineStatistics()).of(asker, states.ids)
    assert found[:2].tolist() == [INFEASIBLE, INVALID]
    assert found[2] >= 0


class Counting(NodeResourcesFit):
    """Counts the nodes that it rates."""

    asked = 0

    def rate(self, pods: RequestTable, nodes: Nodes) -> Any:
        self.asked += len(nodes)
        return super().rate(pods, nodes)


def states_rated(scored: Sequence[str]) -> tuple[int, int]:
    """Return how many states six nodes are in, and about how many of them a scorer was asked."""
    cache = empty_cache()
    counting: list[Counting] = []

    def fit(args: Any, handle: Any) -> Counting:
        counting.append(Counting(args, handle))
        return counting[-1]

    written = profile("LeastAllocated", scored, ["cpu", "memory"], ignored=False)
    framework = Framework(written, {**IN_TREE, "NodeResourcesFit": fit}, Nominator())
    for at in range(6):
        add_node(cache, f"n{at}", allocatable={"cpu": "8", "memory": "8Gi", GPU: "8"})
        asked = {"cpu": str(1 + at % 2), **({GPU: str(at)} if at else {})}
        cache.add_pod(pod(cache, f"p{at}", requests=asked), f"n{at}")
    states = NodeStates(cache.nodes)
    states.refresh()
    verdicts = Verdicts(framework, states, EngineStatistics())
    verdicts.of(Asker(pod(cache, requests={"cpu": "1"}).shape.requests), states.ids)
    return states.count, counting[0].asked


def test_states_that_differ_in_what_no_scorer_reads_are_rated_once() -> None:
    assert states_rated(["cpu", "memory"]) == (6, 2)
    assert states_rated(["cpu", GPU]) == (6, 6)


@pytest.mark.parametrize("shapes", [1, 40])
def test_a_new_state_is_judged_once_for_all_shapes(shapes: int) -> None:
    """Counted: the questions asked per attempt do not grow with attempts, only with shapes."""
    cluster = Cluster(FastEngine)
    for number in range(300):
        cluster.put_node(f"n{number}", allocatable={"cpu": "64", "memory": "640Gi", "pods": "99"})
    templates = [
        {"spec": {"containers": [{"name": "c", "image": "x", "resources": {"requests": asked}}]}}
        for asked in ({"cpu": f"{100 + each}m"} for each in range(shapes))
    ]
    for at in range(2 * shapes):
        cluster.attempt(cluster.pod(f"t{at % shapes}", templates[at % shapes]))
    before = cluster.engine.statistics.evaluations
    for at in range(200):
        cluster.attempt(cluster.pod(f"t{at % shapes}", templates[at % shapes]))
    assert cluster.engine.statistics.evaluations - before <= 200 * shapes
