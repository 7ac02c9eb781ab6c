"""Tolerations: which taints they bear."""

import pytest

from gpusched.cluster.node import Taint
from gpusched.cluster.tolerations import Toleration, repelled, tolerations_of, untolerated_counts
from tests.cluster.builders import Json, add_node, empty_cache, pod

GPU = Taint("gpu", "h100", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "bears"),
    [
        pytest.param(Toleration("gpu", "Equal", "h100", "NoSchedule"), True, id="all equal"),
        pytest.param(Toleration("gpu", "", "h100", ""), True, id="no operator means Equal"),
        pytest.param(Toleration("gpu", "Equal", "a100", "NoSchedule"), False, id="another value"),
        pytest.param(Toleration("gpu", "Exists", "", "NoSchedule"), True, id="any value"),
        pytest.param(Toleration("gpu", "Exists", "", "NoExecute"), False, id="another effect"),
        pytest.param(Toleration("cpu", "Exists", "", ""), False, id="another key"),
        pytest.param(Toleration("", "Exists", "", ""), True, id="everything"),
        pytest.param(Toleration("gpu", "Gt", "1", ""), False, id="Gt never holds in 1.36"),
        pytest.param(Toleration("gpu", "Nope", "h100", ""), False, id="an unknown operator"),
    ],
)
def test_a_toleration_bears_a_taint(toleration: Toleration, bears: bool) -> None:
    assert toleration.tolerates(GPU) is bears


def taint(key: str, effect: str) -> Json:
    return {"key": key, "effect": effect}


def test_counts_are_by_node_and_by_effect() -> None:
    cache = empty_cache()
    add_node(cache, "free")
    add_node(cache, "soft", spec={"taints": [taint("a", "PreferNoSchedule")]})
    add_node(cache, "hard", spec={"taints": [taint("a", "NoSchedule"), taint("b", "NoExecute")]})
    tolerations = tolerations_of(pod(cache, tolerations=[{"key": "b", "operator": "Exists"}]).shape)
    hard = frozenset({"NoSchedule", "NoExecute"})
    assert untolerated_counts(cache.nodes, tolerations, hard).tolist() == [0, 0, 1]
    assert untolerated_counts(cache.nodes, (), hard).tolist() == [0, 0, 2]
    assert repelled(cache.nodes, ()).tolist() == [False, False, True]
    assert untolerated_counts(empty_cache().nodes, (), hard).tolist() == []
