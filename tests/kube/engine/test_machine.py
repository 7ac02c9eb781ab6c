"""Whatever happens to a cluster, the fast engine decides as the scan does."""

from dataclasses import replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.kube.cycle import Result, heap_tie_break, name_tie_break
from gpusched.kube.engine import VerifyEngine
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import PreFilterPlugin, PreScorePlugin
from gpusched.kube.framework.status import Code
from tests.kube.engine.clusters import Cluster
from tests.kube.engine.templates import NODES, OBJECTS, PODS, PROFILES, THEMES

TIE_BREAKS = ("kube", "name", "random")
places = st.integers(0, 13)
nodes = st.sampled_from([f"n{number}" for number in range(6)])


class EngineMachine(RuleBasedStateMachine):
    """Nodes, pods and objects come, change and go; every attempt is decided twice."""

    fewest = 0
    percentage = 100

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(VerifyEngine)
        self.waiting: list[PodInfo] = []
        self.templates: list[str] = []
        self.objects: list[str] = []
        self.sampled = 0
        self.dice = np.random.default_rng(0)

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(NODES)), min_size=3, max_size=6),
        themes=st.lists(st.sampled_from(sorted(THEMES)), min_size=1, max_size=2, unique=True),
        there=st.sets(st.sampled_from(sorted(OBJECTS))),
        profile=st.sampled_from(["default", "default", "default", *sorted(PROFILES)]),
    )
    def begin(self, kinds: list[str], themes: list[str], there: set[str], profile: str) -> None:
        """Take a theme or two per run: what comes again is what may be remembered."""
        self.cluster = Cluster(VerifyEngine, PROFILES[profile], self.draw)
        self.cluster.percentage = self.percentage
        for number in range(max(len(kinds), self.fewest)):
            self.cluster.put_node(f"n{number}", **NODES[kinds[number % len(kinds)]])
        self.templates = [name for theme in themes for name in THEMES[theme][0]]
        self.objects = [name for theme in themes for name in THEMES[theme][1]]
        for name in self.objects:
            if name in there:
                self.cluster.put(OBJECTS[name])

    @rule(
        percentage=st.sampled_from([0, 100, 5, 90]),
        tie_break=st.sampled_from(TIE_BREAKS),
    )
    def search_otherwise(self, percentage: int, tie_break: str) -> None:
        self.cluster.percentage = percentage
        rules = (heap_tie_break, name_tie_break, self.any_of_the_best)
        self.cluster.tie_break = rules[TIE_BREAKS.index(tie_break)]

    def draw(self, bound: int) -> int:
        return int(self.dice.integers(bound))

    def any_of_the_best(self, _snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
        return int(feasible[best[self.draw(len(best))]])

    @rule(name=nodes, kind=st.sampled_from(sorted(NODES)))
    def put_node(self, name: str, kind: str) -> None:
        self.cluster.put_node(name, **NODES[kind])
        self.wake()

    @rule(name=nodes)
    def drop_node(self, name: str) -> None:
        state = self.cluster.cache.state(name)
        if state is not None and state.info is not None:
            self.cluster.cache.remove_node(name)

    @rule(at=places, comes=st.booleans())
    def change_object(self, at: int, comes: bool) -> None:
        name = self.objects[at % len(self.objects)]
        (self.cluster.put if comes else self.cluster.drop)(OBJECTS[name])
        self.wake()

    def wake(self) -> None:
        """Try a few of those who wait again, as a queue does after a change."""
        woken, self.waiting = self.waiting[-3:], self.waiting[:-3]
        for pod in woken:
            self.attempt(pod, preempts=False)

    @rule(at=places, replicas=st.integers(1, 4), preempts=st.booleans(), labelled=st.sets(places))
    def schedule(self, at: int, replicas: int, preempts: bool, labelled: set[int]) -> None:
        """Try new pods of a template; those at some places have a label of their own."""
        template = self.templates[at % len(self.templates)]
        for place in range(replicas):
            pod = self.cluster.pod(template, PODS[template], alone=place in labelled)
            self.attempt(pod, preempts=preempts)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), preempts=st.booleans())
    def retry(self, data: st.DataObject, preempts: bool) -> None:
        at = data.draw(st.integers(0, len(self.waiting) - 1))
        self.attempt(self.waiting.pop(at), preempts=preempts)

    def attempt(self, pod: PodInfo, *, preempts: bool) -> None:
        self.ask_label_readers(pod)
        attempt = self.cluster.attempt(pod)
        looked_at_all = attempt.evaluated >= len(self.cluster.cache.order())
        self.sampled += attempt.result is Result.SCHEDULED and not looked_at_all
        if attempt.result is not Result.SCHEDULED:
            self.waiting.append(pod)
            if preempts:
                self.cluster.preempt(pod, attempt)

    def ask_label_readers(self, pod: PodInfo) -> None:
        """Whoever ignores a shape skips its pods."""
        snapshot = self.cluster.cache.snapshot()
        for reader in self.cluster.framework.label_readers:
            if reader.reading(pod.shape, snapshot) is None:
                assert isinstance(reader, PreFilterPlugin)
                assert isinstance(reader, PreScorePlugin)
                state = CycleState()
                assert reader.pre_filter(state, pod, snapshot).status.code is Code.SKIP
                rows = self.cluster.cache.order()
                assert reader.pre_score(state, pod, snapshot, rows).code is Code.SKIP

    @precondition(lambda self: self.waiting)
    @rule()
    def give_up(self) -> None:
        for pod in self.waiting:
            self.cluster.forget(pod)
        self.waiting.clear()

    @precondition(lambda self: self.cluster.pods)
    @rule(data=st.data(), what=st.sampled_from(["remove", "terminate", "refresh"]))
    def change_pod(self, data: st.DataObject, what: str) -> None:
        self.change(self.cluster.pods[data.draw(st.sampled_from(sorted(self.cluster.pods)))], what)

    def change(self, pod: PodInfo, what: str) -> None:
        if what == "remove":
            self.cluster.remove(pod)
        else:
            terminating = pod.terminating or what == "terminate"
            self.cluster.replace(pod, replace(pod, terminating=terminating))
        self.wake()


class SampledMachine(EngineMachine):
    """More than a hundred nodes: an attempt looks at some, and the next goes on where it ended."""

    fewest = 220
    percentage = 0


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestSampledMachine = SampledMachine.TestCase
TestSampledMachine.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
