"""InterPodAffinity: what it turns away, how it scores, what it waits for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.api.config import InterPodAffinityArgs
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, ClusterEvent, EventResource
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.inter_pod_affinity import InterPodAffinity
from gpusched.kube.plugins.inter_pod_affinity.counts import AffinityState, TermCounts
from gpusched.kube.plugins.inter_pod_affinity.scoring import normalise
from tests.kube.plugins.worlds import HOSTNAME, ZONE, Json, World

LONELY = ("node(s) didn't match pod affinity rules", "UnschedulableAndUnresolvable")
CROWDED = ("node(s) didn't match pod anti-affinity rules", "Unschedulable")
UNWELCOME = ("node(s) didn't satisfy existing pods anti-affinity rules", "Unschedulable")
WEB = {"matchLabels": {"app": "web"}}
DB = {"matchLabels": {"app": "db"}}
PLUGIN = InterPodAffinity(InterPodAffinityArgs())
ZONES: dict[str, str | None] = {"a1": "a", "a2": "a", "b1": "b", "bare": None}


def term(selector: Json | None, key: str = ZONE, **more: Any) -> Json:
    return {"topologyKey": key, "labelSelector": selector, **more}


def near(*terms: Json) -> Json:
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def far(*terms: Json) -> Json:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def rather(kind: str, weight: int, one: Json) -> Json:
    weighted = {"weight": weight, "podAffinityTerm": one}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}


def world_with(*pods: tuple[str, str, Json]) -> World:
    """Return a world with pods given as (app, node, affinity)."""
    world = World()
    world.nodes(ZONES)
    world.namespace("default", team="d")
    for number, (app, node, affinity) in enumerate(pods):
        world.placed(f"p{number}", node, {"affinity": affinity}, labels={"app": app})
    return world


def filtered(
    world: World, pod: PodInfo, plugin: InterPodAffinity = PLUGIN
) -> dict[str, tuple[str, str]] | None:
    """Return who is turned away, or None if Filter is skipped."""
    state = CycleState()
    status = plugin.pre_filter(state, pod, world.snapshot).status
    if status.code is Code.SKIP:
        return None
    assert status.is_success
    return world.turned_away(plugin.filter(state, pod, world.snapshot.nodes))


FILTER_CASES = [
    pytest.param([], {}, None, id="Filter is skipped when no required term bears on the pod"),
    pytest.param(
        [("db", "a1", {})],
        near(term(DB)),
        {"b1": LONELY, "bare": LONELY},
        id="affinity needs a matching pod in the domain, and the topology key",
    ),
    pytest.param(
        [("db", "a1", {}), ("web", "b1", {})],
        near(term(DB), term(WEB)),
        {"a1": LONELY, "a2": LONELY, "b1": LONELY, "bare": LONELY},
        id="one pod must match all affinity terms at once",
    ),
    pytest.param(
        [],
        near(term(WEB)),
        {"bare": LONELY},
        id="the first of its kind may go anywhere with the topology key",
    ),
    pytest.param(
        [("web", "b1", {})],
        near(term(WEB)),
        {"a1": LONELY, "a2": LONELY, "bare": LONELY},
        id="the second of its kind follows the first",
    ),
    pytest.param(
        [("web", "bare", {})],
        near(term(WEB)),
        {"bare": LONELY},
        id="a match outside all domains does not make the pod the second of its kind",
    ),
    pytest.param(
        [("db", "a1", {})],
        far(term(DB)),
        {"a1": CROWDED, "a2": CROWDED},
        id="anti-affinity closes the domain, and never a node without the key",
    ),
    pytest.param(
        [("db", "a1", far(term(WEB)))],
        {},
        {"a1": UNWELCOME, "a2": UNWELCOME},
        id="anti-affinity of placed pods works in the other direction",
    ),
    pytest.param(
        [("db", "a1", far(term(WEB))), ("web", "b1", {})],
        far(term(DB, HOSTNAME)),
        {"a1": CROWDED, "a2": UNWELCOME},
        id="a node is turned away once, own terms first",
    ),
    pytest.param([("db", "a1", {})], far(term(None)), {}, id="no selector matches nobody"),
    pytest.param(
        [("db", "a1", {})],
        far(term({}, HOSTNAME)),
        {"a1": CROWDED},
        id="an empty selector matches everybody",
    ),
]


@pytest.mark.parametrize(("placed", "affinity", "expected"), FILTER_CASES)
def test_filter_turns_away(
    placed: list[tuple[str, str, Json]],
    affinity: Json,
    expected: dict[str, tuple[str, str]] | None,
) -> None:
    world = world_with(*placed)
    pod = world.pod("new", {"affinity": affinity}, labels={"app": "web"})
    assert filtered(world, pod) == expected


def test_terminating_pods_count() -> None:
    world = world_with()
    world.placed("t", "a1", labels={"app": "db"}, deletionTimestamp="2026-01-01T00:00:00Z")
    pod = world.pod("p", {"affinity": far(term(DB, HOSTNAME))})
    assert filtered(world, pod) == {"a1": CROWDED}


GOLD = {"matchLabels": {"tier": "gold"}}
NOT_GOLD = {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}]}


@pytest.mark.parametrize(
    ("where", "exact", "meant"),
    [
        pytest.param({}, False, False, id="the pod's own namespace by default"),
        pytest.param({"namespaces": ["gold"]}, True, True, id="a namespace by name"),
        pytest.param({"namespaces": ["poor"]}, False, False, id="another namespace by name"),
        pytest.param({"namespaceSelector": {}}, True, True, id="all namespaces"),
        pytest.param({"namespaceSelector": GOLD}, True, True, id="namespaces by label"),
        pytest.param(
            {"namespaceSelector": NOT_GOLD},
            True,
            False,
            id="a selector that no labels satisfy means every namespace in 1.36.1",
        ),
    ],
)
def test_namespaces_of_own_terms(where: Json, exact: bool, meant: bool) -> None:
    world = world_with()
    world.namespace("gold", tier="gold")
    world.namespace("poor")
    world.placed("other", "a1", namespace="gold", labels={"app": "db"})
    pod = world.pod("p", {"affinity": far(term(DB, HOSTNAME, **where))})
    fixed = InterPodAffinity(InterPodAffinityArgs(), keeps_namespace_selector=False)
    assert filtered(world, pod) == ({"a1": CROWDED} if exact else {})
    assert filtered(world, pod, fixed) == ({"a1": CROWDED} if meant else {})


def test_an_empty_namespace_selector_needs_no_namespace_object() -> None:
    world = world_with()
    world.placed("other", "a1", namespace="never-created", labels={"app": "db"})
    pod = world.pod("p", {"affinity": far(term(DB, HOSTNAME, namespaceSelector={}))})
    fixed = InterPodAffinity(InterPodAffinityArgs(), keeps_namespace_selector=False)
    assert filtered(world, pod) == filtered(world, pod, fixed) == {"a1": CROWDED}


def test_without_arguments_the_defaults_hold() -> None:
    assert InterPodAffinity.create(None) == PLUGIN


def test_the_events_that_may_cure_a_rejection() -> None:
    assert [registration.event for registration in PLUGIN.events_to_register()] == [
        ClusterEvent(EventResource.POD, Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL),
        ClusterEvent(EventResource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
    ]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param({"matchLabels": {"team": "d"}}, {"a1": UNWELCOME}, id="its labels match"),
        pytest.param({"matchLabels": {"team": "x"}}, None, id="its labels do not match"),
    ],
)
def test_terms_of_placed_pods_read_the_namespace_of_the_incoming_pod(
    selector: Json, expected: dict[str, tuple[str, str]] | None
) -> None:
    world = world_with()
    affinity = far(term(WEB, HOSTNAME, namespaceSelector=selector))
    world.placed("o", "a1", {"affinity": affinity}, namespace="other")
    assert filtered(world, world.pod("p", labels={"app": "web"})) == expected


def test_a_selector_that_cannot_be_parsed_rejects_the_pod() -> None:
    world = world_with()
    bad = {"matchExpressions": [{"key": "app", "operator": "Near"}]}
    pod = world.pod("p", {"affinity": near(term(bad))})
    status = PLUGIN.pre_filter(CycleState(), pod, world.snapshot).status
    assert (status.code, status.message) == (
        Code.UNSCHEDULABLE_AND_UNRESOLVABLE,
        'parsing pod: requiredAffinityTerms: "Near" is not a valid label selector operator',
    )


def test_extension_points_without_their_data_are_errors() -> None:
    world = world_with()
    pod, state, nodes = world.pod("p"), CycleState(), world.snapshot.nodes
    (rejection,) = PLUGIN.filter(state, pod, nodes)
    text = 'error reading "PreFilterInterPodAffinity" from cycleState: not found'
    assert (rejection.reason, rejection.code, bool(rejection.nodes.all())) == (
        text,
        Code.ERROR,
        True,
    )
    assert PLUGIN.remove_pod(state, pod, pod, nodes.copy_row(0)).message == text
    score = PLUGIN.score(state, pod, world.snapshot, world.rows("a1"))
    assert isinstance(score, Status)
    assert score.message == ('failed to read "PreScoreInterPodAffinity" from cycleState: not found')


def scored(world: World, affinity: Json, args: InterPodAffinityArgs) -> list[int] | None:
    """Return raw scores of all nodes for a web pod, or None if scoring is skipped."""
    pod = world.pod("new", {"affinity": affinity}, labels={"app": "web"})
    state, rows = CycleState(), world.rows(*ZONES)
    plugin = InterPodAffinity(args)
    if plugin.pre_score(state, pod, world.snapshot, rows).code is Code.SKIP:
        return None
    raw = plugin.score(state, pod, world.snapshot, rows)
    assert isinstance(raw, np.ndarray)
    scores: list[int] = raw.tolist()
    return scores


LIKES = rather("podAffinity", 10, term(WEB))
SHUNS = rather("podAntiAffinity", 10, term(WEB))
NO_ARGS = InterPodAffinityArgs()
IGNORING = InterPodAffinityArgs(ignore_preferred_terms_of_existing_pods=True)
SCORE_CASES = [
    pytest.param([], LIKES, NO_ARGS, None, id="scoring is skipped when nobody has a say"),
    pytest.param(
        [("web", "bare", {})], LIKES, NO_ARGS, None, id="a pod outside all domains has no say"
    ),
    pytest.param(
        [("web", "a1", {}), ("web", "a2", {}), ("web", "b1", {})],
        LIKES,
        NO_ARGS,
        [20, 20, 10, 0],
        id="every matching pod brings the term's weight to its domain",
    ),
    pytest.param(
        [("web", "a1", {})], SHUNS, NO_ARGS, [-10, -10, 0, 0], id="anti-affinity takes it away"
    ),
    pytest.param(
        [("db", "a1", LIKES), ("db", "b1", SHUNS)],
        {},
        NO_ARGS,
        [10, 10, -10, 0],
        id="preferred terms of placed pods count for pods without any",
    ),
    pytest.param(
        [("db", "a1", LIKES), ("db", "b1", SHUNS)],
        {},
        IGNORING,
        None,
        id="unless they are to be ignored",
    ),
    pytest.param(
        [("db", "a1", LIKES), ("web", "b1", {})],
        LIKES,
        IGNORING,
        [10, 10, 10, 0],
        id="which does not matter for a pod with preferred terms of its own",
    ),
    pytest.param(
        [("db", "a1", near(term(WEB)))],
        {},
        InterPodAffinityArgs(hard_pod_affinity_weight=7),
        [7, 7, 0, 0],
        id="required affinity of placed pods has the weight of the arguments",
    ),
    pytest.param(
        [("db", "a1", near(term(WEB)))],
        {},
        InterPodAffinityArgs(hard_pod_affinity_weight=0),
        None,
        id="and none at all if that is zero",
    ),
    pytest.param(
        [("db", "a1", LIKES), ("db", "a2", SHUNS)],
        {},
        NO_ARGS,
        [0, 0, 0, 0],
        id="weights that cancel each other are a say all the same",
    ),
]


@pytest.mark.parametrize(("placed", "affinity", "args", "expected"), SCORE_CASES)
def test_raw_scores(
    placed: list[tuple[str, str, Json]],
    affinity: Json,
    args: InterPodAffinityArgs,
    expected: list[int] | None,
) -> None:
    assert scored(world_with(*placed), affinity, args) == expected


def test_replicas_count_each_and_those_outside_all_domains_do_not_silence_the_others() -> None:
    world = world_with()
    first = world.placed("r0", "a1", labels={"app": "web"})
    for number, node in enumerate(["a1", "bare"], 1):
        replica = replace(first, name=f"r{number}", uid=f"r{number}")
        world.cache.add_pod(replica, node)
    assert scored(world, LIKES, NO_ARGS) == [20, 20, 0, 0]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param([7, 7], [0, 0], id="equal scores are all zero"),
        pytest.param([-10, 0, 10], [0, 50, 100], id="negative scores are lifted"),
        pytest.param([0, 29, 100], [0, 28, 100], id="0.29 * 100 is 28.999… and cut off"),
    ],
)
def test_normalised_scores(raw: list[int], expected: list[int]) -> None:
    assert normalise(np.array(raw, np.int64)).tolist() == expected


def hinted(world: World, kind: int, pod: PodInfo, old: Any, new: Any) -> bool:
    hint = PLUGIN.events_to_register()[kind].hint
    assert hint is not None
    return hint(pod, world.change(old, new))


def test_hints_for_pods() -> None:
    world = world_with()
    waiting = world.pod("p", {"affinity": near(term(WEB)) | far(term(DB))}, labels={"app": "x"})
    web = world.placed("w", "a1", labels={"app": "web"})
    database = world.placed("w", "a1", labels={"app": "db"})
    hater = world.placed("h", "a1", {"affinity": far(term({"matchLabels": {"app": "x"}}))})
    other = world.placed("o", "a1", labels={"app": "other"})
    expected = {
        "a wanted pod comes": (None, web, True),
        "an unwanted pod comes": (None, database, False),
        "a wanted pod without a place comes": (None, world.pod("n", labels={"app": "web"}), False),
        "an unwanted pod goes": (database, None, True),
        "a pod that does not want this one goes": (hater, None, True),
        "a wanted pod goes": (web, None, False),
        "a pod becomes a wanted one": (other, web, True),
        "a pod stops being an unwanted one": (database, other, True),
        "a pod stops being a wanted one": (web, other, False),
        "the pod itself is relabelled": (waiting, waiting, True),
    }
    found = {what: hinted(world, 0, waiting, old, new) for what, (old, new, _) in expected.items()}
    assert found == {what: queued for what, (_, _, queued) in expected.items()}


@pytest.mark.parametrize(
    ("affinity", "queued"),
    [
        pytest.param(near(term(WEB)), [True, False, True, False, True, False], id="affinity"),
        pytest.param(far(term(WEB)), [True, True, False, True, True, False], id="anti-affinity"),
    ],
)
def test_hints_for_nodes(affinity: Json, queued: list[bool]) -> None:
    """A node with the key comes, one without; it gets, loses, changes, keeps the key."""
    world = world_with()
    waiting = world.pod("p", {"affinity": affinity})
    a, b = world.node_info("n", {ZONE: "a"}), world.node_info("n", {ZONE: "b"})
    none = world.node_info("n", {})
    changes = [(None, a), (None, none), (none, a), (a, none), (a, b), (a, a)]
    assert [hinted(world, 1, waiting, old, new) for old, new in changes] == queued


def table(counts: TermCounts) -> dict[tuple[str, str], int]:
    """Return the domains with a match, as upstream's map has them."""
    found = {}
    for key, domains in counts.by_key.items():
        for value in [*(domains.classes.values if domains.classes else ()), *domains.changes]:
            if isinstance(value, str) and domains.of(value):
                found[key, value] = domains.of(value)
    return found


