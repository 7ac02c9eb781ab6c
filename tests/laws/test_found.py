"""The smallest cases of what the laws' machines have found."""

import pytest

from gpusched.sim.calendar import SECOND
from tests.laws.lab import Lab, Operation

JOB, DEPLOYMENT = 3, 0
NEVER_FITS, TWO_GPUS, FOUR_GPUS = 3, 1, 2
LOW, MID = 0, 1


def played(nodes: tuple[int, ...], *operations: Operation) -> Lab:
    return Lab(nodes=nodes).play(operations)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_waiting_pods_of_a_deleted_job_are_not_held_by_its_finalizer(propagation: str) -> None:
    lab = played(
        (0,),
        ("create_workload", (JOB, 2, NEVER_FITS, LOW, 0)),
        ("advance", (SECOND,)),
        ("delete_workload", (0, propagation)),
        ("advance", (SECOND,)),
    )
    assert [pod.name for pod in lab.plane.store.pods()] == []


@pytest.mark.parametrize("kind", [JOB, DEPLOYMENT + 1], ids=["Job", "ReplicaSet"])
def test_orphaned_pods_outlive_their_owner_and_nothing_holds_them(kind: int) -> None:
    lab = played(
        (0,),
        ("create_workload", (kind, 2, 0, LOW, 0)),
        ("advance", (SECOND,)),
        ("delete_workload", (0, "Orphan")),
        ("advance", (60 * SECOND,)),
    )
    found = [(pod.owner, pod.finalizers, pod.deletion) for pod in lab.plane.store.pods()]
    assert found == [(None, (), None)] * len(found)
    assert found


def test_a_victim_that_another_preemptor_has_deleted_wakes_this_one_too() -> None:
    lab = played(
        (1,),  # four GPUs
        ("create_pod", (FOUR_GPUS, LOW, 0, False, 30)),
        ("advance", (SECOND,)),
        ("create_workload", (DEPLOYMENT, 2, TWO_GPUS, MID, 0)),
        ("advance", (12 * SECOND,)),
    )
    assert [(pod.template.priority, pod.phase) for pod in lab.plane.store.pods()] == [
        (100, "Running"),
        (100, "Running"),
    ]


def test_so_does_one_that_was_still_there_when_another_event_came() -> None:
    """Both nodes' victims go at once: the first one's end finds the second one still there."""
    lab = played(
        (1, 1),  # four GPUs each
        ("create_pod", (FOUR_GPUS, LOW, 0, False, 0)),
        ("create_pod", (FOUR_GPUS, LOW, 0, False, 0)),
        ("advance", (SECOND,)),
        ("create_workload", (DEPLOYMENT, 4, TWO_GPUS, MID, 0)),
        ("advance", (SECOND,)),
    )
    assert [(pod.template.priority, pod.phase) for pod in lab.plane.store.pods()] == [
        (100, "Running")
    ] * 4


def test_a_pod_that_is_bound_while_it_is_orphaned_stays_bound() -> None:
    """Its owners alone are written, not the whole pod as it was when it was read."""
    lab = Lab("verify", 0, "recorded-v1.36", (0, 3, 4)).play(
        [
            ("silence", ()),
            ("advance", (120 * SECOND,)),
            ("create_workload", (DEPLOYMENT, 1, 0, LOW, 0)),
            ("advance", (120 * SECOND,)),
            ("add_node", (0,)),
            ("delete_workload", (1, "Orphan")),
            ("advance", (120 * SECOND,)),
        ]
    )
    assert [pod.node for pod in lab.plane.store.pods()] == ["n5"]
