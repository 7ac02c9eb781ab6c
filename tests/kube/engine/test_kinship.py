"""Pods that differ in labels and owner alone: one plan for all, until somebody reads them."""

from typing import Any

import pytest

from gpusched.kube.cycle import Result
from gpusched.kube.engine import FastEngine, VerifyEngine
from tests.kube.engine.clusters import HOSTNAME, ZONE, Cluster
from tests.kube.engine.templates import OBJECTS, PODS

ROOM = {"cpu": "64", "memory": "256Gi", "pods": "400"}


def cluster_of(engine: Any, nodes: int, allocatable: dict[str, str] | None = None) -> Cluster:
    cluster = Cluster(engine)
    for number in range(nodes):
        zone = "abc"[number % 3]
        cluster.put_node(f"n{number}", labels={ZONE: zone}, allocatable=allocatable or ROOM)
    return cluster


def alone(cluster: Cluster, template: str, count: int = 1) -> list[Result]:
    """Try pods each of which has a label of its own."""
    pods = [cluster.pod(template, PODS[template], alone=True) for _ in range(count)]
    return [cluster.attempt(pod).result for pod in pods]


def plans(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by every plan that is made."""
    made: list[str] = []
    make = cluster.engine._make_plan  # type: ignore[attr-defined] # counted where they are made

    def count(*arguments: Any) -> Any:
        made.append("plan")
        return make(*arguments)

    monkeypatch.setattr(cluster.engine, "_make_plan", count)
    return made


def test_pods_with_a_label_each_share_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = cluster_of(FastEngine, 6)
    made = plans(cluster, monkeypatch)
    alone(cluster, "small", 40)
    assert len(made) == 1
    assert cluster.engine.statistics.attempts == {"fast": 40}


@pytest.mark.parametrize("template", ["owned by a set", "even zones", "rather even hosts"])
def test_pods_that_are_spread_alike_share_one_plan(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A StatefulSet's pods have their names as a label; what they are spread by is the same."""
    cluster = cluster_of(FastEngine, 6)
    cluster.put(OBJECTS["stateful set"])
    made = plans(cluster, monkeypatch)
    alone(cluster, template, 40)
    assert len(made) == 1
    cluster.put(OBJECTS["service"])
    alone(cluster, template, 40)
    assert len(made) == 2


def test_a_constraint_that_counts_some_of_the_kin_parts_them_from_the_rest() -> None:
    """Those with an index are counted, so that one more of them makes the zone fuller."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchExpressions": [{"key": "index", "operator": "Exists"}]},
    }
    spec = {**PODS["small"]["spec"], "topologySpreadConstraints": [constraint]}
    cluster = cluster_of(VerifyEngine, 3)
    cluster.put_node("n2", labels={ZONE: "c"}, unschedulable=True)
    for at in range(12):
        cluster.attempt(cluster.pod("counted", {"spec": spec}, alone=at % 3 == 0))


def test_terms_that_mean_others_do_not_part_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever keeps away from "web" pods is of no interest to others."""
    cluster = cluster_of(FastEngine, 6)
    alone(cluster, "far")
    made = plans(cluster, monkeypatch)
    alone(cluster, "small", 40)
    assert len(made) == 1


def test_a_failure_of_one_is_that_of_all() -> None:
    cluster = cluster_of(FastEngine, 6, {"cpu": "4"})
    alone(cluster, "too large", 40)
    alone(cluster, "large", 10)
    assert cluster.engine.statistics.attempts == {"fast": 6, "scan": 2, "remembered": 42}


def test_a_pod_that_keeps_away_from_a_label_parts_those_that_have_it() -> None:
    cluster = cluster_of(VerifyEngine, 2)
    assert alone(cluster, "lone", 2) + alone(cluster, "web", 2) == [Result.SCHEDULED] * 4
    for number in range(2):
        cluster.cache.add_pod(cluster.pod("far", PODS["far"]), f"n{number}")
    assert alone(cluster, "web", 2) == [Result.UNSCHEDULABLE] * 2
    assert alone(cluster, "lone", 2) == [Result.SCHEDULED] * 2


def test_replicas_are_parted_from_their_kin_once_somebody_keeps_away_from_them() -> None:
    """And are one with them again when that pod has gone."""
    cluster = cluster_of(VerifyEngine, 2)
    far = cluster.pod("far", PODS["far"])
    for _ in range(2):
        cluster.attempts("web", PODS["web"], 2)
        cluster.attempts("lone", PODS["lone"], 2)
        cluster.cache.add_pod(far, "n0")
        cluster.attempts("web", PODS["web"], 2)
        cluster.attempts("lone", PODS["lone"], 2)
        cluster.cache.remove_pod(far)


def test_a_service_parts_those_that_it_selects() -> None:
    """They are spread over zones from then on, which the others are not."""
    cluster = cluster_of(VerifyEngine, 6)
    for template in ("web", "lone", "owned web"):
        alone(cluster, template, 3)
    cluster.put(OBJECTS["service"])
    for template in ("web", "lone", "owned web") * 3:
        alone(cluster, template, 3)
    cluster.drop(OBJECTS["service"])
    cluster.put(OBJECTS["replica set"])
    for template in ("web", "lone", "owned web") * 3:
        alone(cluster, template, 3)


def test_labels_named_by_a_spread_constraint_part_their_pods() -> None:
    """By ``matchLabelKeys`` each pod is spread among its like alone."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": HOSTNAME,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    cluster = cluster_of(VerifyEngine, 3)
    for keys in ([], ["index"]):
        own = {"topologySpreadConstraints": [{**constraint, "matchLabelKeys": keys}]}
        obj = {**PODS["web"], "spec": {**PODS["web"]["spec"], **own}}
        for _ in range(12):
            cluster.attempt(cluster.pod("indexed", obj, alone=True))
