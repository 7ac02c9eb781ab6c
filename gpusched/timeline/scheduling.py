"""The scheduler of a timeline.

Kube-scheduler as its configuration and flags say, with its log and metrics.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gpusched.api.config import default_configuration, load_configuration
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from gpusched.timeline.script import Json, Script

FLUSH_DELAY = 140_000
"""How long after its start the scheduler's tickers begin, as recorded."""
_NO_POP = "--feature-gates=SchedulerPopFromBackoffQ=false"


class KubeScheduler:
    """A kube-scheduler at work on a timeline.

    Args:
        plane: The control plane.
        script: The timeline; its configuration and flags are used.
        started: When the scheduler starts.
        engine: Who decides, as in `SchedulerOptions`.
    """

    def __init__(
        self, plane: ControlPlane, script: Script, started: int, engine: str = "auto"
    ) -> None:
        stream = plane.stream("preemption")
        options = SchedulerOptions(
            draw=lambda bound: int(stream.integers(bound)),
            pop_from_backoff=_NO_POP not in script.scheduler_flags,
            started=started,
            flush_delay=FLUSH_DELAY,
            latency=plane.latency,
            keep_log=True,
            engine=engine,
        )
        text = script.scheduler_config
        configuration = load_configuration(text) if text else default_configuration()
        self._scheduler: Scheduler = start_scheduler(plane, configuration, options)

    def log(self) -> Sequence[Json]:
        """Return its moves: ``t`` in seconds, ``what``, ``pod`` and more."""
        return [
            {"t": at / SECOND, "what": what, **fields}
            for at, what, fields in self._scheduler.log.rows
        ]

    def metrics(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Return its counters over the run, and its gauges at the end."""
        counters: Mapping[str, Any] = self._scheduler.metrics.counters
        return dict(counters), self._scheduler.gauges()
