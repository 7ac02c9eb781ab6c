"""Both engines at once: what differs is found, and nothing is drawn twice."""

from collections.abc import Callable

import numpy as np
import pytest

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.kube.cycle import Attempt
from gpusched.kube.engine import EngineDifferenceError, FastEngine, ScanEngine, VerifyEngine
from gpusched.kube.engine.failures import Failures
from gpusched.kube.engine.interface import Engine
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins import IN_TREE
from tests.kube.engine.clusters import Cluster
from tests.kube.engine.templates import PODS

ENGINES = pytest.mark.parametrize("make_engine", [FastEngine, ScanEngine, VerifyEngine])


class Dice:
    """A stream that writes down what was asked of it."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.bounds: list[int] = []

    def draw(self, bound: int) -> int:
        self.bounds.append(bound)
        return int(self.rng.integers(bound))

    def tie_break(self, _snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
        return int(feasible[best[self.draw(len(best))]])


def cluster_with(make_engine: type[Engine], dice: Dice) -> Cluster:
    """Five equal nodes; ties and preemption throw dice."""
    cluster = Cluster(make_engine)
    profile, nominator = cluster.framework.profile, cluster.nominator
    cluster.framework = Framework(profile, IN_TREE, nominator, dice.draw)
    cluster.tie_break = dice.tie_break
    for number in range(5):
        cluster.put_node(f"n{number}")
    return cluster


@ENGINES
def test_a_tie_is_broken_once(make_engine: type[Engine]) -> None:
    dice = Dice()
    rows = [each.row for each in cluster_with(make_engine, dice).attempts("l", PODS["large"], 5)]
    assert dice.bounds == [5, 4, 3, 2]
    assert rows == [4, 2, 1, 0, 3]


@ENGINES
def test_preemption_draws_once_an_attempt_remembered_or_not(make_engine: type[Engine]) -> None:
    dice = Dice()
    cluster = cluster_with(make_engine, dice)
    cluster.attempts("large", PODS["large"], 5)
    dice.bounds.clear()
    urgent = {"spec": {**PODS["large"]["spec"], "priority": 100}}
    cluster.attempts("large", PODS["large"], 2)
    cluster.attempts("urgent", urgent, 2)
    assert dice.bounds == [5, 5, 5, 5]


def test_an_engine_that_draws_less_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = cluster_with(VerifyEngine, Dice())
    cluster.attempts("large", PODS["large"], 6)
    given: Callable[..., Attempt] = lambda _self, known, *_: known.attempt  # noqa: E731
    monkeypatch.setattr(Failures, "_given", given)
    words = r"pod default/p7: the fast engine says bounds of random numbers \[\], the scan \[5\]"
    with pytest.raises(EngineDifferenceError, match=words):
        cluster.attempts("large", PODS["large"], 1)
