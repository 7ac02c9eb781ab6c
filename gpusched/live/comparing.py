"""Where a cluster and the simulator part, and how much was compared."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gpusched.live.engines import parting
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
class EngineDifference:
    """The first thing that differs between the simulator's engines in one play.

    Attributes:
        what: Which.
        fast: As it is under ``auto``.
        scan: As it is under ``scan``.
    """

    what: str
    fast: str
    scan: str

    def __str__(self) -> str:
        """Return three lines."""
        return f"the engines differ: {self.what}\n  auto: {self.fast}\n  scan: {self.scan}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A cluster against the simulator.

    Attributes:
        differences: Where they part.
        compared: How many decisions, messages, events, … were compared.
        simulation: The simulated run that is nearest to the cluster's.
        engines: Where that run parts from the same run under the scan; None if nowhere.
    """

    differences: tuple[Difference, ...]
    compared: Counter[str] = field(default_factory=Counter)
    simulation: RunRecord | None = None
    engines: EngineDifference | None = None

    @property
    def agrees(self) -> bool:
        """Return whether cluster and simulator agree, under either engine."""
        return not self.differences and self.engines is None


def compare(run: LiveRun, *, exact: bool = False, tolerance: float = TOLERANCE) -> Comparison:
    """Simulate what was played and compare.

    The simulation that is nearest to the cluster is made once more with the other engine: what
    holds of one must hold of both.

    Args:
        run: What was played.
        exact: Whether ties between nodes must fall as they do at ``parallelism: 1``; else the
            cluster's node only has to be among the tied ones.
        tolerance: For times of retries, in seconds.
    """
    expected = facts_of(run.record)
    best: tuple[tuple[Difference, ...], RunRecord, Chances] | None = None
    for record, chances in _simulations(run, exact=exact):
        found = tuple(differences(expected, facts_of(record), tolerance))
        if best is None or len(found) < len(best[0]):
            best = found, record, chances
        if not found:
            break
    assert best is not None
    found, record, chances = best
    counts = _compared(expected, run.record)
    counts["plays with latency"] = int(chances.latency != _LATENCIES[0])
    engines = _between_engines(run, record, chances)
    counts["plays alike under both engines"] = int(engines is None)
    counts.update(_paths(record))
    return Comparison(found, counts, record, engines)


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


def _between_engines(run: LiveRun, fast: RunRecord, chances: Chances) -> EngineDifference | None:
    """Simulate once more, with the scan and the same chances."""
    again = replace(chances, drawn=0)
    scan = simulated(run.scenario, again, run.existing, "scan")
    found = parting(fast, scan)
    if found is None and again.drawn != chances.drawn:
        found = "draws", str(chances.drawn), str(again.drawn)
    if found is None:
        return None
    what, *said = found
    return EngineDifference(f"{what} of {run.scenario.name}", *said)


def _paths(record: RunRecord) -> dict[str, int]:
    """Return how many attempts the fast engine decided by itself, and how many it let scan."""
    attempts = record.statistics["attempts"]
    scanned = attempts.get("scan", 0)
    alone = sum(attempts.values()) - scanned
    return {"attempts without the scan": alone, "attempts by the scan": scanned}


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
