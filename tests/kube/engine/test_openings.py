"""Openings: where followed plugins let pods go, told as the scan tells it, with little work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gpusched.cluster.tally import Tally
from gpusched.kube.engine import FastEngine, VerifyEngine
from gpusched.kube.engine.openings import Openings
from gpusched.kube.framework.interface import OpenDomains
from gpusched.kube.plugins.inter_pod_affinity import InterPodAffinity
from gpusched.kube.plugins.pod_topology_spread import PodTopologySpread
from tests.kube.engine.clusters import HOSTNAME, ZONE, Cluster
from tests.kube.engine.templates import OBJECTS, PODS, PROFILES, pod

FOLLOWED = ("even zones", "even hosts", "near", "far", "rather near", "rather far")
SOFT = ("rather even", "rather even hosts", "rather even everywhere", "owned web", "controlled")


def cluster_of(engine: Any, nodes: int, **more: Any) -> Cluster:
    cluster = Cluster(engine, **more)
    for name in ("service", "replica set", "controller"):
        cluster.put(OBJECTS[name])
    for number in range(nodes):
        cluster.put_node(
            f"n{number}",
            labels={ZONE: "abc"[number % 3]},
            allocatable={"cpu": "64", "memory": "99Gi", "pods": "99"},
        )
    return cluster


def both(*names: str) -> dict[str, Any]:
    """Return a template with what several have."""
    spec: dict[str, Any] = {"containers": PODS[names[0]]["spec"]["containers"]}
    for name in names:
        more = dict(PODS[name]["spec"])
        affinity = {**spec.get("affinity", {}), **more.pop("affinity", {})}
        spec.update(more, **({"affinity": affinity} if affinity else {}))
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


@pytest.mark.parametrize("second", FOLLOWED)
@pytest.mark.parametrize("first", FOLLOWED)
@pytest.mark.parametrize("percentage", [0, 100])
def test_plugins_that_follow_pods_decide_as_those_that_count_anew(
    first: str, second: str, percentage: int
) -> None:
    cluster = cluster_of(VerifyEngine, 9)
    cluster.percentage = percentage
    for at in range(24):
        name = (first, second, "web", "both")[at % 4]
        template = both(first, second) if name == "both" else PODS[name]
        cluster.attempt(cluster.pod(name, template))
        if at % 5 == 4 and cluster.pods:
            cluster.remove(cluster.pods[sorted(cluster.pods)[at % len(cluster.pods)]])
    assert cluster.engine.statistics.attempts["fast"] > 0


@pytest.mark.parametrize("profile", ["default", "spreads by default as it was told"])
@pytest.mark.parametrize("second", FOLLOWED)
@pytest.mark.parametrize("first", SOFT)
@pytest.mark.parametrize("percentage", [0, 100])
def test_soft_spreading_that_follows_pods_scores_as_if_it_counted_anew(
    first: str, second: str, percentage: int, profile: str
) -> None:
    """Zones and hosts without names, nodes without either, and nodes where there is no room."""
    cluster = cluster_of(VerifyEngine, 120, profile=PROFILES[profile])
    cluster.percentage = percentage
    cluster.put_node("n5", labels={ZONE: None, "pool": "p"})
    cluster.put_node("n7", labels={ZONE: "", HOSTNAME: None, "pool": "p"})
    for at in range(30):
        name = (first, second, "controlled")[at % 3]
        cluster.attempt(cluster.pod(name, PODS[name]))
        if at % 5 == 4 and cluster.pods:
            leaving = cluster.pods[sorted(cluster.pods)[at % len(cluster.pods)]]
            cluster.replace(leaving, replace(leaving, terminating=True))
        if at % 7 == 6 and cluster.pods:
            cluster.remove(cluster.pods[sorted(cluster.pods)[at % len(cluster.pods)]])
    assert not cluster.engine.statistics.fallbacks - Counter(["no node fits"])


@pytest.mark.parametrize(
    ("template", "changes"),
    [
        ("owned web", ("another replica set", "replica set")),
        ("controlled", ("another controller", "controller")),
    ],
)
def test_owners_that_select_anew_are_heard_of(template: str, changes: Sequence[str]) -> None:
    """The owner is there all the time: deleted and made again, or told to select others."""
    cluster = cluster_of(VerifyEngine, 6)
    cluster.drop(OBJECTS["service"])
    front = pod({"cpu": "250m"}, labels={"tier": "front"})
    for change in (*changes, *changes):
        cluster.attempts(template, PODS[template], 3)
        cluster.attempts("web", PODS["web"], 2)
        cluster.attempts("front", front, 1)
        cluster.put(OBJECTS[change])
        cluster.attempts(template, PODS[template], 3)


def test_an_owner_s_status_makes_no_new_plan() -> None:
    cluster = cluster_of(FastEngine, 60)
    cluster.attempts("owned web", PODS["owned web"], 2)
    before = cluster.engine.statistics.evaluations
    for replicas in range(10):
        cluster.put({**OBJECTS["replica set"], "status": {"replicas": replicas}})
        cluster.attempts("owned web", PODS["owned web"], 1)
    assert cluster.engine.statistics.evaluations - before <= 20


@pytest.mark.parametrize("least", [None, 2, 3, 4])
def test_too_few_domains_count_as_empty(least: int | None) -> None:
    cluster = cluster_of(VerifyEngine, 6)
    constraint = {**PODS["even zones"]["spec"]["topologySpreadConstraints"][0], "minDomains": least}
    template = pod({"cpu": "1"}, labels={"app": "web"}, topologySpreadConstraints=[constraint])
    cluster.attempts("even", template, 8)


def test_namespaces_that_change_their_labels_are_heard_of() -> None:
    cluster = cluster_of(VerifyEngine, 4)
    for name in ("namespace of a team", "namespace of nobody", "namespace of a team"):
        cluster.put(OBJECTS[name])
        for template in ("near a team's", "far from a team's", "web", "near a team's"):
            cluster.attempt(cluster.pod(template, PODS[template]))


def test_nodes_that_change_their_domain_are_heard_of() -> None:
    cluster = cluster_of(VerifyEngine, 6)
    for at in range(12):
        cluster.attempts("even zones", PODS["even zones"], 1)
        cluster.attempts("near", PODS["near"], 1)
        cluster.put_node(f"n{at % 6}", labels={ZONE: "abcd"[at % 4]} if at % 5 else {})


class Refusing:
    """Stands for a plugin's count of whole columns, which nobody should need."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *_args: Any, **_more: Any) -> Any:
        self.calls += 1
        raise AssertionError("counted anew")


