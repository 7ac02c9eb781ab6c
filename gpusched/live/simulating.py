"""The same play in virtual time, following the cluster where Kubernetes itself lets chance decide.

Ties between nodes at ``parallelism`` above 1, the node where the search for preemption victims
starts, and run times that KWOK draws are not determined. `Chances` says how they fall here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import yaml

from gpusched.api.config import default_configuration, load_configuration
from gpusched.api.scenario import Create, Scenario
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.kube.cycle import heap_tie_break
from gpusched.live.facts import full_name
from gpusched.run.acting import Actor
from gpusched.run.playing import BEGIN, FLEET, SETUP, start_kwok
from gpusched.run.record import RunRecord
from gpusched.run.runtimes import DELAY, RunTime
from gpusched.run.world import SimulatedWorld
from gpusched.sim.calendar import EPOCH
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import MODELS
from gpusched.sim.pod import Json, Pod
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler

_POP_GATE: Final = "SchedulerPopFromBackoffQ=false"


@dataclass(slots=True)
class Chances:
    """How the draws fall, and which there were.

    Attributes:
        seed: What the draws of preemption hang on.
        nodes: ``namespace/name`` of a pod to the node that it should get if that is among the tied
            ones; empty to break ties as the real scheduler does at ``parallelism: 1``.
        run_times: Pods, as `facts.full_name` calls them, to their run times in microseconds, in
            order of starting; None for ever.
        latency: How long requests and watches take: what comes first of two things that nothing
            but milliseconds keeps apart.
        drawn: How many draws had more than one outcome.
    """

    seed: int = 0
    nodes: Mapping[str, str] = field(default_factory=dict)
    run_times: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    latency: str = "zero"
    drawn: int = 0


def simulated(
    scenario: Scenario, chances: Chances, existing: tuple[Json, ...] = (), engine: str = "auto"
) -> RunRecord:
    """Play a prepared scenario in virtual time.

    Args:
        scenario: With the times at which its steps were really played.
        chances: How the draws fall.
        existing: What the cluster has beside the scenario's objects.
        engine: Who decides, as in `SchedulerOptions`.
    """
    plane = ControlPlane(BEGIN, scenario.seed, MODELS[chances.latency])
    scheduler = _start_scheduler(scenario, plane, chances, engine)
    plane.start_controllers(BEGIN)
    start_kwok(scenario, plane, _following(chances.run_times))
    reports: list[tuple[int, str, bool]] = []
    actor = Actor(
        SimulatedWorld(plane),
        lambda text, refused: reports.append((plane.loop.now, text, refused)),
    )
    for obj in existing:
        plane.loop.at(FLEET, plane.api.create, obj)
    for start, manifests in ((FLEET, scenario.fleet), (SETUP, scenario.setup)):
        for manifest in manifests:
            plane.loop.at(start, actor.carry_out, Create((manifest,)))
    for step in scenario.steps:
        for action in step.actions:
            plane.loop.at(step.at, actor.carry_out, action)
    plane.run(scenario.until)
    return RunRecord(
        name=scenario.name,
        seed=scenario.seed,
        ended=scenario.until,
        epoch=EPOCH,
        rows=plane.store.journal,
        reports=tuple(reports),
        statistics={
            "attempts": dict(sorted(scheduler.engine.statistics.attempts.items())),
            "counters": dict(sorted(scheduler.metrics.counters.items())),
            "gauges": scheduler.gauges(),
        },
    )


def _following(run_times: Mapping[str, Sequence[int | None]]) -> RunTime:
    """Let pods that are told to end do so when those of the cluster did."""
    taken: Counter[str] = Counter()

    def run_time(pod: Pod) -> tuple[int, int] | None:
        if DELAY not in pod.annotations:
            return None
        name = full_name(pod)
        known, nth = run_times.get(name, ()), taken[name]
        taken[name] += 1
        time = known[nth] if nth < len(known) else None
        return None if time is None else (time, 0)

    return run_time


def _start_scheduler(
    scenario: Scenario, plane: ControlPlane, chances: Chances, engine: str
) -> Scheduler:
    document = scenario.scheduler_configuration
    configuration = (
        load_configuration(yaml.safe_dump(document)) if document else default_configuration()
    )
    stream = np.random.default_rng(chances.seed)
    scheduler: Scheduler

    def draw(bound: int) -> int:
        chances.drawn += bound > 1
        return int(stream.integers(bound)) if chances.seed else 0

    def follow(snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
        (_, _, fields) = next(row for row in reversed(scheduler.log.rows) if row[1] == "attempt")
        row = snapshot.nodes.row_of(chances.nodes.get(fields["pod"], ""))
        if row is not None and row in feasible[best]:
            return row
        return heap_tie_break(snapshot, feasible, best)

    options = SchedulerOptions(
        tie_break=follow if chances.nodes else heap_tie_break,
        draw=draw,
        pop_from_backoff=not any(_POP_GATE in flag for flag in scenario.scheduler_flags),
        started=BEGIN,
        latency=plane.latency,
        keep_log=True,
        engine=engine,
    )
    scheduler = start_scheduler(plane, configuration, options)
    return scheduler
