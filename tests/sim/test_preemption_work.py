"""A thousand preemptors cost a thousand times one, not a million: counted, not timed."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from gpusched.api.config import load_configuration
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.kube.plugins.default_preemption.dry_runs import DryRuns
from gpusched.kube.queue.hints import QueueingHints
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from tests.sim.builders import Json, node, pod

START = -10_000_000
_CONFIGURATION = """apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
"""


def replica(name: str, **spec: Any) -> Json:
    """Return one of many pods that differ by their names alone."""
    obj = pod(name, **spec)
    return {**obj, "metadata": {**obj["metadata"], "labels": {"app": "a"}}}


def preempt(preemptors: int) -> Scheduler:
    """Fill twice as many nodes as there will be preemptors, and let all preemptors come at once."""
    plane = ControlPlane(START)
    options = SchedulerOptions(started=START)
    scheduler = start_scheduler(plane, load_configuration(_CONFIGURATION), options)
    plane.start_controllers(START)
    plane.start_kwok("kwok", ["--manage-all-nodes"])
    plane.api.create(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "high"},
            "value": 1000,
        }
    )
    for number in range(2 * preemptors):
        plane.api.create(node(f"n{number:03}", gpus=2))
    plane.run(START + 2_000_000)
    for number in range(4 * preemptors):
        plane.api.create(replica(f"low-{number:03}"))
    plane.run(0)
    for number in range(preemptors):
        plane.api.create(replica(f"high-{number:03}", priorityClassName="high"))
    plane.run(5_000_000)
    bound = [found for found in plane.store.pods() if found.node and found.name.startswith("high")]
    assert len(bound) == preemptors
    return scheduler


def counted(monkeypatch: pytest.MonkeyPatch, preemptors: int) -> Counter[str]:
    """Return how often hints, gates and dry runs were asked, and Filter about a node."""
    calls: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            calls[name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, wrapped)

    with monkeypatch.context() as monkeypatch:  # noqa: PLR1704 - undone before the next count
        count(QueueingHints, "worth")
        count(DefaultPreemption, "pre_enqueue")
        count(DryRuns, "_note")
        calls["evaluations"] = preempt(preemptors).engine.statistics.evaluations
    return calls


def test_twice_as_many_preemptors_are_twice_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (counted(monkeypatch, preemptors) for preemptors in (40, 80))
    ratios = {name: many[name] / few[name] for name in few}
    assert set(few) == {"worth", "pre_enqueue", "_note", "evaluations"}
    assert max(ratios.values()) < 2.5, (few, many)
