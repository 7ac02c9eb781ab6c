"""Dry runs in columns say what dry runs one by one say; only what has changed is tried again."""

from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Search, heap_tie_break, schedule
from gpusched.kube.engine import FastEngine
from gpusched.kube.framework.interface import PostFilterResult
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins import IN_TREE
from gpusched.kube.plugins.default_preemption import DefaultPreemption, plugin, victims
from gpusched.kube.plugins.default_preemption.dry_runs import DryRuns
from tests.kube.engine.clusters import Cluster, profile_of

NODES = 6
APP = {"matchLabels": {"app": "guarded"}}


def pod(cpu: str, priority: int, labels: dict[str, str] | None = None) -> dict[str, Any]:
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"labels": labels or {}},
        "spec": {"containers": [container], "priority": priority},
    }


VICTIMS = {
    "low": pod("1", 0),
    "lower": pod("2", -5),
    "guarded": pod("1", 0, {"app": "guarded"}),
    "high": pod("1", 100),
}
PREEMPTORS = {"one": pod("2", 10), "two": pod("4", 10), "high": pod("3", 200)}
rows = st.integers(0, NODES - 1)


class Slow(DefaultPreemption):
    """Tries every node, and remembers nothing."""

    def _nodes_may_be_alike(self, *_: object) -> bool:
        return False


def budget(allowed: int, disrupted: Sequence[str]) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"namespace": "default", "name": "b"},
        "spec": {"selector": APP, "minAvailable": 1},
        "status": {
            "disruptionsAllowed": allowed,
            "disruptedPods": dict.fromkeys(disrupted, "2026-01-01T00:00:00Z"),
            "currentHealthy": 1,
            "desiredHealthy": 1,
            "expectedPods": 1,
        },
    }


class Machine(RuleBasedStateMachine):
    """Pods come, go and start; nominations and budgets change; preemptors try in between."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(FastEngine)
        self.start = 0
        few = {"minCandidateNodesAbsolute": 2, "minCandidateNodesPercentage": 1}
        config = [{"name": "DefaultPreemption", "args": few}]
        nominator = self.cluster.nominator
        self.frameworks = [
            Framework(
                profile_of({"pluginConfig": config}),
                {**IN_TREE, "DefaultPreemption": kind.create},
                nominator,
                lambda bound: self.start % bound,
            )
            for kind in (DefaultPreemption, Slow)
        ]
        self.placed: list[PodInfo] = []
        for number in range(NODES):
            self.put_node(number, closed=False)
            for kind in ("lower", "low", "guarded"):
                self.place(kind, number, 1)
        self.nominated: list[PodInfo] = []
        self.budget: dict[str, Any] | None = None

    @rule(number=rows, closed=st.booleans())
    def put_node(self, number: int, closed: bool) -> None:
        self.cluster.put_node(f"n{number}", unschedulable=closed)

    @rule(kind=st.sampled_from(sorted(VICTIMS)), number=rows, count=st.integers(1, 3))
    def place(self, kind: str, number: int, count: int) -> None:
        for _ in range(count):
            info = self.cluster.pod(kind, VICTIMS[kind])
            self.cluster.cache.add_pod(info, f"n{number}")
            self.placed.append(info)

    @rule(at=rows)
    def take(self, at: int) -> None:
        if self.placed:
            self.cluster.cache.remove_pod(self.placed.pop(at % len(self.placed)))

    @rule(at=rows, start=st.one_of(st.none(), st.integers(0, 5)))
    def restart(self, at: int, start: int | None) -> None:
        if self.placed:
            info = self.placed[at % len(self.placed)]
            info.start_time = start
            self.cluster.cache.update_pod(info, info)

    @rule(kind=st.sampled_from(sorted(PREEMPTORS)), number=rows)
    def nominate(self, kind: str, number: int) -> None:
        info = self.cluster.pod(f"preemptor {kind}", PREEMPTORS[kind])
        self.nominated.append(info)
        self.cluster.nominator.add(info, f"n{number}")

    @rule(at=rows)
    def forget(self, at: int) -> None:
        if self.nominated:
            self.cluster.nominator.remove(self.nominated.pop(at % len(self.nominated)).uid)

    @rule(allowed=st.integers(0, 2), at=rows)
    def guard(self, allowed: int, at: int) -> None:
        gone = [self.placed[at % len(self.placed)].name] if self.placed else []
        self.budget = budget(allowed, gone)
        self.cluster.put(self.budget)

    @rule()
    def unguard(self) -> None:
        if self.budget is not None:
            self.cluster.drop(self.budget)
            self.budget = None

    @invariant()
    def everybody_is_told_the_same(self) -> None:
        """Nominated pods try again, too: they do not stand in their own way."""
        self.start = (self.start + 1) % NODES
        fresh = [self.cluster.pod(f"preemptor {kind}", PREEMPTORS[kind]) for kind in PREEMPTORS]
        for info in (*fresh, *self.nominated[:2]):
            given, wanted = (facts(self.result(framework, info)) for framework in self.frameworks)
            assert given == wanted

    def result(self, framework: Framework, info: PodInfo) -> PostFilterResult | None:
        snapshot = self.cluster.cache.snapshot()
        return schedule(framework, snapshot, info, Search(0, 100, heap_tie_break)).post_filter


def facts(result: PostFilterResult | None) -> object:
    if result is None:
        return None
    candidates = [
        (found.node, [victim.uid for victim in found.pods], found.violations)
        for found in result.candidates
    ]
    return result.status, result.nominated_node, candidates


TestDryRuns = Machine.TestCase
TestDryRuns.settings = settings(max_examples=25, stateful_step_count=30)


def test_victims_that_a_budget_parts_are_put_in_order_by_their_age() -> None:
    """Two nodes alike but for that: one has victims of one age, which stay as the budget parted."""
    machine = Machine()
    for info in machine.placed:
        machine.cluster.cache.remove_pod(info)
    machine.placed.clear()
    for number, start in enumerate((5, 3)):
        for kind, age in (("low", start), ("guarded", 5)):
            machine.place(kind, number, 1)
            machine.placed[-1].start_time = age
    for number in range(2):
        machine.place("high", number, 2)
    for number in range(2, NODES):
        machine.put_node(number, closed=True)
    machine.guard(0, 2)
    machine.everybody_is_told_the_same()


def test_a_preemptor_tries_the_nodes_that_have_changed_since_its_like_did(monkeypatch: Any) -> None:
    cluster = Cluster(FastEngine)
    for number in range(200):
        cluster.put_node(f"n{number}")
        for _ in range(4):
            info = cluster.pod("low", VICTIMS["low"])
            info.start_time = 0
            cluster.cache.add_pod(info, f"n{number}")
    tried: list[int] = []
    looked_at: list[int] = []
    select, answer = victims.select_victims, DryRuns._note

    def counting(*arguments: Any) -> Any:
        tried.append(1)
        return select(*arguments)

    def noting(self: Any, row: int, found: Any) -> None:
        looked_at.append(row)
        answer(self, row, found)

    monkeypatch.setattr(plugin, "select_victims", counting)
    monkeypatch.setattr(DryRuns, "_note", noting)
    for number in range(50):
        info = cluster.pod("preemptor", PREEMPTORS["one"])
        result = cluster.attempt(info).post_filter
        assert result is not None
        assert result.candidates[0].node == f"n{number}"
        cluster.nominator.add(info, result.candidates[0].node)
    # A hundred nodes are candidates at first; then the one that somebody was nominated to is
    # looked at again. Nodes are alike before, and alike after: two dry runs.
    assert (len(looked_at), len(tried)) == (100 + 49, 2)
