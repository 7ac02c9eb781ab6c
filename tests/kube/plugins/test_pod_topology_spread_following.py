"""PodTopologySpread's scores that follow pods: at any time what counting anew gives."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.api.config import PodTopologySpreadArgs
from gpusched.api.core import Service
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.plugins.pod_topology_spread import PodTopologySpread
from gpusched.kube.plugins.pod_topology_spread.scoring import round_half_away
from tests.kube.plugins.worlds import HOSTNAME, ZONE, Json, World

SYSTEM = PodTopologySpread.create(None)
LISTED = PodTopologySpread.create(
    PodTopologySpreadArgs(
        defaulting_type="List",
        default_constraints=(
            {"maxSkew": 4, "topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway"},
            {"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway"},
        ),
    )
)
TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
policies = st.sampled_from(["Honor", "Ignore"])


def service() -> Service:
    meta = {"name": "web", "namespace": "default"}
    return Service.model_validate({"metadata": meta, "spec": {"selector": {"app": "web"}}})


@st.composite
def constraints(draw: st.DrawFn) -> list[Json]:
    """Return a pod's own soft constraints; none at all leaves it to the defaults."""
    keys = draw(st.lists(st.sampled_from([ZONE, HOSTNAME, "rack"]), max_size=3, unique=True))
    return [
        {
            "topologyKey": key,
            "maxSkew": draw(st.integers(1, 5)),
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": draw(st.sampled_from(["web", "db"]))}},
            "nodeAffinityPolicy": draw(policies),
            "nodeTaintsPolicy": draw(policies),
        }
        for key in keys
    ]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return nodes in few zones and racks, some without, some tainted."""
    world = World()
    for number in range(draw(st.integers(2, 9))):
        labels: dict[str, Any] = {
            ZONE: draw(st.sampled_from(["a", "b", "", None])),
            "rack": draw(st.sampled_from(["r", "s", "t", None])),
            HOSTNAME: draw(st.sampled_from([f"n{number}"] * 5 + [None])),
        }
        spec = {"taints": [TAINT]} if draw(st.booleans()) else None
        info = world.node_info(f"n{number}", {}, spec)
        labels = {key: value for key, value in labels.items() if value is not None}
        world.cache.add_node(replace(info, labels=labels))
    return world


def counted_anew(plugin: PodTopologySpread, world: World, pod: PodInfo, rows: Ints) -> list[int]:
    state = CycleState()
    assert plugin.pre_score(state, pod, world.snapshot, rows).is_success
    raw = plugin.score(state, pod, world.snapshot, rows)
    assert isinstance(raw, np.ndarray)
    normal: list[int] = plugin.normalize_score(state, pod, raw).tolist()
    return normal


moves = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(["web", "db"]), st.integers(1, 30), st.booleans()),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(worlds(), constraints(), moves, st.sampled_from([SYSTEM, LISTED]), st.data())
def test_scores_that_follow_pods_are_those_that_count_anew(
    world: World,
    own: list[Json],
    comings: list[tuple[int, str, int, bool]],
    plugin: PodTopologySpread,
    data: st.DataObject,
) -> None:
    """Whichever rows are feasible, and in whichever order they were found."""
    world.objects.services.put(("default", "web"), service())
    affinity = {"nodeSelector": {ZONE: "a"}} if data.draw(st.booleans()) else {}
    spec = {"topologySpreadConstraints": own} if own else {}
    pod = world.pod("new", {**spec, **affinity}, labels={"app": "web"})
    give = plugin.follow_score(pod.shape, world.snapshot)
    assert give is not None
    everywhere = list(range(len(world.cache.nodes)))
    placed: list[PodInfo] = []
    for at, app, count, stays in comings:
        name, node = f"{app}{len(placed)}", f"n{at % len(everywhere)}"
        first = world.pod(name, labels={"app": app})
        for number in range(count):
            placed.append(replace(first, uid=f"{name}-{number}", terminating=not stays))
            world.cache.add_pod(placed[-1], node)
        world.cache.remove_pod(placed.pop())
        rows = np.array(data.draw(st.permutations(everywhere)))
        rows = rows[: data.draw(st.integers(1, len(rows)))]
        assert give(rows).tolist() == counted_anew(plugin, world, pod, rows)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), min_size=1, max_size=5),
    st.integers(0, 100),
)
def test_what_pods_cost_is_rounded_alike_in_two_ways(
    counts: list[tuple[int, int]], skew: int
) -> None:
    pods, domains = (np.array(column) for column in zip(*counts, strict=True))
    total = pods * np.log(domains + 2) + skew
    assert np.floor(total + 0.5).astype(np.int64).tolist() == round_half_away(total).tolist()
