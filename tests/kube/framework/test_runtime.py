"""The framework: what a profile's plugins say together at each extension point."""

from typing import Any

import numpy as np
import pytest

from gpusched.kube.framework.cycle_state import PREPARED, CycleState
from gpusched.kube.framework.diagnosis import Diagnosis
from gpusched.kube.framework.interface import PostFilterResult, PreFilterResult
from gpusched.kube.framework.normalize import default_normalize
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Status,
    error,
    unresolvable,
    unschedulable,
)
from tests.cluster.builders import add_node, empty_cache, pod
from tests.kube.framework.fakes import (
    Doubling,
    Filters,
    Inert,
    Rescues,
    Reserves,
    Scores,
    framework,
)

U, UU = Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE


def pre_filter(*plugins: Any) -> Any:
    cache = empty_cache()
    return framework(*plugins).pre_filter(CycleState(), pod(cache), cache.snapshot())


def narrowing(name: str, *nodes: str) -> Filters:
    return Filters(name, before=PreFilterResult(node_names=frozenset(nodes)))


def test_restrictions_are_intersected() -> None:
    found = pre_filter(narrowing("A", "x", "y"), Filters("B"), narrowing("C", "y", "z"))
    assert (found.node_names, found.narrowing) == ({"y"}, {"A", "C"})


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        pytest.param([narrowing("A")], "node(s) didn't satisfy plugin A", id="one plugin"),
        pytest.param(
            [narrowing("B", "x"), narrowing("A", "y")],
            "node(s) didn't satisfy plugin(s) [A B] simultaneously",
            id="two plugins, sorted",
        ),
    ],
)
def test_an_empty_intersection_rejects_the_pod(plugins: list[Filters], message: str) -> None:
    found = pre_filter(*plugins)
    assert (found.status.code, found.status.message) == (UU, message)


def test_an_unschedulable_pre_filter_lets_the_others_speak_first() -> None:
    late = Filters("A", before=PreFilterResult(unschedulable("later")))
    assert pre_filter(late, Filters("B")).status == Status(U, ("later",), "A")
    final = Filters("B", before=PreFilterResult(unresolvable("never")))
    assert pre_filter(late, final).status == Status(UU, ("never",), "B")


def test_a_skipped_filter_is_not_asked() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    skips = Filters("Skips", rejects={"n": [("no", U)]}, before=PreFilterResult(SKIP))
    plugins, state, waiting = framework(skips), CycleState(), pod(cache)
    plugins.pre_filter(state, waiting, cache.snapshot())
    found = plugins.filter(state, waiting, cache.nodes, np.ones(1, np.bool_))
    assert (found.passed.tolist(), skips.calls) == ([True], 0)
    skips.change = error("asked")
    assert plugins.add_pod(state, waiting, pod(cache), cache.nodes.copy_row(0)) == SUCCESS


def test_the_status_of_one_node_has_all_reasons_and_the_largest_code() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    filters = Filters(rejects={"n": [("full", U), ("too small", UU)]})
    found = framework(filters).filter_one(CycleState(), pod(cache), cache.nodes.copy_row(0))
    assert found == Status(UU, ("full", "too small"), "Filters")
    filters.rejects = {"n": [("full", U), ("broken", Code.ERROR)]}
    found = framework(filters).filter_one(CycleState(), pod(cache), cache.nodes.copy_row(0))
    assert found == error('running "Filters" filter plugin: broken').by("Filters")
    filters.rejects = {}
    assert framework(filters).filter_one(CycleState(), pod(cache), cache.nodes) == SUCCESS


def test_a_trial_adds_and_removes_pods_and_tells_the_plugins() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    filters, other = Filters(), pod(cache, "other", requests={"cpu": "1"})
    plugins, one, state = framework(filters), cache.nodes.copy_row(0), CycleState()
    assert plugins.add_pod(state, pod(cache), other, one) == SUCCESS
    assert one.requested[0].tolist() == [1000]
    filters.change = error("broken")
    failed = plugins.remove_pod(state, pod(cache), other, one)
    assert failed == error('running RemovePod on PreFilter plugin "Filters": broken')
    assert one.requested[0].tolist() == [0]


def scores(*plugins: Any, weights: Any = None) -> Any:
    cache = empty_cache()
    for name in ("a", "b"):
        add_node(cache, name)
    rows = np.arange(2)
    return framework(*plugins, weights=weights).scores(
        CycleState(), pod(cache), cache.snapshot(), rows
    )


def test_scores_are_normalised_weighted_and_summed() -> None:
    found = scores(
        Scores(points={"a": 5}), Doubling(points={"a": 10, "b": 20}), weights={"Doubling": 3}
    )
    by_plugin = {name: column.tolist() for name, column in found.by_plugin.items()}
    assert by_plugin == {"Scores": [5, 0], "Doubling": [60, 120]}
    assert found.totals.tolist() == [65, 120]
    assert found.raw["Doubling"].tolist() == [10, 20]


