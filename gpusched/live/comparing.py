"""Where a cluster and the simulator part, and how much was compared."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gpusched.live.facts import Facts, facts_of, nodes_of, run_times_of
from gpusched.live.session import LiveRun
from gpusched.live.simulating import Chances, simulated
from gpusched.run.record import RunRecord

TOLERANCE: Final = 1.5
"""Seconds that a retry or a start may come earlier or later than simulated."""
_LATENCIES: Final = ("zero", "recorded-v1.36")
"""In this order: a difference must show without any latency and with the recorded one."""
_DRAWS: Final = 64
"""So many ways of drawing are tried before a difference is believed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs.

    Attributes:
        what: Which.
        cluster: What the cluster says; empty for nothing.
        simulator: What the simulator says.
    """

    what: str
    cluster: str
    simulator: str

    def __str__(self) -> str:
        """Return three lines."""
        return (
            f"{self.what}\n  cluster:   {self.cluster or '-'}\n  simulator: {self.simulator or '-'}"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A cluster against the simulator.

    Attributes:
        differences: Where they part.
        compared: How many decisions, messages, events, … were compared.
        simulation: The simulated run that is nearest to the cluster's.
    """

    differences: tuple[Difference, ...]
    compared: Counter[str] = field(default_factory=Counter)
    simulation: RunRecord | None = None


def compare(run: LiveRun, *, exact: bool = False, tolerance: float = TOLERANCE) -> Comparison:
    """Simulate what was played and compare.

    Args:
        run: What was played.
        exact: Whether ties between nodes must fall as they do at ``parallelism: 1``; else the
            cluster's node only has to be among the tied ones.
        tolerance: For times of retries, in seconds.
    """
    expected = facts_of(run.record)
    best: Comparison | None = None
    for record, chances in _simulations(run, exact=exact):
        found = tuple(differences(expected, facts_of(record), tolerance))
        if best is None or len(found) < len(best.differences):
            counts = _compared(expected, run.record)
            counts["plays with latency"] = int(chances.latency != _LATENCIES[0])
            best = Comparison(found, counts, record)
        if not found:
            break
    assert best is not None
    return best


def _simulations(run: LiveRun, *, exact: bool) -> Iterator[tuple[RunRecord, Chances]]:
    """Yield what can come of a play, whatever chance decides."""
    nodes = {} if exact else nodes_of(run.record)
    run_times = run_times_of(run.record)
    for latency in _LATENCIES:
        for seed in range(_DRAWS):
            chances = Chances(seed, nodes, run_times, latency)
            yield simulated(run.scenario, chances, run.existing), chances
            if not chances.drawn:
                break


def differences(cluster: Facts, simulator: Facts, tolerance: float) -> Iterator[Difference]:
    """Yield where two runs' facts differ, pods first."""
    for group, name, what in sorted({*cluster.states, *simulator.states}):
        one, two = (facts.states.get((group, name, what)) for facts in (cluster, simulator))
        if one != two:
            yield Difference(f"{group} {name}: {what}", _shown(one), _shown(two))
    for key in sorted({*cluster.counts, *simulator.counts}):
        one, two = cluster.counts[key], simulator.counts[key]
        if one != two:
            yield Difference(" ".join(key), str(one), str(two))
    yield from _times(cluster, simulator, tolerance)


def _times(cluster: Facts, simulator: Facts, tolerance: float) -> Iterator[Difference]:
    for what in sorted({*cluster.times, *simulator.times}):
        one, two = cluster.times.get(what, []), simulator.times.get(what, [])
        alike = len(one) == len(two)
        near = alike and all(abs(a - b) <= tolerance for a, b in zip(one, two, strict=True))
        if not near:
            yield Difference(what, _written(one), _written(two))


def _compared(facts: Facts, record: RunRecord) -> Counter[str]:
    events = sum(1 for group, _ in facts.counts if group == "event")
    return Counter(
        pods=len(record.lives),
        decisions=sum(1 for (_, _, what) in facts.states if what == "PodScheduled"),
        messages=sum(1 for life in record.lives if life.waiting),
        events=events,
        victims=sum(1 for group, _ in facts.counts if group == "victim"),
        times=sum(map(len, facts.times.values())),
    )


def _shown(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _written(times: list[float]) -> str:
    return ", ".join(f"{time:.1f}" for time in times)
