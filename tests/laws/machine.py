"""Random operations on a whole cluster; the laws are checked whenever time has passed."""

from itertools import cycle, islice
from typing import Final

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from gpusched.sim.calendar import SECOND
from tests.laws.audit import Audit
from tests.laws.lab import Lab
from tests.laws.manifests import RUN_TIMES, SHAPES
from tests.laws.settled import check_books, check_hints, check_owners, check_work_is_conserved

_OWN_PROFILES: Final = ("laws-long", "verify-engines")
any_number = st.integers(0, 40)
shapes = st.integers(0, len(SHAPES) - 1)
priorities = st.integers(0, 3)
run_times = st.integers(0, len(RUN_TIMES) - 1)
graces = st.sampled_from([0, 3, 30])
few = st.integers(0, 6)
spans = st.sampled_from([1, 1000, SECOND // 2, SECOND, 7 * SECOND, 60 * SECOND, 400 * SECOND])
REST: Final = 120 * SECOND
"""After so long a time in which nobody does anything, every controller is done."""
_MOST_PODS: Final = 150
"""More make the steps slow and teach nothing."""


def pace(walks: int, steps: int, share: int = 1) -> settings:
    """Return so many random walks of so many steps, unless a profile asks for others.

    Args:
        walks: How many walks.
        steps: Of how many steps each.
        share: One walk in so many of those that a profile asks for, where each takes long.
    """
    chosen = settings.get_current_profile_name()
    base = settings.get_profile(chosen)
    quick = chosen not in _OWN_PROFILES
    return settings(
        max_examples=walks if quick else base.max_examples // share,
        stateful_step_count=steps if quick else base.stateful_step_count,
        derandomize=quick,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class ClusterMachine(RuleBasedStateMachine):
    """A cluster under random operations."""

    engines: tuple[str, ...] = ("auto", "scan", "verify")
    latencies: tuple[str, ...] = ("zero",)
    fewest_nodes: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.lab = Lab()
        self.audit = Audit(self.lab.plane.store)

    @initialize(
        data=st.data(), seed=st.integers(0, 3), nodes=st.lists(st.integers(0, 11), max_size=5)
    )
    def start(self, data: st.DataObject, seed: int, nodes: list[int]) -> None:
        engine = data.draw(st.sampled_from(self.engines))
        latency = data.draw(st.sampled_from(self.latencies))
        more = islice(cycle((0, 3, 4)), max(0, self.fewest_nodes - len(nodes)))
        self.lab = Lab(engine, seed, latency, (*nodes, *more))
        self.audit = Audit(self.lab.plane.store, punctual=latency == "zero")

    # --- pods and workloads -----------------------------------------------------------------------

    def crowded(self) -> bool:
        return len(self.audit.replay.pods) >= _MOST_PODS

    @precondition(lambda self: not self.crowded())
    @rule(shape=shapes, priority=priorities, run_time=run_times, gated=st.booleans(), grace=graces)
    def create_pod(self, shape: int, priority: int, run_time: int, gated: bool, grace: int) -> None:
        self.lab.do("create_pod", shape, priority, run_time, gated, grace)

    @precondition(lambda self: not self.crowded())
    @rule(kind=few, replicas=few, shape=shapes, priority=priorities, run_time=run_times)
    def create_workload(
        self, kind: int, replicas: int, shape: int, priority: int, run_time: int
    ) -> None:
        self.lab.do("create_workload", kind, replicas, shape, priority, run_time)

    @rule(number=any_number, grace=st.sampled_from([None, 0]))
    def delete_pod(self, number: int, grace: int | None) -> None:
        self.lab.do("delete_pod", number, grace)

    @rule(number=any_number, failed=st.booleans())
    def finish_pod(self, number: int, failed: bool) -> None:
        self.lab.do("finish_pod", number, failed)

    @rule(number=any_number)
    def ungate(self, number: int) -> None:
        self.lab.do("ungate", number)

    @rule(number=any_number, close=st.booleans())
    def relabel_pod(self, number: int, close: bool) -> None:
        self.lab.do("relabel_pod", number, close)

    @rule(number=any_number, policy=st.sampled_from(["Background", "Foreground", "Orphan"]))
    def delete_workload(self, number: int, policy: str) -> None:
        self.lab.do("delete_workload", number, policy)

    @rule(number=any_number, replicas=few)
    def scale(self, number: int, replicas: int) -> None:
        self.lab.do("scale", number, replicas)

    @rule(number=any_number, shape=shapes, recreate=st.booleans())
    def roll(self, number: int, shape: int, recreate: bool) -> None:
        self.lab.do("roll", number, shape, recreate)

    @rule(shape=shapes, least=few)
    def set_budget(self, shape: int, least: int) -> None:
        self.lab.do("set_budget", shape, least)

    # --- nodes ------------------------------------------------------------------------------------

    @rule(shape=st.integers(0, 11))
    def add_node(self, shape: int) -> None:
        self.lab.do("add_node", shape)

    def spares_nodes(self) -> bool:
        return len(self.lab.plane.store.objects("Node")) > self.fewest_nodes

    @precondition(lambda self: self.spares_nodes())
    @rule(number=any_number)
    def remove_node(self, number: int) -> None:
        self.lab.do("remove_node", number)

    @rule(number=any_number, gpus=st.sampled_from([0, 2, 4, 8]))
    def set_gpus(self, number: int, gpus: int) -> None:
        self.lab.do("set_gpus", number, gpus)

    @rule(number=any_number, pool=st.sampled_from("ab"))
    def move_pool(self, number: int, pool: str) -> None:
        self.lab.do("move_pool", number, pool)

    @rule(number=any_number, verb=st.sampled_from(["cordon", "uncordon", "uncordon", "drain"]))
    def cordon_or_drain(self, number: int, verb: str) -> None:
        self.lab.do(verb, number)

    @rule(
        number=any_number,
        effect=st.integers(0, 2),
        verb=st.sampled_from(["taint", "untaint", "untaint"]),
    )
    def taint(self, number: int, effect: int, verb: str) -> None:
        self.lab.do(verb, number, effect)

    @rule(verb=st.sampled_from(["silence", "wake", "wake"]))
    def stop_or_start_kwok(self, verb: str) -> None:
        self.lab.do(verb)

    # --- time and laws ----------------------------------------------------------------------------

    @rule(span=spans)
    def advance(self, span: int) -> None:
        self.lab.do("advance", span)
        self.audit.catch_up()

    @rule(span=spans)
    def advance_again(self, span: int) -> None:
        self.advance(span)

    @rule()
    def rest(self) -> None:
        self.lab.do("advance", REST)
        self.audit.catch_up()
        self.audit.check_replay()
        check_owners(self.lab)

    @invariant()
    def laws_hold(self) -> None:
        """The scheduler's books are right as soon as it has heard of everything."""
        if self.lab.history and self.lab.history[-1][0] == "advance" and self.knows_all():
            now = self.lab.plane.loop.now
            check_books(self.lab)
            check_hints(self.audit, now)
            check_work_is_conserved(self.audit, now)

    def knows_all(self) -> bool:
        return self.lab.latency == "zero"

    def teardown(self) -> None:
        note(f"Lab{self.lab.engine, self.lab.seed, self.lab.latency, self.lab.nodes}")
        note(f"{self.lab.history}")
        self.audit.catch_up()
        self.audit.check_replay()
