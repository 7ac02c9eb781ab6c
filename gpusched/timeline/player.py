"""Plays a timeline.

Starts the parts, carries out the steps, hands back one run in the recorded schema.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gpusched.kwok.stage import load_stages
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import RECORDED, Latency
from gpusched.timeline.aliases import Aliases
from gpusched.timeline.kubectl import Printer, no_printer
from gpusched.timeline.observer import Observer
from gpusched.timeline.outcome import final_state
from gpusched.timeline.scheduling import KubeScheduler
from gpusched.timeline.script import Json, Script, Step
from gpusched.timeline.steps import Operator

BEGIN = -4 * SECOND
FLEET = -3 * SECOND
CONTROLLERS = -2_550_000
"""When the controller manager starts.

Its 5 s and 20 s ticks count from here. Chosen so that they lie in the windows.
"""
SETUP = -2_700_000
SCHEDULER = -1_400_000
"""When the scheduler starts; its 30 s flush ticker counts from here."""
BETWEEN = 5_000
"""Microseconds between two objects of the fleet or the set-up."""


class SchedulerRun(Protocol):
    """A scheduler at work, as far as a timeline shows it."""

    def log(self) -> Sequence[Json]:
        """Return its moves: ``t`` in seconds, ``what``, ``pod`` and more."""

    def metrics(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Return its counters over the run, and its gauges at the end."""


SchedulerStart = Callable[[ControlPlane, Script, int], SchedulerRun]
"""Starts a scheduler on a control plane, now.

Given the timeline's configuration and the start time.
"""


def play(
    script: Script,
    start_scheduler: SchedulerStart = KubeScheduler,
    latency: Latency = RECORDED,
    seed: int = 0,
    printer: Printer = no_printer,
) -> Json:
    """Play a timeline and return one run in the recorded schema.

    Args:
        script: The timeline's input.
        start_scheduler: Starts the scheduler when its time has come.
        latency: How long things take.
        seed: Seed of every random stream.
        printer: Answers the kubectl commands that only print.
    """
    plane = ControlPlane(BEGIN, seed, latency)
    aliases = Aliases()
    observer = Observer(plane.store, aliases)
    operator = Operator(plane, printer)
    _start(plane, script)
    plane.run(SCHEDULER)
    scheduler = start_scheduler(plane, script, SCHEDULER)
    plane.run(0)
    observer.listen()
    answers = [_plan(plane, operator, step) for step in script.steps]
    plane.run(script.duration)
    counters, gauges = scheduler.metrics()
    return {
        "name": script.name,
        "t0_wall": plane.store.stamp(0),
        "scheduler_started_t": SCHEDULER / SECOND,
        "steps": [aliases.deep(answer) for answer in answers if answer],
        "records": observer.records,
        "scheduler_log": [aliases.deep(_renamed(entry, aliases)) for entry in scheduler.log()],
        "metrics_delta": dict(counters),
        "metrics_gauges": dict(gauges),
        "final": final_state(plane, observer, aliases),
    }


def _start(plane: ControlPlane, script: Script) -> None:
    """Plan the start of everything but the scheduler."""
    plane.loop.at(CONTROLLERS, plane.start_controllers, CONTROLLERS)
    if script.kwok:
        for name, args, config in script.kwok:
            plane.start_kwok(name, args, load_stages(config))
    else:
        plane.start_kwok()
    for start, objects in ((FLEET, script.fleet), (SETUP, script.setup)):
        for index, obj in enumerate(objects):
            plane.loop.at(start + index * BETWEEN, plane.api.create, obj)


def _plan(plane: ControlPlane, operator: Operator, step: Step) -> Json:
    """Plan a step; the answer is filled in when it is played."""
    answer: Json = {}

    def carry_out() -> None:
        operator.carry_out(step, answer)

    plane.loop.at(step.at, carry_out)
    return answer


def _renamed(entry: Json, aliases: Aliases) -> Json:
    """Return a scheduler's move with the stand-ins of the pods that it names."""
    out: dict[str, Any] = dict(entry)
    for field in ("pod", "victim", "preemptor"):
        if field in out:
            namespace, _, name = out[field].rpartition("/")
            out[field] = f"{namespace}/{aliases.name(name)}"
    return out
