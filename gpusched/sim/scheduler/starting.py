"""Starting a scheduler on a control plane."""

from gpusched.api.config import SchedulerConfiguration
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.events import SeriesRecorder
from gpusched.sim.scheduler.loop import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.port import StorePort


def start_scheduler(
    plane: ControlPlane, configuration: SchedulerConfiguration, options: SchedulerOptions
) -> Scheduler:
    """Start a scheduler now; its tickers count from ``options.started``."""
    recorder = SeriesRecorder(plane.store, options.started)
    port = StorePort(plane.api, recorder)
    scheduler = Scheduler(plane.loop, port, plane.store.calendar, configuration, options)
    scheduler.start()
    return scheduler
