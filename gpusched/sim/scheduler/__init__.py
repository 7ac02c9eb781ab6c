"""kube-scheduler in time: its informers, its loop, its binding and preemption calls, its metrics.

What is decided is decided in `gpusched.kube`; here is only when, and what follows from it.
"""

from gpusched.sim.scheduler.loop import Scheduler, SchedulerOptions

__all__ = ["Scheduler", "SchedulerOptions"]
