"""DefaultPreemption where the answer hangs on one pod among several, or on what is left out."""

from gpusched.api.config import DefaultPreemptionArgs
from gpusched.api.policy import PodDisruptionBudget
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.status import Status
from gpusched.kube.plugins.default_preemption import DefaultPreemption
from gpusched.kube.plugins.default_preemption.budgets import compile_budgets
from gpusched.kube.plugins.default_preemption.victims import select_victims
from tests.kube.plugins.test_default_preemption import (
    EVICTED,
    full_world,
    names,
    outcome,
    preemptor,
    tried,
)
from tests.kube.plugins.worlds import World, cpu

GONE = "2026-01-01T00:00:00Z"


def test_one_leaving_victim_among_others_is_waited_for() -> None:
    world = full_world(("stays", "n1", 0, "1"), ("low", "n2", 0, "4"))
    status = {"conditions": [EVICTED]}
    world.placed("leaving", "n1", cpu("3"), deletionTimestamp=GONE, status=status)
    result = tried(world, preemptor(world, "4", status={"nominatedNodeName": "n1"}))
    assert result.nominated_node is None
    assert result.candidates == ()


def test_a_leaving_pod_of_the_same_priority_is_not_waited_for() -> None:
    world = full_world(("low", "n2", 0, "4"))
    status = {"conditions": [EVICTED]}
    spec = cpu("4", priority=100)
    world.placed("leaving", "n1", spec, deletionTimestamp=GONE, status=status)
    result = tried(world, preemptor(world, "4", status={"nominatedNodeName": "n1"}))
    assert [candidate.node for candidate in result.candidates] == ["n2"]


def test_a_budget_without_a_namespace_is_one_of_the_default_namespace() -> None:
    wire = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"app": "a"}}}}
    (budget,) = compile_budgets([PodDisruptionBudget.model_validate(wire)])
    assert budget.namespace == "default"


def test_arguments_are_the_defaults_or_those_that_are_given() -> None:
    handle = World().framework()
    assert DefaultPreemption.create(None, handle).args == DefaultPreemptionArgs()
    few = DefaultPreemptionArgs(min_candidate_nodes_absolute=1)
    assert DefaultPreemption.create(few, handle).args == few


def test_a_node_without_less_important_pods_has_no_victims() -> None:
    world = full_world(("same", "n1", 100, "4"))
    one = world.snapshot.nodes.copy_row(world.copy_of("n1"))
    pod = preemptor(world, "1")
    found = select_victims(world.framework("NodeResourcesFit"), CycleState(), pod, one, ())
    assert isinstance(found, Status)
    assert found.message == "No preemption victims found for incoming pod"


def test_asking_again_while_nothing_changes_gives_the_same_victims() -> None:
    world = full_world(("a", "n1", 0, "4"), ("b", "n2", 1, "4"))
    framework = world.framework("NodeResourcesFit", "DefaultPreemption")
    pod = preemptor(world, "2")
    seen = [outcome(world.attempt(framework, pod)).candidates for _ in range(4)]
    assert [[(each.node, names(each.pods)) for each in found] for found in seen] == [
        [("n1", ["a"])]
    ] * 4
