"""TaintToleration: hard taints turn away, soft ones cost points."""

from typing import Any

import numpy as np
import pytest

from gpusched.cluster.cache import Cache
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.taint_toleration import TaintToleration
from tests.cluster.builders import Json, add_node, empty_cache, node, pod


def taint(key: str, effect: str = "NoSchedule", value: str = "") -> Json:
    return {"key": key, "value": value, "effect": effect}


def soft(*keys: str) -> Json:
    return {"taints": [taint(key, "PreferNoSchedule") for key in keys]}


def scored(cache: Cache, **spec: Any) -> tuple[list[int], list[int]]:
    """Return raw and normalised scores of all nodes."""
    plugin, state, waiting = TaintToleration(), CycleState(), pod(cache, **spec)
    snapshot, rows = cache.snapshot(), np.arange(len(cache.nodes))
    assert plugin.pre_score(state, waiting, snapshot, rows).is_success
    raw = plugin.score(state, waiting, snapshot, rows)
    assert not isinstance(raw, Status)
    return raw.tolist(), plugin.normalize_score(state, waiting, raw).tolist()


@pytest.mark.parametrize(
    ("effect", "rejected"),
    [
        pytest.param("NoSchedule", True, id="NoSchedule turns away"),
        pytest.param("NoExecute", True, id="NoExecute turns away"),
        pytest.param("PreferNoSchedule", False, id="PreferNoSchedule does not"),
    ],
)
def test_a_hard_taint_turns_away_for_good(effect: str, rejected: bool) -> None:
    cache = empty_cache()
    add_node(cache, "free")
    add_node(cache, "tainted", spec={"taints": [taint("gpu", effect)]})
    rejections = TaintToleration().filter(CycleState(), pod(cache), cache.nodes)
    found = [(r.reason, r.code, r.nodes.tolist()) for r in rejections]
    never = Code.UNSCHEDULABLE_AND_UNRESOLVABLE
    expected = ("node(s) had untolerated taint(s)", never, [False, True])
    assert found == ([expected] if rejected else [])


def test_a_toleration_lets_the_pod_in() -> None:
    cache = empty_cache()
    add_node(cache, "tainted", spec={"taints": [taint("gpu")]})
    guest = pod(cache, tolerations=[{"key": "gpu", "operator": "Exists"}])
    assert not TaintToleration().filter(CycleState(), guest, cache.nodes)


def test_soft_taints_cost_in_proportion_to_the_worst_node() -> None:
    cache = empty_cache()
    add_node(cache, "none")
    add_node(cache, "one", spec=soft("a"))
    add_node(cache, "three", spec=soft("a", "b", "c"))
    assert scored(cache) == ([0, 1, 3], [100, 67, 0])


def test_without_soft_taints_every_node_gets_100() -> None:
    cache = empty_cache()
    for name in "ab":
        add_node(cache, name)
    assert scored(cache) == ([0, 0], [100, 100])


def test_only_tolerations_of_soft_taints_count_in_the_score() -> None:
    cache = empty_cache()
    add_node(cache, "a", spec=soft("a"))
    hard = {"key": "a", "operator": "Exists", "effect": "NoSchedule"}
    assert scored(cache, tolerations=[hard])[0] == [1]
    assert scored(cache, tolerations=[{**hard, "effect": ""}])[0] == [0]


def test_a_score_without_its_pre_score_is_an_error() -> None:
    cache = empty_cache()
    add_node(cache, "a")
    found = TaintToleration().score(CycleState(), pod(cache), cache.snapshot(), np.arange(1))
    assert isinstance(found, Status)
    assert found.message == 'failed to read "PreScoreTaintToleration" from cycleState: not found'


def test_a_taint_that_goes_wakes_and_one_that_comes_does_not() -> None:
    cache = empty_cache()
    waiting = pod(cache)
    tainted = node(cache, "n", spec={"taints": [taint("gpu")]})
    free = node(cache, "n")
    node_hint, pod_hint = (each.hint for each in TaintToleration().events_to_register())
    assert node_hint is not None
    assert pod_hint is not None
    snapshot = cache.snapshot()
    assert node_hint(waiting, Change(tainted, free, snapshot))
    assert node_hint(waiting, Change(None, free, snapshot))
    assert not node_hint(waiting, Change(None, tainted, snapshot))
    assert not node_hint(waiting, Change(free, free, snapshot))
    assert pod_hint(waiting, Change(waiting, pod(cache), snapshot))
    assert not pod_hint(waiting, Change(waiting, pod(cache, "other"), snapshot))