def test_a_skipped_score_counts_for_nothing() -> None:
    found = scores(Scores(points={"a": 5}, before=SKIP), Doubling())
    assert list(found.by_plugin) == ["Doubling"]


def test_without_score_plugins_every_node_gets_one() -> None:
    assert scores(Inert()).totals.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        pytest.param(
            Scores(before=error("broken")),
            'running PreScore plugin "Scores": broken',
            id="PreScore fails",
        ),
        pytest.param(
            Scores(fails=error("broken")),
            'running Score plugins: plugin "Scores" failed with: broken',
            id="Score fails",
        ),
        pytest.param(
            Scores(points={"b": 101}),
            'applying score defaultWeights on Score plugins: plugin "Scores" returns an invalid '
            "score 101, it should in the range of [0, 100] after normalizing",
            id="a score above 100",
        ),
        pytest.param(
            Doubling(points={"a": -1}),
            'applying score defaultWeights on Score plugins: plugin "Doubling" returns an invalid '
            "score -2, it should in the range of [0, 100] after normalizing",
            id="a score below 0",
        ),
    ],
)
def test_scoring_fails_with_upstream_words(plugin: Any, message: str) -> None:
    assert scores(plugin) == error(message)


@pytest.mark.parametrize(
    ("raw", "reverse", "normal"),
    [
        pytest.param([0, 0], False, [0, 0], id="nothing stays nothing"),
        pytest.param([0, 0], True, [100, 100], id="nothing is best in reverse"),
        pytest.param([1, 3], False, [33, 100], id="in proportion, cut off"),
        pytest.param([1, 3], True, [67, 0], id="taken from 100 after the division"),
        pytest.param([], True, [], id="no nodes"),
    ],
)
def test_default_normalize(raw: list[int], reverse: bool, normal: list[int]) -> None:
    assert default_normalize(np.array(raw, np.int64), reverse=reverse).tolist() == normal


def rescued(*results: PostFilterResult) -> PostFilterResult:
    cache = empty_cache()
    add_node(cache, "n")
    plugins = [Rescues(f"R{at}", result) for at, result in enumerate(results)]
    view = cache.snapshot()
    return framework(*plugins).post_filter(CycleState(), pod(cache), view, Diagnosis(view.order))


NOTHING = PostFilterResult(unschedulable("nothing"))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param(
            [NOTHING, PostFilterResult(unschedulable("neither"), "")],
            PostFilterResult(unschedulable("nothing", "neither"), ""),
            id="reasons are joined and a cleared nomination is kept",
        ),
        pytest.param(
            [NOTHING, PostFilterResult(SUCCESS, "n"), PostFilterResult(error("asked"))],
            PostFilterResult(SUCCESS, "n"),
            id="the first success ends it",
        ),
        pytest.param(
            [PostFilterResult(error("not found"), "n"), PostFilterResult(SUCCESS)],
            PostFilterResult(error("not found")),
            id="an error ends it and leaves the nomination alone",
        ),
        pytest.param(
            [PostFilterResult(unresolvable("never")), PostFilterResult(SUCCESS)],
            PostFilterResult(unresolvable("never")),
            id="who says that nothing helps ends it",
        ),
    ],
)
def test_post_filters_speak_in_turn(
    results: list[PostFilterResult], expected: PostFilterResult
) -> None:
    assert rescued(*results) == expected


def test_a_failed_reserve_is_given_back_in_reverse_order() -> None:
    log: list[str] = []
    cache = empty_cache()
    plugins = [
        Reserves("A", log=log),
        Reserves("B", unschedulable("taken"), log),
        Reserves("C", log=log),
    ]
    found = framework(*plugins).reserve(CycleState(), pod(cache), cache.snapshot(), "n")
    assert found == Status(U, ("taken",), "B")
    assert log == [
        "A reserves n",
        "B reserves n",
        "C gives n back",
        "B gives n back",
        "A gives n back",
    ]
    failing = framework(Reserves(answer=error("broken")))
    assert failing.reserve(CycleState(), pod(cache), cache.snapshot(), "n") == error(
        'running Reserve plugin "Reserves": broken'
    )
    fine = framework(Reserves())
    assert fine.reserve(CycleState(), pod(cache), cache.snapshot(), "n") == SUCCESS


def test_a_clone_of_the_state_keeps_what_was_written() -> None:
    state = CycleState()
    state.write("PreFilterX", PREPARED)
    state.skip_filter = frozenset({"Y"})
    copy = state.clone()
    copy.write("PreFilterZ", PREPARED)
    assert copy.read("PreFilterX") is PREPARED
    assert copy.skip_filter == {"Y"}
    assert state.read("PreFilterZ") is None


def test_labels_of_codes_are_upstreams() -> None:
    assert [code.label for code in Code] == [
        "Success",
        "Error",
        "Unschedulable",
        "UnschedulableAndUnresolvable",
        "Wait",
        "Skip",
        "Pending",
    ]
