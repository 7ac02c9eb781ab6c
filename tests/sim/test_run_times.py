"""How long pods run: asked once for each pod, when it starts."""

from collections import Counter

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Pod
from tests.sim.builders import FirstFit, job, node, pod


class Asked:
    """Says that pods of jobs run for ten seconds, and counts how often it is asked."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def __call__(self, started: Pod) -> tuple[int, int] | None:
        self.count[started.name] += 1
        return (10 * SECOND, 0) if started.owner else None


def played(asked: Asked) -> ControlPlane:
    plane = ControlPlane()
    plane.start_kwok(args=["--manage-all-nodes"], run_time=asked)
    plane.start_controllers(0)
    FirstFit(plane)
    for obj in (node("a"), job("j", completions=3, parallelism=3), pod("p")):
        plane.api.create(obj)
    return plane


def test_each_pod_draws_its_run_time_once() -> None:
    asked = Asked()
    plane = played(asked)
    plane.run(5 * SECOND)
    for found in list(plane.store.pods()):
        plane.api.patch("Pod", found.key, {"metadata": {"labels": {"seen": "yes"}}}, "merge")
    plane.run(60 * SECOND)
    assert sorted(asked.count.values()) == [1, 1, 1, 1]
    assert [found.phase for found in plane.store.pods() if found.owner] == ["Succeeded"] * 3


def test_a_jobs_pod_whose_end_fell_into_a_stop_ends_at_the_next_start() -> None:
    plane = played(Asked())
    plane.run(5 * SECOND)
    plane.kubelets["kwok"].stop()
    plane.run(30 * SECOND)
    assert {found.phase for found in plane.store.pods()} == {"Running"}
    plane.kubelets["kwok"].start()
    plane.run(31 * SECOND)
    assert [found.phase for found in plane.store.pods() if found.owner] == ["Succeeded"] * 3
