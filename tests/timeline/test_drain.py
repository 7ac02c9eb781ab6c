"""``kubectl drain`` where a disruption budget holds pods back."""

from typing import Any

import pytest

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.latency import Latency
from gpusched.timeline.kubectl import Kubectl
from tests.sim import builders

Json = dict[str, Any]
REFUSAL = (
    'error when evicting pods/"{}" -n "default" (will retry after 5s): Cannot evict pod as it '
    "would violate the pod's disruption budget.\n"
)


def budget(name: str, least: int) -> Json:
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": name}}}
    meta = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": spec,
    }


def draining(least: int, flags: str = "") -> tuple[ControlPlane, list[tuple[int, Json]]]:
    """Begin to drain a full node with two guarded pods; there is room for one on another node."""
    plane = builders.plane(builders.node("a", 2), builders.node("b", 1))
    plane.api.create(builders.workload("ReplicaSet", "serve", 2))
    plane.run(10 * SECOND)
    plane.api.create(budget("serve", least))
    plane.run(20 * SECOND)
    answers: list[tuple[int, Json]] = []
    kubectl = Kubectl(plane)
    kubectl.run(f"drain a {flags}", "", lambda answer: answers.append((plane.loop.now, answer)))
    return plane, answers


def places(plane: ControlPlane) -> list[str]:
    return sorted(pod.node for pod in plane.store.pods())


def test_a_budget_lets_one_go_at_a_time_until_its_successor_is_ready() -> None:
    plane, answers = draining(1)
    plane.run(24 * SECOND)
    assert places(plane) == ["a", "b"]
    plane.run(60 * SECOND)
    ((at, answer),) = answers
    assert at == 26 * SECOND  # a second after the last eviction kubectl looks again
    assert (answer["rc"], answer["stdout"].splitlines()[-1]) == (0, "node/a drained")
    assert answer["stderr"].count("will retry after 5s") == 1
    assert places(plane) == ["", "b"]


def test_a_budget_that_allows_none_holds_a_drain_up_every_five_seconds() -> None:
    plane, answers = draining(2)
    plane.run(34 * SECOND)
    assert (answers, places(plane)) == ([], ["a", "a"])
    plane.api.patch(
        "PodDisruptionBudget", ("default", "serve"), {"spec": {"minAvailable": 0}}, "merge"
    )
    plane.run(60 * SECOND)
    ((at, answer),) = answers
    assert (at, answer["rc"]) == (36 * SECOND, 0)
    names = [line.split("/")[-1] for line in answer["stdout"].splitlines() if "evicting" in line]
    assert names == 4 * names[:2]
    assert answer["stderr"] == "".join(map(REFUSAL.format, names[:6]))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param("", "cannot delete Pods that declare no controller (use --force to override): "
                     "default/bare", id="a bare pod needs --force"),
        pytest.param("--force", "", id="with --force it goes"),
    ],
)  # fmt: skip
def test_a_bare_pod_is_only_evicted_by_force(flags: str, message: str) -> None:
    plane = builders.plane(builders.node("a", 2))
    plane.api.create(builders.pod("bare"))
    plane.run(10 * SECOND)
    answers: list[Json] = []
    Kubectl(plane).run(f"drain a {flags}", "", answers.append)
    plane.run(60 * SECOND)
    (answer,) = answers
    assert answer["rc"] == (1 if message else 0)
    assert message in answer["stderr"]
    assert plane.store.get("Node", "", "a")["spec"]["unschedulable"] is True  # type: ignore[index]  # it is there
    assert (plane.store.pod("default", "bare") is None) is not bool(message)