def tables(state: object) -> list[dict[tuple[str, str], int]]:
    assert isinstance(state, AffinityState)
    return [table(state.existing), table(state.affinity), table(state.anti)]


terms = st.builds(
    term, st.sampled_from([WEB, DB, {}, None]), st.sampled_from([ZONE, HOSTNAME, "absent"])
)
affinities = st.builds(
    lambda n, f: {**near(*n), **far(*f)}, st.lists(terms, max_size=2), st.lists(terms, max_size=2)
)
apps = st.sampled_from(["web", "db"])
somewhere = st.sampled_from(list(ZONES))


@pytest.mark.property
@settings(deadline=None)
@given(
    st.lists(st.tuples(apps, somewhere, affinities), max_size=5),
    affinities,
    st.tuples(apps, somewhere, affinities),
)
def test_adding_a_pod_is_what_counting_anew_gives_and_removing_it_undoes_it(
    placed: list[tuple[str, str, Json]], affinity: Json, more: tuple[str, str, Json]
) -> None:
    world = world_with(("db", "a1", far(term(WEB, "absent"))), *placed)
    # A term that matches itself keeps Filter from being skipped.
    spec = {"affinity": {**affinity, **near(term(WEB), *[])}}
    pod = world.pod("new", spec, labels={"app": "web"})
    app, node, affinity_of_other = more
    state = CycleState()
    PLUGIN.pre_filter(state, pod, world.snapshot)
    before = tables(state.read("PreFilterInterPodAffinity"))
    dry, one = state.clone(), world.snapshot.nodes.copy_row(world.copy_of(node))
    other = world.pod("other", {"affinity": affinity_of_other}, labels={"app": app})
    PLUGIN.add_pod(dry, pod, other, one)
    world.cache.add_pod(other, node)
    again = CycleState()
    PLUGIN.pre_filter(again, pod, world.snapshot)
    recount = tables(again.read("PreFilterInterPodAffinity"))
    assert tables(dry.read("PreFilterInterPodAffinity")) == recount
    assert tables(state.read("PreFilterInterPodAffinity")) == before
    PLUGIN.remove_pod(dry, pod, other, one)
    assert tables(dry.read("PreFilterInterPodAffinity")) == before
