"""A run in which two pods push each other aside for ever ends with an error that names them."""

import re

import pytest

from gpusched.api.config import load_configuration
from gpusched.sim import standstill
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.loop import Loop
from gpusched.sim.scheduler import SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler
from gpusched.sim.standstill import StandstillError, refuse_to_stand_still
from tests.sim.builders import node, pod, workload

START = -10_000_000
_CONFIGURATION = """apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
"""
HOSTNAME = "kubernetes.io/hostname"


def test_a_preemptor_whose_victims_come_back_at_once_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standstill, "ENOUGH", 10_000)
    plane = ControlPlane(START)
    start_scheduler(plane, load_configuration(_CONFIGURATION), SchedulerOptions(started=START))
    plane.start_controllers(START)
    plane.start_kwok("kwok", ["--manage-all-nodes"])
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    plane.api.create({**kind, "metadata": {"name": "high"}, "value": 1000})
    plane.api.create({**node("n1"), "metadata": {"name": "n1", "labels": {HOSTNAME: "n1"}}})
    plane.api.create(workload("ReplicaSet", "web", 1))
    plane.run(0)
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": HOSTNAME}
    shy = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    plane.api.create(pod("shy", priorityClassName="high", affinity=shy))
    with pytest.raises(StandstillError) as stopped:
        plane.run(1_000_000)
    assert re.fullmatch(
        r"the clock stands still at \S+Z \(0\.000000 s\): [\d,]+ actions and no end\. "
        r"Likely: default/shy \(\d+ of the last preemptions\); the last victim is "
        r"default/web-\w+\. Things take no time in this run: let them, with "
        r"`latency: recorded-v1\.36` in the scenario's spec, .*\.",
        str(stopped.value),
    ), str(stopped.value)


def test_many_nodes_may_come_at_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = ControlPlane(START)
    monkeypatch.setattr(standstill, "ENOUGH", 0)
    for index in range(50):
        plane.api.create(node(f"n{index}"))
    refuse_to_stand_still(plane.store, 50 * 100)
    with pytest.raises(StandstillError):
        refuse_to_stand_still(plane.store, 100 * 100)


def test_a_busy_clock_that_moves_is_left_alone() -> None:
    loop, told = Loop(), list[int]()
    loop.standing_still = told.append

    def go_on(left: int) -> None:
        if left:
            loop.at(loop.now + (left % 5_000 == 0), go_on, left - 1)

    go_on(200_000)
    loop.run(1000)
    assert told == []

    def plan() -> None:
        for _ in range(200_000):
            loop.soon(int)

    loop.at(2000, plan)
    loop.run(3000)
    assert told
    assert all(10_000 <= count <= 200_000 for count in told)
