"""The Chrome trace: what Perfetto's reader wants, and what is in it."""

import json
from collections import Counter
from pathlib import Path

from gpusched.report.trace import CLUSTER, trace, write_trace
from tests.report.worlds import busy_hour, queue_pressure, two_nodes


def test_every_event_has_the_fields_that_its_phase_needs(tmp_path: Path) -> None:
    write_trace(busy_hour(), tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    needed = {"X": {"ts", "dur"}, "b": {"ts", "id", "cat"}, "e": {"ts", "id", "cat"}, "C": {"ts"}}
    for event in events:
        assert {"ph", "name", "pid"} <= set(event)
        assert needed.get(event["ph"], {"args"}) <= set(event)
        assert event.get("dur", 0) >= 0


def test_each_gpu_of_the_lesson_is_a_thread_with_one_pod() -> None:
    events = trace(queue_pressure())["traceEvents"]
    slices = Counter((event["pid"], event["tid"]) for event in events if event["ph"] == "X")
    assert len(slices) == 32
    assert set(slices.values()) == {1}


def test_waiting_pods_begin_and_end_and_say_why() -> None:
    events = [e for e in trace(two_nodes())["traceEvents"] if e.get("cat") == "waiting"]
    assert [(event["ph"], event["ts"], event["pid"]) for event in events] == [
        ("b", 2_000_000, CLUSTER),
        ("e", 10_000_000, CLUSTER),
    ]


def test_counters_follow_the_gpus_in_use() -> None:
    events = [e for e in trace(two_nodes())["traceEvents"] if e["name"] == "GPUs"]
    assert [(event["ts"] // 10**6, event["args"]["in use"]) for event in events] == [
        (0, 6),
        (2, 6),
        (10, 2),
        (15, 0),
        (20, 0),
    ]