def test_evictions_that_spend_one_budget_at_once_are_tried_again_half_a_second_later() -> None:
    plane = builders.plane(builders.node("a", 3), latency=Latency("slow", light=3000))
    plane.api.create(builders.workload("ReplicaSet", "serve", 3))
    plane.api.create(budget("serve", 0))
    plane.run(10 * SECOND)
    gone: list[int] = []
    plane.store.watch(
        "Pod", lambda change: gone.append(plane.loop.now) if change.verb == "DELETED" else None
    )
    Kubectl(plane).run("drain a", "", lambda _: None)
    plane.run(20 * SECOND)
    first, second, third = gone
    assert first == 10 * SECOND + 3000
    assert 500_000 <= second - first <= 553_000
    # The third had read the budget before the second was taken from it.
    assert 500_000 <= third - second <= 553_000


def timed_out(name: str, seconds: int) -> str:
    return f'error when evicting pods/"{name}" -n "default": global timeout reached: {seconds}s'


def test_a_drain_gives_up_at_the_first_try_after_its_time() -> None:
    plane, answers = draining(2, "--timeout=7s")
    plane.run(60 * SECOND)
    ((at, answer),) = answers
    assert at == 30 * SECOND
    last, first = (line.split("/")[-1] for line in answer["stdout"].splitlines()[1:3])
    both = [timed_out(last, 7), timed_out(first, 7)]
    why = f'unable to drain node "a" due to error: [{", ".join(both)}]'
    assert (answer["rc"], answer["stdout"].count("evicting pod")) == (1, 6)
    assert answer["stderr"].endswith(
        f'There are pending pods in node "a" when an error occurred: [{", ".join(both)}]\n'
        f"pod/{first}\npod/{last}\n"
        f"error: {why}, continuing command...\n"
        f"There are pending nodes to be drained:\n a\n{both[0]}\n{both[1]}\n"
    )


def test_a_drain_without_evictions_asks_no_budget() -> None:
    plane, answers = draining(2, "--disable-eviction")
    plane.run(60 * SECOND)
    ((_, answer),) = answers
    names = [line.split()[0] for line in answer["stdout"].splitlines()[1:-1]]
    assert answer == {
        "rc": 0,
        "stdout": f"node/a cordoned\n{names[0]} deleted\n{names[1]} deleted\nnode/a drained\n",
        "stderr": "",
    }


def test_a_drain_names_every_problem_and_goes_on_with_the_next_node() -> None:
    plane = builders.plane(builders.node("a", 2), builders.node("b", 2))
    for place, name in (("a", "bare"), ("b", "other")):
        plane.api.create(builders.pod(name, nodeName=place))
    daemons = builders.workload("DaemonSet", "agent", 1)
    del daemons["spec"]["replicas"]
    plane.api.create(daemons)
    plane.run(10 * SECOND)
    answers: list[Json] = []
    Kubectl(plane).run("drain a b", "", answers.append)
    plane.run(20 * SECOND)
    (told,) = answers
    daemon = {pod.node: pod.name for pod in plane.store.pods() if pod.owner is not None}
    daemons_stay = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
    bare_stay = "cannot delete Pods that declare no controller (use --force to override)"
    whys = [
        [f"{daemons_stay}: default/{daemon[node]}", f"{bare_stay}: default/{bare}"]
        for node, bare in (("a", "bare"), ("b", "other"))
    ]
    lists = [f"[{', '.join(why)}]" for why in whys]
    assert told["stderr"] == (
        f'error: unable to drain node "a" due to error: {lists[0]}, continuing command...\n'
        f'error: unable to drain node "b" due to error: {lists[1]}, continuing command...\n'
        f"There are pending nodes to be drained:\n a\n b\n{lists[0]}\n{lists[1]}\n"
    )


def test_a_missing_node_keeps_all_from_being_cordoned() -> None:
    plane = builders.plane(builders.node("a", 2))
    answers: list[Json] = []
    Kubectl(plane).run("drain a zero", "", answers.append)
    plane.run(SECOND)
    wanted = 'Error from server (NotFound): nodes "zero" not found\n'
    assert answers == [{"rc": 1, "stdout": "", "stderr": wanted}]
    assert "unschedulable" not in plane.store.get("Node", "", "a")["spec"]  # type: ignore[index]  # it is there
