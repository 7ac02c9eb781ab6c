"""Failures remembered: how long, and what must make the engine ask again."""

from collections.abc import Iterator

import pytest

from gpusched.kube.cycle import Result
from gpusched.kube.engine import FastEngine, ScanEngine, VerifyEngine, failures
from gpusched.kube.engine.interface import Engine
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins import IN_TREE
from tests.kube.engine.clusters import ZONE, Cluster
from tests.kube.engine.templates import PODS


@pytest.fixture
def full() -> Iterator[Cluster]:
    """Two nodes with room for one large pod each, and one on each."""
    cluster = Cluster(VerifyEngine)
    for name in ("n0", "n1"):
        cluster.put_node(name, labels={ZONE: "a"})
    cluster.attempts("large", PODS["large"], 3)
    yield cluster
    scans = cluster.engine.statistics.attempts["scan"]
    assert scans == cluster.engine.statistics.fallbacks["no node fits"]


def scans(cluster: Cluster) -> int:
    return cluster.engine.statistics.attempts["scan"]


def leave(cluster: Cluster) -> None:
    cluster.remove(next(iter(cluster.pods.values())))


def test_a_fleet_that_is_full_again_is_not_asked_again(full: Cluster) -> None:
    before = scans(full)
    for _ in range(4):
        leave(full)
        results = [attempt.result for attempt in full.attempts("large", PODS["large"], 3)]
        assert results == [Result.SCHEDULED, Result.UNSCHEDULABLE, Result.UNSCHEDULABLE]
    assert scans(full) == before


def test_a_fleet_that_is_full_of_others_is_asked_again(full: Cluster) -> None:
    before = scans(full)
    leave(full)
    full.attempts("small", PODS["small"], 2)
    full.attempts("large", PODS["large"], 2)
    assert scans(full) == before + 1


def test_the_less_important_may_have_come_meanwhile(full: Cluster) -> None:
    """The amounts are the same, but now there is somebody to push aside."""
    urgent = {"spec": {**PODS["large"]["spec"], "priority": 100}}
    for _ in range(2):
        leave(full)
    full.attempts("urgent", urgent, 2)
    assert full.attempts("urgent", urgent, 1)[0].post_filter is not None
    leave(full)
    full.attempts("large", PODS["large"], 1)
    result = full.attempts("urgent", urgent, 1)[0].post_filter
    assert result is not None
    assert result.candidates


def test_a_new_node_object_is_looked_at(full: Cluster) -> None:
    elsewhere = {"spec": {**PODS["small"]["spec"], "nodeSelector": {ZONE: "b"}}}
    assert full.attempts("elsewhere", elsewhere, 1)[0].result is Result.UNSCHEDULABLE
    full.put_node("n1", labels={ZONE: "b"})
    assert full.attempts("elsewhere", elsewhere, 1)[0].result is Result.SCHEDULED


def test_failures_are_kept_of_so_many_shapes(
    full: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_MOST_FAILURES", 3)
    before = scans(full)
    specs = [{**PODS["large"]["spec"], "hostname": f"h-{number}"} for number in range(4)]
    for number, spec in enumerate(specs):
        full.attempts(f"large {number}", {"spec": spec}, 2)
    assert scans(full) == before + 4
    full.attempts("large 3", {"spec": specs[3]}, 1)
    assert scans(full) == before + 4
    full.attempts("large 0", {"spec": specs[0]}, 1)
    assert scans(full) == before + 5


@pytest.mark.parametrize("make_engine", [FastEngine, ScanEngine])
def test_preemption_draws_as_often_as_pods_have_gone(make_engine: type[Engine]) -> None:
    """Whatever is remembered of a changed fleet: the draws after it are not shifted by that."""
    cluster = Cluster(make_engine)
    drawn: list[int] = []

    def draw(bound: int) -> int:
        drawn.append(bound)
        return 0

    profile, nominator = cluster.framework.profile, cluster.nominator
    cluster.framework = Framework(profile, IN_TREE, nominator, draw)
    for name in ("n0", "n1"):
        cluster.put_node(name, labels={ZONE: "a"})
    cluster.attempts("large", PODS["large"], 3)
    for _ in range(4):
        leave(cluster)
        cluster.attempts("large", PODS["large"], 2)
    assert drawn == [2] * 5
