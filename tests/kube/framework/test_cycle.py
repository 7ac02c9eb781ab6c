"""One attempt: which nodes are looked at, in which order, who is chosen, and what is told."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import (
    NO_NODES,
    Attempt,
    Result,
    Search,
    feasible_wanted,
    heap_tie_break,
    name_tie_break,
    schedule,
)
from gpusched.kube.framework.interface import PostFilterResult, PreFilterResult
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, error, unresolvable, unschedulable
from gpusched.kube.nominator import Nominator
from tests.cluster.builders import add_node, empty_cache, pod
from tests.kube.framework.fakes import Filters, Rescues, Scores, framework

U, UU = Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE


def cluster(count: int) -> Cache:
    """Return nodes n0, n1, …"""
    cache = empty_cache()
    for at in range(count):
        add_node(cache, f"n{at}")
    return cache


def attempt(
    cache: Cache, plugins: Framework, waiting: PodInfo | None = None, **search: Any
) -> Attempt:
    how = Search(search.get("start", 0), search.get("percentage", 0), heap_tie_break)
    return schedule(plugins, cache.snapshot(), waiting or pod(cache), how)


def names(cache: Cache, rows: Any) -> list[str]:
    return [cache.nodes.info(row).name for row in rows.tolist()]


def test_without_nodes_there_is_nothing_to_look_at() -> None:
    found = attempt(empty_cache(), framework(Scores()))
    assert (found.result, found.message) == (Result.UNSCHEDULABLE, NO_NODES)


def test_the_best_node_is_chosen() -> None:
    cache = cluster(3)
    found = attempt(cache, framework(Scores(points={"n1": 7}), weights={"Scores": 3}))
    assert (found.result, names(cache, found.ties), found.row) == (Result.SCHEDULED, ["n1"], 1)
    assert found.scores is not None
    assert found.scores.totals.tolist() == [0, 21, 0]


def test_a_single_node_is_taken_unscored() -> None:
    cache = cluster(2)
    plugins = framework(Filters(rejects={"n0": [("no", U)]}), Scores(fails=error("asked")))
    found = attempt(cache, plugins)
    assert (found.result, found.row, found.scores) == (Result.SCHEDULED, 1, None)


def test_an_error_while_scoring_ends_the_attempt() -> None:
    found = attempt(cluster(2), framework(Scores(fails=error("broken"))))
    text = 'running Score plugins: plugin "Scores" failed with: broken'
    assert (found.result, found.message) == (Result.ERROR, text)


def test_no_node_fits_and_every_reason_is_counted() -> None:
    rejects = {"n0": [("Insufficient cpu", U)], "n1": [("Insufficient cpu", U), ("Too small", UU)]}
    rescue = Rescues(result=PostFilterResult(unschedulable("nothing to evict")))
    found = attempt(cluster(2), framework(Filters(rejects=rejects), rescue))
    assert found.result is Result.UNSCHEDULABLE
    assert found.message == (
        "0/2 nodes are available: 1 Too small, 2 Insufficient cpu. nothing to evict"
    )
    assert found.diagnosis.unschedulable_plugins == {"Filters"}
    assert [found.diagnosis.code_of(row) for row in (0, 1)] == [U, UU]


def test_only_the_first_plugin_that_turns_a_node_away_is_heard() -> None:
    first = Filters("First", rejects={"n0": [("first", U)]})
    second = Filters("Second", rejects={"n0": [("second", UU)], "n1": [("second", UU)]})
    found = attempt(cluster(2), framework(first, second))
    assert found.message == "0/2 nodes are available: 1 first, 1 second."
    assert found.diagnosis.code_of(0) == U


def test_pre_filter_rejects_the_whole_pod_before_any_node_is_looked_at() -> None:
    filters = Filters(before=PreFilterResult(unresolvable("no such claim")))
    found = attempt(cluster(2), framework(filters))
    assert found.message == "0/2 nodes are available: no such claim."
    assert (filters.calls, found.next_start) == (0, 0)
    assert found.diagnosis.codes().tolist() == [UU, UU]
    assert found.diagnosis.reasons_of(1) == ["no such claim"]


def test_an_error_in_pre_filter_ends_the_attempt() -> None:
    filters = Filters(before=PreFilterResult(error("broken")))
    found = attempt(cluster(2), framework(filters, Rescues()))
    assert (found.result, found.message, found.post_filter) == (
        Result.ERROR,
        'running PreFilter plugin "Filters": broken',
        None,
    )


def narrowed(*nodes: str, rejects: Any = None) -> Filters:
    return Filters(before=PreFilterResult(node_names=frozenset(nodes)), rejects=rejects or {})


def test_nodes_that_pre_filter_leaves_out_are_absent() -> None:
    cache = cluster(3)
    plugins = framework(narrowed("n1", "gone", rejects={"n1": [("full", U)]}))
    found = attempt(cache, plugins)
    assert found.message == (
        "0/3 nodes are available: 1 full, 2 node(s) didn't satisfy plugin(s) [Filters]."
    )
    assert found.next_start == 1


def test_the_nominated_node_is_tried_first_even_if_it_was_left_out() -> None:
    cache = cluster(3)
    waiting = pod(cache, status={"nominatedNodeName": "n2"})
    found = attempt(cache, framework(narrowed("n0")), waiting)
    assert (found.result, found.row, found.next_start) == (Result.SCHEDULED, 2, 0)
    tainted = Filters("Taints", rejects={"n2": [("tainted", UU)], "n0": [("tainted", UU)]})
    found = attempt(cache, framework(narrowed("n0"), tainted), waiting)
    assert found.message == (
        "0/3 nodes are available: 1 node(s) didn't satisfy plugin(s) [Filters Taints], 2 tainted."
    )
    assert found.next_start == 2


def test_an_error_on_the_nominated_node_is_passed_over() -> None:
    cache = cluster(1)
    waiting = pod(cache, status={"nominatedNodeName": "n0"})
    found = attempt(cache, framework(Filters(rejects={"n0": [("broken", Code.ERROR)]})), waiting)
    assert (found.result, found.error) == (Result.ERROR, 'running "Filters" filter plugin: broken')


def test_the_first_error_in_rotated_order_ends_the_attempt() -> None:
    cache = cluster(4)
    rejects = {name: [(f"broken {name}", Code.ERROR)] for name in ("n1", "n3")}
    plugins = framework(Filters(rejects={**rejects, "n2": [("full", U)]}), Scores())
    found = attempt(cache, plugins, start=2)
    assert (found.error, found.next_start) == ('running "Filters" filter plugin: broken n3', 3)
    assert len(found.feasible) == 0


@pytest.mark.parametrize(
    ("count", "percentage", "wanted"),
    [
        pytest.param(99, 1, 99, id="a small cluster is looked at whole"),
        pytest.param(100, 0, 100, id="never fewer than a hundred"),
        pytest.param(500, 0, 230, id="46 percent of 500"),
        pytest.param(5000, 0, 500, id="10 percent of 5,000"),
        pytest.param(6000, 0, 300, id="never less than 5 percent"),
        pytest.param(1000, 70, 700, id="a given percentage"),
    ],
)
def test_how_many_feasible_nodes_are_wanted(count: int, percentage: int, wanted: int) -> None:
    assert feasible_wanted(count, percentage) == wanted


def test_the_search_stops_when_it_has_enough_and_goes_on_from_there() -> None:
    cache = cluster(250)
    plugins = framework(Scores())
    starts = [0]
    for _ in range(3):
        found = attempt(cache, plugins, start=starts[-1])
        assert len(found.feasible) == 120
        starts.append(found.next_start)
    assert starts == [0, 120, 240, 110]


def test_nodes_rejected_on_the_way_move_the_start_too() -> None:
    cache = cluster(4)
    plugins = framework(Filters(rejects={"n1": [("full", U)], "n3": [("full", U)]}))
    found = attempt(cache, plugins, start=1)
    # No score plugin: the first node that fits is taken, and the search ends at the second.
    assert (names(cache, found.feasible), found.next_start) == (["n2"], 0)
    assert found.diagnosis.explicit().tolist() == [False, True, False, True]


def test_a_node_must_fit_with_its_nominated_pods_and_without_them() -> None:
    cache = cluster(2)
    nominator = Nominator()
    filters = Filters(crowded={"n0": [("crowded", U)]})
    plugins = framework(filters, Scores(), nominator=nominator)
    rival = pod(cache, "rival", priority=5)
    nominator.add(rival, "n0")
    for priority, expected in ((5, ["n1"]), (6, ["n0", "n1"])):
        found = attempt(cache, plugins, pod(cache, priority=priority))
        assert names(cache, found.feasible) == expected
    found = attempt(cache, plugins, rival)
    assert names(cache, found.feasible) == ["n0", "n1"]
    assert cache.nodes.pod_counts.tolist() == [0, 0]


def test_a_failing_trial_with_nominated_pods_is_an_error() -> None:
    cache = cluster(1)
    nominator = Nominator()
    plugins = framework(Filters(change=error("broken")), nominator=nominator)
    nominator.add(pod(cache, "rival"), "n0")
    found = attempt(cache, plugins)
    assert found.error == 'running AddPod on PreFilter plugin "Filters": broken'


@pytest.mark.property
@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_ties_fall_as_in_a_heap(totals: list[int]) -> None:

    feasible = np.arange(len(totals)) + 100
    array = np.array(totals)
    best = np.flatnonzero(array == array.max())
    winner = heap_tie_break(cluster(1).snapshot(), feasible, best)
    assert winner == 100 + go_heap_top(totals)


def go_heap_top(totals: list[int]) -> int:
    """Build a max-heap as Go's container/heap does, and return the index on top."""
    heap = list(range(len(totals)))
    for start in reversed(range(len(heap) // 2)):
        at = start
        while (child := 2 * at + 1) < len(heap):
            right = child + 1
            if right < len(heap) and totals[heap[right]] > totals[heap[child]]:
                child = right
            if totals[heap[child]] <= totals[heap[at]]:
                break
            heap[at], heap[child] = heap[child], heap[at]
            at = child
    return heap[0]


def test_ties_by_name_are_in_the_order_of_bytes() -> None:
    cache = empty_cache()
    for name in ("b", "B", "a"):
        add_node(cache, name)
    assert name_tie_break(cache.snapshot(), np.arange(3), np.array([0, 1, 2])) == 1
