"""One attempt at its edges: nobody to choose between, errors out of sight, no place found."""

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.kube.cycle import NO_NODES, Result, Search, schedule
from gpusched.kube.framework.status import Code
from tests.cluster.builders import pod
from tests.kube.framework.fakes import Filters, Scores, framework
from tests.kube.framework.test_cycle import attempt, cluster


def test_nobody_is_asked_to_break_a_tie_where_there_is_none() -> None:
    def never(_snapshot: Snapshot, _feasible: Ints, _best: Ints) -> int:
        raise AssertionError

    cache = cluster(2)
    plugins = framework(Scores(points={"n1": 1}))
    found = schedule(plugins, cache.snapshot(), pod(cache), Search(0, 100, never))
    assert (found.result, found.row) == (Result.SCHEDULED, 1)


def test_an_attempt_that_fails_has_no_row() -> None:
    found = attempt(cluster(1), framework(Filters(rejects={"n0": [("no", Code.UNSCHEDULABLE)]})))
    assert (found.result, found.row) == (Result.UNSCHEDULABLE, -1)
    assert (found.feasible.tolist(), found.ties.tolist()) == ([], [])


def test_without_nodes_upstream_s_words_are_used() -> None:
    assert attempt(cluster(0), framework(Scores())).message == NO_NODES
    assert NO_NODES == "no nodes available to schedule pods"


def test_an_error_behind_the_last_node_that_is_looked_at_is_not_heard() -> None:
    """Without scores one feasible node is enough: the search stops at the second one."""
    plugins = framework(Filters(rejects={"n2": [("broken", Code.ERROR)]}))
    found = attempt(cluster(3), plugins)
    assert (found.result, found.row, found.error) == (Result.SCHEDULED, 0, "")
