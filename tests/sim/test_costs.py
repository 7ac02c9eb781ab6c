"""What a pod may cost: calls of Python functions, and bytes that a run keeps of it.

A pod is created, waits, is bound and runs, with all controllers at work. The figures are those of
one more pod, so that what a run costs anyway falls out.
"""

import gc
import sys
import tracemalloc
from types import FrameType
from typing import Any

from gpusched.api.config import default_configuration
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete_pod
from gpusched.sim.scheduler import SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from tests.sim.builders import node, pod

CALLS = 190
REFUSED_CALLS = 155
AGAIN_CALLS = 100
BYTES = 900
PEAK_BYTES = 1050
FEW, MANY = 500, 2000


def cluster() -> ControlPlane:
    """Return a cluster with room for everybody, in which one pod runs already."""
    built = ControlPlane(0)
    start_scheduler(built, default_configuration(), SchedulerOptions(engine="fast"))
    built.start_controllers(0)
    built.start_kwok(args=["--manage-all-nodes=true"])
    for number in range(20):
        built.api.create(node(f"n{number}", 1000))
    built.run(1_000_000)
    create(built, 1, "first")
    built.run(2_000_000)
    return built


def create(built: ControlPlane, count: int, prefix: str, gpus: int = 1) -> None:
    for number in range(count):
        built.api.post({**pod("p", gpus), "metadata": {"name": f"{prefix}-{number}"}})


def calls(built: ControlPlane, until: int) -> int:
    """Return how many Python functions are called until an instant."""
    found = [0]

    def note(frame: FrameType, event: str, argument: Any) -> None:
        del frame, argument
        found[0] += event == "call"

    sys.setprofile(note)
    try:
        built.run(until)
    finally:
        sys.setprofile(None)
    return found[0]


def calls_to_run(count: int) -> int:
    """Return how many calls it takes until so many pods run."""
    built = cluster()
    built.loop.soon(create, built, count, "p")
    found = calls(built, 3_000_000)
    assert sum(item.phase == "Running" for item in built.store.pods()) == count + 1
    return found


def calls_to_refuse(count: int) -> tuple[int, int]:
    """Return how many calls it takes to refuse so many pods for the first time, and once more."""
    built = cluster()
    built.loop.soon(create, built, count, "p", 2000)
    first = calls(built, 3_000_000)
    built.loop.soon(delete_pod, built.store, built.store.find(("default", "first-0")))
    return first, calls(built, 4_000_000)


def kept(count: int) -> tuple[int, int]:
    """Return how many bytes a run keeps once so many pods run, and how many it had at its peak."""
    built = cluster()
    built.loop.soon(create, built, count, "p")
    tracemalloc.start(1)
    try:
        built.run(3_000_000)
        gc.collect()
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def test_a_pod_costs_few_calls() -> None:
    assert (calls_to_run(MANY) - calls_to_run(FEW)) / (MANY - FEW) < CALLS


def test_a_failed_attempt_costs_few_calls() -> None:
    """The first one, with the pod's creation and its condition; another one with nothing to write.

    Both are answered from memory: it costs a scan to find out that nobody fits, but only one.
    """
    few, many = calls_to_refuse(FEW), calls_to_refuse(MANY)
    assert (many[0] - few[0]) / (MANY - FEW) < REFUSED_CALLS
    assert (many[1] - few[1]) / (MANY - FEW) < AGAIN_CALLS


def test_a_pod_costs_few_bytes() -> None:
    """When all are there; and when all of them are bound at one instant, which nobody has heard of.

    Until then the state before the binding is kept for those who read it: here nobody does.
    """
    kept(FEW), kept(MANY)  # what is remembered of names and shapes is no pod's
    few, many = kept(FEW), kept(MANY)
    assert (many[0] - few[0]) / (MANY - FEW) < BYTES
    assert (many[1] - few[1]) / (MANY - FEW) < PEAK_BYTES
