"""One measurement in a process of its own: the whole simulation, from the first pod to rest."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.shapes import SHAPES, Shape, manifest, node, spec
from gpusched.cli import short_lived

Json = dict[str, Any]
BEGIN = -10_000_000
_CONFIGURATION = """apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
percentageOfNodesToScore: {}
"""


def measure(shape: Shape, engine: str) -> Json:
    """Return what one run of a shape took: seconds by stage, pods by phase, peak memory."""
    began = time.perf_counter()
    from gpusched.api.config import load_configuration
    from gpusched.sim.control_plane import ControlPlane
    from gpusched.sim.scheduler import SchedulerOptions
    from gpusched.sim.scheduler.starting import start_scheduler

    plane = ControlPlane(BEGIN)
    configuration = load_configuration(_CONFIGURATION.format(shape.percentage))
    options = SchedulerOptions(started=BEGIN, engine=engine)
    scheduler = start_scheduler(plane, configuration, options)
    plane.start_controllers(BEGIN)
    plane.start_kwok("kwok", ["--manage-all-nodes"])
    for index in range(shape.nodes):
        plane.api.create(node(index, shape.gpus(index)))
    plane.run(-1_000_000)
    if shape.filled:
        _fill(plane, shape)
    plane.run(0)
    shape.prepare()
    ready = time.perf_counter()
    plane.loop.at(0, _post_all, plane.api, shape)
    plane.run(60_000_000 if shape.filled else 1_000_000)
    ended = time.perf_counter()
    phases: dict[str, int] = {}
    for found in plane.store.pods():
        phases[found.phase] = phases.get(found.phase, 0) + 1
    statistics = scheduler.engine.statistics
    return {
        "seconds": ended - ready,
        "setup_seconds": ready - began,
        "pods_per_second": shape.pods / (ended - ready),
        "peak_rss_mb": peak_rss_mb(),
        "phases": phases,
        "attempts": dict(statistics.attempts),
        "evaluations": statistics.evaluations,
    }


def _post_all(api: Any, shape: Shape) -> None:
    """Create the timed pods from within the loop, as a scenario's step does."""
    for obj in shape.manifests():
        api.post(obj)


def _fill(plane: Any, shape: Shape) -> None:
    """Fill all GPUs with pods of low priority, and make the class of the timed pods."""
    meta = {"name": "high"}
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta}
    plane.api.create({**kind, "value": shape.priority})
    gpus = sum(shape.gpus(index) for index in range(shape.nodes))
    for index in range(gpus):
        plane.api.post(manifest(f"low-{index:07d}", spec(gpus=1), {"app": "low"}))
    plane.run(-500_000)


def peak_rss_mb() -> float:
    """Return this process's peak memory in MB (10**6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * 1024 / 1e6 if sys.platform != "darwin" else peak / 1e6


def measure_lesson() -> Json:
    """Return what the lesson takes inside a process that has just started."""
    from gpusched.face import simulate

    began = time.perf_counter()
    scenario = Path(__file__).parents[1] / "scenarios" / "queue_pressure.yaml"
    run = simulate(scenario)
    seconds = time.perf_counter() - began
    phases = run.phases()
    return {
        "seconds": seconds,
        "setup_seconds": 0.0,
        "pods_per_second": sum(phases.values()) / seconds,
        "peak_rss_mb": peak_rss_mb(),
        "phases": phases,
        "attempts": {},
        "evaluations": 0,
    }


def main() -> None:
    """Measure the shape named on the command line and print the result as one JSON line."""
    name, engine = sys.argv[1:3]
    with short_lived():  # as the command line is
        result = measure_lesson() if name == "lesson" else measure(SHAPES[name], engine)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
