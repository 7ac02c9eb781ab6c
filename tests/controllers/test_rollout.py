"""The arithmetic of rollouts: how large each ReplicaSet of a Deployment should be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.controllers import rollout

Json = dict[str, Any]


def replica_set(name: str, size: int, available: int, template: str = "old", **notes: str) -> Json:
    return {
        "metadata": {"name": name, "annotations": notes},
        "spec": {"replicas": size, "template": {"spec": {"version": template}}},
        "status": {"availableReplicas": available, "replicas": size},
    }


def deployment(size: int, surge: Any = "25%", missing: Any = "25%") -> Json:
    rolling = {"maxSurge": surge, "maxUnavailable": missing}
    return {
        "metadata": {"name": "d"},
        "spec": {
            "replicas": size,
            "template": {"spec": {"version": "new"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        },
    }


@pytest.mark.parametrize(
    ("size", "surge", "missing", "wanted"),
    [
        pytest.param(10, "25%", "25%", (3, 2), id="shares: surge rounds up, missing down"),
        pytest.param(8, 0, 1, (0, 1), id="numbers stay as they are"),
        pytest.param(1, "0%", "25%", (0, 1), id="both nothing: one may be missing"),
        pytest.param(2, 0, 5, (0, 2), id="no more may be missing than there are"),
    ],
)
def test_bounds_of_a_rollout(size: int, surge: Any, missing: Any, wanted: tuple[int, int]) -> None:
    assert rollout.bounds(deployment(size, surge, missing)) == wanted


def test_a_new_replica_set_begins_with_the_surge() -> None:
    view = rollout.View(deployment(8), [replica_set("a", 8, 8)])
    assert rollout.initial_size(view) == 2


def test_unavailable_old_pods_go_first() -> None:
    sets = [replica_set("a", 8, 5), replica_set("b", 2, 2, "new")]
    view = rollout.View(deployment(8), sets)
    room = rollout.room_to_shrink(view)
    assert room == 4
    sizes, settled = rollout.without_unhealthy(view, room)
    assert [(item["metadata"]["name"], size) for item, size in sizes] == [("a", 5)]
    assert settled


def test_nothing_more_goes_while_a_status_lags_behind_the_last_scaling() -> None:
    sets = [replica_set("a", 4, 3), replica_set("b", 4, 5), replica_set("c", 2, 1, "new")]
    view = rollout.View(deployment(8), sets)
    sizes, settled = rollout.without_unhealthy(view, rollout.room_to_shrink(view))
    assert [(item["metadata"]["name"], size) for item, size in sizes] == [("a", 3)]
    assert not settled


def test_a_lagging_status_does_not_matter_once_the_room_is_spent() -> None:
    sets = [replica_set("a", 4, 3), replica_set("b", 4, 5)]
    view = rollout.View(deployment(8), sets)
    _, settled = rollout.without_unhealthy(view, 1)
    assert settled


def test_a_full_node_with_no_missing_pod_allowed_is_a_deadlock() -> None:
    sets = [replica_set("a", 8, 8), replica_set("b", 2, 0, "new")]
    view = rollout.View(deployment(8, "25%", 0), sets)
    assert rollout.room_to_shrink(view) == 0
    assert rollout.size_of_new(view) == 2


def test_scaling_during_a_rollout_keeps_the_shares() -> None:
    notes = {rollout.DESIRED: "10", rollout.MAXIMUM: "13"}
    sets = [replica_set("a", 8, 8, **notes), replica_set("b", 5, 5, "new", **notes)]
    view = rollout.View(deployment(20), sets)
    sizes = {item["metadata"]["name"]: size for item, size in rollout.proportional_sizes(view)}
    assert sizes == {"a": 15, "b": 10}


@given(
    wanted=st.integers(0, 40),
    old=st.lists(st.integers(0, 20), max_size=4),
    new=st.integers(0, 20),
    surge=st.integers(0, 5),
)
def test_scaling_never_leaves_the_bounds(wanted: int, old: list[int], new: int, surge: int) -> None:
    sets = [replica_set(f"o{n}", size, size) for n, size in enumerate(old)]
    sets.append(replica_set("n", new, new, "new"))
    view = rollout.View(deployment(wanted, surge, 0), sets)
    sizes = {item["metadata"]["name"]: item["spec"]["replicas"] for item in view.all}
    sizes |= {item["metadata"]["name"]: size for item, size in rollout.proportional_sizes(view)}
    assert all(size >= 0 for size in sizes.values())
    before, after = sum((*old, new)), sum(sizes.values())
    if sum(size > 0 for size in (*old, new)) > 1 and wanted:
        assert min(before, wanted + surge) <= after <= max(before, wanted + surge)
