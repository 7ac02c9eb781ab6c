"""Why pods wait, lanes, pools, and queue depths."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.report.fleet import gpu_nodes, pool_of
from gpusched.report.gpus import gpu_use
from gpusched.report.stays import stays, workload_of
from gpusched.report.steps import counted
from gpusched.report.waiting import (
    GATED,
    UNTRIED,
    attempts,
    main_reason,
    queue_depths,
    reason_counts,
    reasons,
    reasons_over_time,
)
from gpusched.run.record import RunRecord
from tests.report.worlds import busy_hour, queue_pressure, refused, two_nodes

LESSON = (
    "0/7 nodes are available: 1 node(s) had untolerated taint(s), 6 Insufficient nvidia.com/gpu. "
    "no new claims to deallocate, preemption: 0/7 nodes are available: 7 Preemption is not "
    "helpful for scheduling."
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(LESSON, "Insufficient nvidia.com/gpu", id="six nodes outweigh one"),
        pytest.param(
            "0/4 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.",
            "Insufficient cpu",
            id="the first by name wins a tie",
        ),
        pytest.param(
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            "node(s) didn't match Pod's node affinity/selector",
            id="a reason may hold an apostrophe",
        ),
        pytest.param("Scheduling is blocked due to non-empty scheduling gates", GATED, id="a gate"),
        pytest.param("", UNTRIED, id="no message yet"),
        pytest.param("no nodes available to schedule pods", "no nodes available to schedule pods"),
    ],
)
def test_the_main_reason_is_the_one_that_refused_most_nodes(message: str, reason: str) -> None:
    assert main_reason(message) == reason


def test_reason_counts_leave_preemption_out() -> None:
    assert sum(reason_counts(LESSON).values()) == 7


def test_a_pod_waits_with_one_reason_after_the_other() -> None:
    [small] = [r for r in reasons(two_nodes()) if r.message]
    assert (small.start, small.end) == (2_000_000, 10_000_000)
    assert main_reason(small.message) == "Insufficient nvidia.com/gpu"


def test_reasons_hold_until_the_end_of_the_run() -> None:
    [(reason, column)] = reasons_over_time(queue_pressure()).items()
    assert (reason, column.last) == ("Insufficient nvidia.com/gpu", 8)


def test_the_queue_holds_the_eight_pods_that_do_not_fit() -> None:
    depths = queue_depths(queue_pressure())
    assert {name: column.last for name, column in depths.items()} == {
        "active": 0,
        "backoff": 0,
        "unschedulable": 8,
    }
    assert set(attempts(queue_pressure()).values()) == {1}


def test_unusable_gpus_are_those_that_no_waiting_pod_can_take() -> None:
    use = gpu_use(two_nodes())
    unusable = use.total("unusable")
    assert dict(zip(unusable.times.tolist(), unusable.values.tolist(), strict=True)) == {
        0: 0,
        2_000_000: 2,
        10_000_000: 0,
        15_000_000: 0,
        20_000_000: 0,
    }


@pytest.mark.parametrize(
    ("wanted", "unusable"),
    [
        pytest.param(4, 0, id="four free GPUs are enough for a pod that wants four"),
        pytest.param(5, 8, id="four free GPUs on each node are of no use to one that wants five"),
    ],
)
def test_free_gpus_are_usable_where_there_are_enough_on_one_node(
    wanted: int, unusable: int
) -> None:
    assert gpu_use(refused(wanted, gpus=4)).total("unusable").last == unusable


@pytest.mark.parametrize("world", [busy_hour, queue_pressure, two_nodes])
def test_gpus_in_use_agree_with_the_runs_history(world: Callable[[], RunRecord]) -> None:
    record = world()
    use, history = gpu_use(record), record.history
    used, capacity = use.total("used"), use.capacity()
    inside = (history.times >= 0) & (history.times <= record.ended)
    assert used.at(history.times[inside]).tolist() == history.gpus[inside].tolist()
    assert capacity.at(history.times[inside]).tolist() == history.capacity[inside].tolist()


def test_each_lane_holds_one_pod_at_a_time() -> None:
    taken: dict[tuple[str, int], int] = {}
    lanes = {node.name: node.lanes for node in gpu_nodes(busy_hour())}
    for stay in stays(busy_hour()):
        assert len(stay.lanes) == stay.life.gpus
        assert max(stay.lanes) < lanes[stay.node]
        for lane in stay.lanes:
            assert taken.get((stay.node, lane), 0) <= stay.start
            taken[stay.node, lane] = stay.end


def test_a_deployments_pods_belong_to_the_deployment() -> None:
    assert {workload_of(life) for life in queue_pressure().lives} == {"gpu-demo/queue-pressure"}


def test_the_pool_is_the_first_known_label() -> None:
    assert pool_of({"node.kubernetes.io/instance-type": "p4d", "gpu-pool": "a100"}) == "a100"


def test_nodes_are_ordered_by_pool_and_number() -> None:
    assert [node.name for node in gpu_nodes(queue_pressure())] == [
        "kwok-gpu-a100-0",
        "kwok-gpu-a100-1",
        "kwok-gpu-h100-0",
        "kwok-gpu-l40s-0",
        "kwok-gpu-l40s-1",
    ]


SPANS = st.lists(st.tuples(st.integers(-5, 30), st.integers(-5, 30), st.integers(1, 8)), max_size=9)


@given(spans=SPANS)
def test_the_area_of_spans_is_their_length_times_their_weight(
    spans: list[tuple[int, int, int]],
) -> None:
    inside = sum(max(0, min(stop, 20) - max(start, 0)) * weight for start, stop, weight in spans)
    assert counted(spans, end=20).area() == inside
