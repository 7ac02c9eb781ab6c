"""What the cache keeps beside the columns: versions, memories, and pods that are replaced."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.cluster.cache import Cache
from gpusched.cluster.domains import DomainCounts
from gpusched.cluster.nodes import NodeState
from gpusched.cluster.pod import PodInfo
from tests.cluster.builders import Json, add_node, container, empty_cache, node, pod

NEAR: Json = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}


def facts(cache: Cache, name: str) -> tuple[Any, ...]:
    """Return all that the cache knows of a node's pods."""
    state = cache.state(name)
    assert state is not None
    counted = [
        sorted((shape.labels["app"], sum(by.values())) for shape, by in table.items())
        for table in (cache.placed, cache.terminating)
    ]
    columns = cache.nodes.columns
    return (
        [each.name for each in state.pods],
        [each.terminating for each in state.pods],
        counted,
        columns.requested[:, 0].tolist(),
        columns.nonzero[:, 0].tolist(),
        columns.counts[:, 0].tolist(),
    )


def filled(shapes: list[str]) -> tuple[Cache, list[PodInfo]]:
    cache = empty_cache()
    add_node(cache, "n")
    pods = []
    for number, shape in enumerate(shapes):
        used = container(ports=[{"containerPort": 80, "hostPort": 80}])
        more: Json = {"containers": [used]} if shape == "port" else {"requests": {"cpu": "1"}}
        pods.append(pod(cache, f"p{number}", metadata={"labels": {"app": shape}}, **more))
        cache.add_pod(pods[-1], "n")
    return cache, pods


@pytest.mark.property
@settings(deadline=None)
@given(
    shapes=st.lists(st.sampled_from(["a", "b", "port"]), min_size=1, max_size=5),
    updates=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["same", "shape", "terminating", "larger"])),
        max_size=6,
    ),
)
def test_replacing_a_pod_comes_to_removing_and_adding_it(
    shapes: list[str], updates: list[tuple[int, str]]
) -> None:
    (quick, here), (slow, there) = filled(shapes), filled(shapes)
    for at, what in updates:
        for cache, pods in ((quick, here), (slow, there)):
            old = pods[at % len(pods)]
            new = replace(old)
            if what == "shape":
                new.shape = replace(old.shape, labels={"app": "c"})
            elif what == "terminating":
                new.terminating = not old.terminating
            elif what == "larger":
                new.accounted = pod(cache, requests={"cpu": "2"}).accounted
            if cache is quick:
                before = cache.nodes.generation
                cache.update_pod(old, new)
                assert cache.nodes.generation > before
            else:
                cache.remove_pod(old)
                cache.add_pod(new, "n")
            pods[at % len(pods)] = new
        assert facts(quick, "n") == facts(slow, "n")


@pytest.mark.property
@settings(deadline=None)
@given(
    shapes=st.lists(st.sampled_from(["a", "b", "port"]), min_size=1, max_size=5),
    touches=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6),
)
def test_touching_a_pod_comes_to_removing_and_adding_it(
    shapes: list[str], touches: list[tuple[int, bool]]
) -> None:
    (quick, here), (slow, there) = filled(shapes), filled(shapes)
    for at, anew in touches:
        touched, taken = here[at % len(here)], there[at % len(there)]
        before, stays = facts(quick, "n"), quick.nodes.generation
        quick.touch_pod(touched, anew=anew)
        slow.remove_pod(taken)
        slow.add_pod(taken, "n")
        assert facts(quick, "n") == facts(slow, "n")
        changed = anew or facts(quick, "n") != before
        assert (quick.nodes.generation > stays) == changed


def test_a_terminating_pod_is_forgotten_when_it_is_gone() -> None:
    cache, pods = filled(["a"])
    leaving = replace(pods[0], terminating=True)
    cache.update_pod(pods[0], leaving)
    assert list(cache.terminating) == [leaving.shape]
    cache.remove_pod(leaving)
    assert not cache.terminating


def test_a_node_s_new_images_count_when_it_is_updated() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    cache.update_node(node(cache, "n", images=[{"names": ["cuda:12"], "sizeBytes": 5}]))
    assert cache.images.get("cuda:12") is not None


def test_plans_hang_on_the_first_and_the_last_pod_with_affinity() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    plain = pod(cache, "plain")
    seen = [cache.plan_version(plain.shape)]

    def changes(move: Any, *moved: Any) -> bool:
        move(*moved)
        seen.append(cache.plan_version(plain.shape))
        return seen[-1] != seen[-2]

    near = pod(cache, "near", affinity=NEAR)
    twin = replace(near, name="twin", uid="twin")
    assert not changes(cache.add_pod, plain, "n")
    assert changes(cache.add_pod, near, "n")
    assert not changes(cache.add_pod, twin, "n")
    assert not changes(cache.remove_pod, near)
    assert changes(cache.remove_pod, twin)


def test_versions_grow_with_what_they_are_about() -> None:
    cache = empty_cache()
    nodes = cache.nodes

    def grown(move: Any, *moved: Any) -> tuple[bool, bool, bool]:
        before = (nodes.version, nodes.layout, nodes.generation)
        move(*moved)
        after = (nodes.version, nodes.layout, nodes.generation)
        assert all(new >= old for old, new in zip(before, after, strict=True))
        return after[0] > before[0], after[1] > before[1], after[2] > before[2]

    used = pod(cache)
    assert grown(cache.add_node, node(cache, "n")) == (True, True, True)
    assert grown(cache.update_node, node(cache, "n")) == (True, False, True)
    assert grown(cache.add_pod, used, "n") == (False, False, True)
    assert grown(cache.remove_pod, used) == (False, False, True)
    assert grown(cache.remove_node, "n") == (True, True, True)


def test_several_answers_are_kept_side_by_side() -> None:
    nodes = empty_cache().nodes
    kept = [nodes.memo(key, lambda _nodes: object()) for key in ("a", "b")]
    assert [nodes.memo(key, lambda _nodes: object()) for key in ("a", "b")] == kept


def test_a_state_has_no_row_before_it_is_added() -> None:
    assert NodeState(None).row == -1


def test_a_state_is_stamped_anew_with_every_pod_that_comes_or_goes() -> None:
    cache, pods = filled(["a", "b"])
    state = cache.state("n")
    assert state is not None
    stamps = [state.stamp]
    for move in (cache.remove_pod, lambda pod: cache.add_pod(pod, "n"), cache.remove_pod):
        move(pods[0])
        stamps.append(state.stamp)
    assert stamps == sorted(set(stamps))


def test_a_resource_that_is_met_later_has_its_row_in_all_columns() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    pod(cache, requests={"new.com/thing": "1"})
    assert cache.nodes.columns.requested.shape[0] == len(cache.resources)


def test_columns_have_as_many_rows_as_they_say() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    assert cache.nodes.nonzero_requested.shape == (2, 1)
    assert cache.nodes.columns.copy_of(0).capacity == 1


def test_counts_of_nothing_have_an_empty_table_whatever_came_since() -> None:
    counts = DomainCounts("zone", changes={"a": 1})
    assert counts.table().tolist() == []
    assert (counts.of("a"), counts.of("b"), counts.of(None), counts.total()) == (1, 0, 0, 1)
