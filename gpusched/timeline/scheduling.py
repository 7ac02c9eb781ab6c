"""The scheduler of a timeline: configured as recorded, with its log and metrics in the recorded form."""

from collections.abc import Mapping, Sequence

import yaml

from gpusched.api.config import default_configuration, load_configuration
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from gpusched.timeline.script import Json, Script

FLUSH_DELAY = 140_000
"""From a scheduler's start to the zero of its flush ticker, as recorded."""
CALL_TIME = 10_000
"""One API call of a preemption, as recorded."""
_POP_GATE = "SchedulerPopFromBackoffQ=false"


class RecordedScheduler:
    """A scheduler at work, read as a recording shows it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def log(self) -> Sequence[Json]:
        """See `player.SchedulerRun`."""
        rows = self._scheduler.log.rows
        return [{"t": at / SECOND, "what": what, **fields} for at, what, fields in rows if at >= 0]

    def metrics(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """See `player.SchedulerRun`."""
        counters = self._scheduler.metrics.counters
        return {name: float(value) for name, value in counters.items()}, self._scheduler.gauges()


def start_recorded(plane: ControlPlane, script: Script, at: int) -> RecordedScheduler:
    """Start the scheduler that a timeline asks for. See `player.SchedulerStart`."""
    configuration = default_configuration()
    if script.scheduler_config is not None:
        given = script.scheduler_config
        configuration = load_configuration(given if isinstance(given, str) else yaml.dump(given))
    options = SchedulerOptions(
        started=at,
        flush_delay=FLUSH_DELAY,
        call_time=CALL_TIME,
        keep_log=True,
        pop_from_backoff=not any(_POP_GATE in flag for flag in script.scheduler_flags),
    )
    return RecordedScheduler(start_scheduler(plane, configuration, options))