@pytest.mark.parametrize("template", ["even zones", "near", "far", "rather near", *SOFT])
def test_once_there_is_a_plan_no_column_is_counted_anew(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_of(FastEngine, 60)
    cluster.attempts("web", PODS["web"], 2)
    cluster.attempts(template, PODS[template], 3)
    monkeypatch.setattr(Tally, "begin", Refusing())
    for plugin in (PodTopologySpread, InterPodAffinity):
        for method in ("pre_filter", "filter", "pre_score", "score"):
            monkeypatch.setattr(plugin, method, Refusing())
    before = cluster.engine.statistics.evaluations
    cluster.attempts(template, PODS[template], 20)
    assert cluster.engine.statistics.evaluations - before <= 20


def test_a_pattern_of_open_domains_is_looked_up_once() -> None:
    class Counted(np.ndarray[Any, Any]):
        looked_up = 0

        def __getitem__(self, at: Any) -> Any:
            Counted.looked_up += 1
            return super().__getitem__(at)

    ids = np.array([0, 1, 2, 0, 1, 2])
    patterns = iter([[1, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 1], [1, 0, 1]])

    def follow() -> Iterator[OpenDomains]:
        is_open = np.array(next(patterns), np.bool_).view(Counted)
        yield OpenDomains(ids, is_open)

    openings = Openings([follow], np.arange(6)[::-1])
    assert openings.mask() is None
    first = openings.mask()
    assert first is not None
    assert first.tolist() == [True, False, True, True, False, True]
    second = openings.mask()
    assert second is not None
    assert second.tolist() == [False, True, True, False, True, True]
    assert openings.mask() is first
    assert openings.mask() is first
    assert Counted.looked_up == 2


def test_hosts_are_domains_too() -> None:
    cluster = cluster_of(VerifyEngine, 8)
    assert (
        HOSTNAME
        in PODS["far"]["spec"]["affinity"]["podAntiAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ][0].values()
    )
    cluster.attempts("far", PODS["far"], 9)
    assert len(cluster.pods) == 8


def test_the_first_of_its_kind_needs_no_scan() -> None:
    cluster = cluster_of(VerifyEngine, 6)
    cluster.attempts("both", both("near"), 3)
    assert cluster.engine.statistics.attempts == {"fast": 3}


@pytest.mark.parametrize("template", ["far", "even hosts"])
def test_a_failure_that_hangs_on_other_pods_is_asked_about_again_at_equal_amounts(
    template: str,
) -> None:
    cluster = cluster_of(VerifyEngine, 1)
    cluster.put_node("n1", labels={ZONE: "a"}, unschedulable=True)
    cluster.attempts("web", PODS["web"], 1)
    failed = cluster.attempts(template, PODS[template], 2)
    assert [attempt.row for attempt in failed] == [-1, -1]
    cluster.remove(cluster.pods[min(cluster.pods)])
    other = pod({"cpu": "500m"}, labels={"app": "other"})
    assert cluster.attempts("other", other, 1)[0].row == 0
    assert cluster.attempts(template, PODS[template], 1)[0].row == 0
