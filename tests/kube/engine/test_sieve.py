"""The sieve: it says what Filter says, and asks about the nodes that have changed."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gpusched.cluster.pod import PodInfo
from gpusched.kube.engine import FastEngine
from gpusched.kube.engine.sieve import Sieve
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.outcomes import FilterOutcome
from tests.kube.engine.clusters import ZONE, Cluster

NODES = 7


def spec(cpu: str, priority: int = 0, **more: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    return {"spec": {"containers": [container], "priority": priority, **more}}


PORT = {"containerPort": 80, "hostPort": 80}
PODS = {
    "small": spec("1"),
    "important": spec("2", 10),
    "picky": spec("1", 5, nodeSelector={ZONE: "a"}),
    "port": {
        "spec": {
            "containers": [{"name": "c", "image": "x", "ports": [PORT]}],
            "priority": 5,
        }
    },
}
templates = st.sampled_from(sorted(PODS))
rows = st.integers(0, NODES - 1)


def facts(outcome: FilterOutcome) -> list[tuple[bool, list[tuple[str, str, int]]]]:
    """Return what was said of each row, in order."""
    return [
        (
            bool(outcome.passed[row]),
            [(name, r.reason, int(r.code)) for name, r in outcome.rejections if r.nodes[row]],
        )
        for row in range(len(outcome.passed))
    ]


class SieveMachine(RuleBasedStateMachine):
    """Nodes change, pods come and go, nominations too; all shapes are filtered all the time."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(FastEngine)
        for number in range(NODES):
            self.put_node(number, closed=False)
        self.sieve = Sieve(self.cluster.cache)
        self.bound: list[PodInfo] = []
        self.nominated: list[PodInfo] = []

    @rule(number=rows, closed=st.booleans())
    def put_node(self, number: int, closed: bool) -> None:
        name = f"n{number}"
        self.cluster.put_node(name, labels={ZONE: "aab"[number % 3]}, unschedulable=closed)

    @rule(number=rows)
    def drop_node(self, number: int) -> None:
        state = self.cluster.cache.state(f"n{number}")
        if state is not None and state.info is not None and len(self.cluster.cache.nodes) > 1:
            self.cluster.cache.remove_node(f"n{number}")

    @rule(template=templates, number=rows)
    def bind(self, template: str, number: int) -> None:
        pod = self.cluster.pod(template, PODS[template])
        self.cluster.cache.add_pod(pod, f"n{number}")
        self.bound.append(pod)

    @rule(at=rows)
    def unbind(self, at: int) -> None:
        if self.bound:
            self.cluster.cache.remove_pod(self.bound.pop(at % len(self.bound)))

    @rule(template=templates, number=rows)
    def nominate(self, template: str, number: int) -> None:
        pod = self.cluster.pod(template, PODS[template])
        self.nominated.append(pod)
        self.cluster.nominator.add(pod, f"n{number}")

    @rule(at=rows)
    def forget(self, at: int) -> None:
        if self.nominated:
            self.cluster.nominator.remove(self.nominated.pop(at % len(self.nominated)).uid)

    @rule(template=templates)
    def look(self, template: str) -> None:
        self.check(self.cluster.pod(template, PODS[template]))

    @rule(at=rows)
    def look_again(self, at: int) -> None:
        """A nominated pod does not stand in its own way."""
        if self.nominated:
            self.check(self.nominated[at % len(self.nominated)])

    def check(self, pod: PodInfo) -> None:
        framework, nodes = self.cluster.framework, self.cluster.cache.nodes
        state = CycleState()
        framework.pre_filter(state, pod, self.cluster.cache.snapshot())
        few = np.zeros(len(nodes), np.bool_)
        few[: len(nodes) // 2 or 1] = True
        for mask in (np.ones(len(nodes), np.bool_), few, np.arange(len(nodes)) == 0):
            given = self.sieve.run(framework, state, pod, nodes, mask)
            assert facts(given) == facts(framework.filter(state, pod, nodes, mask))


TestSieve = SieveMachine.TestCase


def test_a_pod_is_filtered_by_the_nodes_that_have_changed_since_its_like_was() -> None:
    cluster = Cluster(FastEngine)
    for number in range(500):
        cluster.put_node(f"n{number}")
    sieve = Sieve(cluster.cache)
    nodes, everywhere = cluster.cache.nodes, np.ones(500, np.bool_)

    def asked() -> int:
        pod, before = cluster.pod("small", PODS["small"]), sieve.asked
        state = CycleState()
        cluster.framework.pre_filter(state, pod, cluster.cache.snapshot())
        sieve.run(cluster.framework, state, pod, nodes, everywhere)
        return sieve.asked - before

    assert [asked() for _ in range(4)] == [500, 500, 0, 0]
    cluster.cache.add_pod(cluster.pod("small", PODS["small"]), "n7")
    cluster.nominator.add(cluster.pod("important", PODS["important"]), "n8")
    assert [asked() for _ in range(2)] == [2, 0]
