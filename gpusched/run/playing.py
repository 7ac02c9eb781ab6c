"""A scenario played: fleet, set-up and steps in virtual time, to its end or to an interruption."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import yaml

from gpusched.api.config import (
    ConfigurationError,
    SchedulerConfiguration,
    default_configuration,
    load_configuration,
)
from gpusched.api.load import Manifest
from gpusched.api.scenario import Create, Scenario
from gpusched.api.scenario.document import KwokController
from gpusched.errors import Fault, InvalidInputError
from gpusched.kube.cycle import TieBreak, heap_tie_break, name_tie_break
from gpusched.kube.engine import ENGINES
from gpusched.kwok.stage import Stage, general_stages, load_stages
from gpusched.run.acting import Actor
from gpusched.run.interruption import between_actions
from gpusched.run.move_log import MoveLog
from gpusched.run.pace import Pace, Teller, beating
from gpusched.run.runtimes import RunTime, run_times
from gpusched.run.unplayed import faults_of
from gpusched.run.world import SimulatedWorld
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import MODELS, Latency, Rate
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler

BEGIN: Final = -10 * SECOND
"""When the control plane starts; everything in the fleet is Ready long before t = 0."""
FLEET: Final = -5 * SECOND
SETUP: Final = -2 * SECOND
TIE_BREAKS: Final = ("kube", "name", "random")
"""Who wins among equally good nodes: as upstream, the first name, or drawn from the seed."""
_SLICES: Final = 200
_POP_GATE: Final = "SchedulerPopFromBackoffQ=false"
_KUBE_FLAGS: Final = "--feature-gates="


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """What a caller may choose beside the scenario.

    Attributes:
        seed: Instead of the scenario's.
        until: Instead of the scenario's end; microseconds.
        engine: One of `ENGINES`.
        tie_break: One of `TIE_BREAKS`.
        progress: Is told the pace, some hundred times a run and some times a second.
    """

    seed: int | None = None
    until: int | None = None
    engine: str = "auto"
    tie_break: str = "kube"
    progress: Callable[[Pace], None] | None = None

    def reporting_to(self, progress: Callable[[Pace], None]) -> "PlayOptions":
        """Return the same choices, with somebody who is told of progress."""
        return replace(self, progress=progress)


@dataclass(slots=True, eq=False)
class Played:
    """A scenario that has been played.

    Attributes:
        scenario: What was played.
        plane: The control plane as it is at the end.
        scheduler: Its scheduler.
        seed: The seed that was used.
        ended: The virtual time at the end, microseconds.
        moves: Where waiting pods were in the queue.
        tie_break: How ties fell.
        interrupted: Whether somebody stopped it before its end.
        reports: (microseconds, text, whether it is a refusal) of every action.
    """

    scenario: Scenario
    plane: ControlPlane
    scheduler: Scheduler
    seed: int
    moves: MoveLog
    tie_break: str
    ended: int = 0
    interrupted: bool = False
    reports: list[tuple[int, str, bool]] = field(default_factory=list)


def play(scenario: Scenario, options: PlayOptions | None = None) -> Played:
    """Play a scenario to its end; an interruption keeps what was played until then.

    Raises:
        InvalidInputError: The scenario, or a choice, names something that cannot be used.
    """
    options = options or PlayOptions()
    if faults := faults_of(scenario):
        raise InvalidInputError(faults)
    _check_choices(scenario, options)
    seed = scenario.seed if options.seed is None else options.seed
    configuration = _configuration(scenario)
    plane = ControlPlane(BEGIN, seed, _latency(scenario))
    moves = MoveLog(plane.store.journal)
    chosen = replace(_scheduler_options(scenario, plane, options), log=moves)
    scheduler = start_scheduler(plane, configuration, chosen)
    played = Played(scenario, plane, scheduler, seed, moves, options.tie_break)
    plane.start_controllers(BEGIN)
    start_kwok(scenario, plane, run_times(scenario.runtimes, plane.stream("runtimes")))
    _plan(played)
    _run(played, scenario.until if options.until is None else options.until, options.progress)
    return played


def _check_choices(scenario: Scenario, options: PlayOptions) -> None:
    for what, chosen, known in (
        ("engine", options.engine, ENGINES),
        ("tie_break", options.tie_break, TIE_BREAKS),
    ):
        if chosen not in known:
            words = f"{what}: {chosen!r} is none of {', '.join(known)}"
            raise InvalidInputError([Fault(words, scenario.file)])


def start_kwok(scenario: Scenario, plane: ControlPlane, run_time: RunTime) -> None:
    """Start the scenario's KWOK processes, or the one that plays all nodes."""
    for controller in scenario.kwok.controllers:
        selector = ",".join(f"{key}={value}" for key, value in controller.nodes.items())
        args = [f"--manage-nodes-with-label-selector={selector}"] if selector else [_ALL_NODES]
        plane.start_kwok(controller.name, args, _stages_of(scenario, controller), run_time)
    if not scenario.kwok.controllers:
        plane.start_kwok("kwok", [_ALL_NODES], _stages_of(scenario), run_time)


