"""Measures against runs worked out by hand."""

import pytest

from gpusched.report.fairness import jain
from gpusched.report.measures import measures, measures_table, percentile
from gpusched.run.record import RunRecord
from tests.report.worlds import ROOT, busy_hour, nothing, queue_pressure, two_nodes


def value(record: RunRecord, name: str, of: str = "") -> float | int | None:
    [found] = [m.value for m in measures(record) if (m.name, m.of) == (name, of)]
    return found


BY_HAND = [
    pytest.param("pods_created", 3, id="three pods are created"),
    pytest.param("gpus", 8, id="two nodes of four GPUs offer eight"),
    pytest.param("gpu_hours_in_use", round(70 / 3600, 6), id="6 GPUs for 10 s, then 2 for 5 s"),
    pytest.param("gpu_hours_offered", round(160 / 3600, 6), id="8 GPUs for 20 s"),
    pytest.param("gpu_allocation_ratio", 0.4375, id="70 of 160 GPU-seconds are in use"),
    pytest.param("gpu_hours_unusable", round(16 / 3600, 6), id="one on each node for 8 s"),
    pytest.param("gpus_unusable_at_end", 0, id="nothing waits at the end"),
    pytest.param("fragmentation", round((20 + 5 * 4 / 3) / 160, 6), id="2 GPUs, then 4/3 of one"),
    pytest.param("fragmentation_at_end", 0.0, id="whole nodes are free at the end"),
    pytest.param("pods_never_bound", 0, id="all pods are bound"),
    pytest.param("waiting_time_p50", 0.0, id="two of three pods do not wait"),
    pytest.param("waiting_time_p90", 8.0, id="the third waits from 2 s to 10 s"),
    pytest.param("waiting_time_mean", round(8 / 3, 6), id="8 s among three pods"),
    pytest.param("completion_time_p50", 10.0, id="the middle one of 10 s, 10 s and 13 s"),
    pytest.param("completion_time_max", 13.0, id="8 s of waiting and 5 s of running"),
    pytest.param("makespan", 15.0, id="from the first creation at 0 s to the last end at 15 s"),
    pytest.param("pods_preempted", 0, id="nobody is preempted"),
    pytest.param("attempts", 4, id="the third pod is tried twice"),
    pytest.param("attempts_per_pod_max", 2, id="once in vain and once with success"),
    pytest.param("fairness", 0.5, id="one of two namespaces has all it wants, the other nothing"),
]


@pytest.mark.parametrize(("name", "expected"), BY_HAND)
def test_two_nodes_come_to_what_a_hand_works_out(name: str, expected: float) -> None:
    assert value(two_nodes(), name) == expected


def test_the_lesson_fills_every_pool_and_leaves_eight_pods() -> None:
    record = queue_pressure()
    in_use = [value(record, "gpus_in_use_at_end", f"pool {p}") for p in ("a100", "h100", "l40s")]
    assert in_use == [16, 8, 8]
    assert value(record, "pods_never_bound") == 8
    assert value(record, "gpu_allocation_ratio") == round(59 / 60, 6)
    assert value(record, "fairness") is None


def test_priorities_are_told_apart_and_victims_counted() -> None:
    record = busy_hour()
    assert value(record, "pods_preempted") == 2
    assert value(record, "pods_removed") == 2
    assert value(record, "waiting_time_max", "priority 100000") == 0.0
    assert value(record, "waiting_time_max", "priority 0") == value(record, "waiting_time_max")


def test_a_run_without_anything_has_nothing_to_measure() -> None:
    found = {m.name: m.value for m in measures(nothing())}
    assert found["pods_created"] == 0
    assert found["gpu_allocation_ratio"] is None
    assert found["makespan"] is None


def test_every_measure_is_documented() -> None:
    text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    missing = {m.name for m in measures(busy_hour()) if f"`{m.name}`" not in text}
    assert not missing


def test_the_table_holds_one_row_for_each_measure() -> None:
    table = measures_table(two_nodes())
    assert table.where(measure="makespan")[0] == {
        "measure": "makespan",
        "of": "",
        "value": 15.0,
        "unit": "seconds",
    }


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        pytest.param(1, 1, id="the lowest rank is the first"),
        pytest.param(50, 5, id="half of ten are five"),
        pytest.param(51, 6, id="any more needs the next"),
        pytest.param(100, 10, id="the highest rank is the last"),
    ],
)
def test_percentiles_are_nearest_ranks(percent: int, expected: int) -> None:
    assert percentile(range(1, 11), percent) == expected


def test_jain_is_one_over_n_if_one_has_everything() -> None:
    assert jain([0, 0, 0, 3]) == 0.25