_ALL_NODES: Final = "--manage-all-nodes"


def _stages_of(scenario: Scenario, controller: KwokController | None = None) -> Sequence[Stage]:
    """Return the stages of a KWOK process: its own or the scenario's; none stands for the fast."""
    own = controller is not None and controller.stages is not None
    named = controller.stages if controller is not None and own else scenario.kwok.stages
    if isinstance(named, str):
        return general_stages() if named == "general" else ()
    manifests = scenario.stages[controller.name if controller is not None and own else ""]
    return load_stages(yaml.safe_dump_all([manifest.object for manifest in manifests]))


def _plan(played: Played) -> None:
    loop = played.plane.loop

    def report(text: str, refused: bool) -> None:
        played.reports.append((loop.now, text, refused))

    actor = Actor(SimulatedWorld(played.plane), report)
    for start, manifests in ((FLEET, played.scenario.fleet), (SETUP, played.scenario.setup)):
        loop.at(start, _create_all, actor, manifests)
    for step in played.scenario.steps:
        for action in step.actions:
            loop.at(step.at, actor.carry_out, action)


def _create_all(actor: Actor, manifests: Sequence[Manifest]) -> None:
    actor.carry_out(Create(tuple(manifests)))


def _run(played: Played, until: int, progress: Callable[[Pace], None] | None) -> None:
    """Play in slices, so that progress can be told; the end itself is still played."""
    plane = played.plane
    tell = None if progress is None else Teller(progress, lambda: _pace(played))
    try:
        with between_actions(plane.loop), beating(tell):
            plane.run(0)
            _run_in_slices(plane, until, tell)
    except KeyboardInterrupt:
        played.interrupted = True
    played.ended = min(until, plane.loop.now)


def _run_in_slices(plane: ControlPlane, until: int, tell: Teller | None) -> None:
    if tell is None:
        plane.run(until + 1)
        return
    for index in range(1, _SLICES):
        plane.run(until * index // _SLICES)
        tell()
    plane.run(until + 1)
    tell()


def _pace(played: Played) -> Pace:
    scheduler = played.scheduler
    attempts = sum(scheduler.engine.statistics.attempts.values())
    waiting = scheduler.queue.depths()["active"]
    return Pace(played.plane.loop.now, played.plane.store.version, attempts, waiting)


def _configuration(scenario: Scenario) -> SchedulerConfiguration:
    if scenario.scheduler_configuration is None:
        return default_configuration()
    try:
        return load_configuration(yaml.safe_dump(scenario.scheduler_configuration))
    except ConfigurationError as error:
        words = f"spec.schedulerConfiguration: {error}"
        raise InvalidInputError([Fault(words, scenario.file)]) from None


def _scheduler_options(
    scenario: Scenario, plane: ControlPlane, options: PlayOptions
) -> SchedulerOptions:
    flags = [flag for flag in scenario.scheduler_flags if flag.startswith(_KUBE_FLAGS)]
    unknown = [flag for flag in scenario.scheduler_flags if flag not in flags]
    if unknown:
        words = f"spec.schedulerFlags: {unknown[0]}: only {_KUBE_FLAGS}{_POP_GATE} is simulated"
        raise InvalidInputError([Fault(words, scenario.file)])
    preemption = plane.stream("preemption")
    return SchedulerOptions(
        tie_break=_tie_break(options.tie_break, plane),
        draw=lambda bound: int(preemption.integers(bound)),
        pop_from_backoff=not any(_POP_GATE in flag for flag in flags),
        started=BEGIN,
        latency=plane.latency,
        engine=options.engine,
    )


def _tie_break(name: str, plane: ControlPlane) -> TieBreak:
    if name == "kube":
        return heap_tie_break
    if name == "name":
        return name_tie_break
    ties = plane.stream("ties")
    return lambda _snapshot, feasible, best: int(feasible[best[int(ties.integers(len(best)))]])


def _latency(scenario: Scenario) -> Latency:
    given = scenario.latency
    if isinstance(given, str):
        return MODELS[given]
    rate = Rate(given.rate.per_second, given.rate.burst) if given.rate else None
    numbers = {name: getattr(given, name) for name in ("request", "watch", "kwok", "user")}
    return replace(MODELS["zero"], name="own", kubectl=given.kubectl, rate=rate, **numbers)
