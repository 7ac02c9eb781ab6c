"""The summary stays under a screen, however large the fleet."""

from typing import Any

from gpusched.cli.summary import summary

SCREEN = 40


def result(nodes: int = 1, messages: int = 0, refusals: int = 0) -> dict[str, Any]:
    use = {"nvidia.com/gpu": {"allocatable": 8, "requested": 3}, "pods": {"requested": 3}}
    return {
        "scenario": "big",
        "simulated": True,
        "interrupted": False,
        "seed": 7,
        "simulatedSeconds": 3600.0,
        "pods": {"Failed": 1, "Pending": 2, "Running": 3, "Succeeded": 4},
        "nodes": {f"n{index:04}": use for index in range(nodes)},
        "messages": {f"message {index}": 2 for index in range(messages)},
        "refusals": [f"refusal {index}" for index in range(refusals)],
        "scheduler": {"counters": {"attempts": 5}, "gauges": {"depth": 1.5}},
        "differences": [],
    }


def test_a_large_fleet_is_counted_not_listed() -> None:
    text = summary(result(nodes=1000, messages=50, refusals=50))
    assert len(text.splitlines()) <= SCREEN
    assert "  ... and 988 more nodes (-o wide shows all)\n" in text
    assert "GPUs in use: 3000 of 8000\n" in text
    assert "  ... and 44 more messages (-o wide shows all)\n" in text
    assert "  ... and 44 more refusals (-o wide shows all)" in text


def test_wide_lists_everything() -> None:
    text = summary(result(nodes=100, messages=50, refusals=50), wide=True)
    assert "more " not in text
    assert text.count("refusal ") == 50
    assert text.count("message ") == 50
    assert "attempts   5" in text


def test_one_more_is_said_in_the_singular() -> None:
    assert "... and 1 more node (" in summary(result(nodes=13))


def test_phases_come_in_the_order_of_interest() -> None:
    assert "Pods: 3 Running, 2 Pending, 4 Succeeded, 1 Failed\n" in summary(result())


def test_a_fleet_without_gpus_still_shows_its_nodes() -> None:
    bare = result()
    bare["nodes"] = {"a": {"cpu": {"allocatable": 8000, "requested": 1}, "pods": {"requested": 1}}}
    assert "a      0      0        1" in summary(bare)


def test_an_interrupted_and_a_recorded_run_are_called_so() -> None:
    text = summary({**result(), "interrupted": True, "simulated": False})
    assert text.startswith(
        "big after 3600s of virtual time (recorded from a cluster, seed 7, interrupted)\n"
    )


def test_claimed_devices_are_told_beside_gpus_that_are_resources() -> None:
    devices = {"a.example.com": {"published": 8, "claimed": 4}}
    text = summary({**result(), "devices": devices})
    assert "GPUs in use as resources: 3 of 8\n" in text
    assert "Devices in use by claims: 4 of 8 (a.example.com)\n" in text


def test_devices_are_told_where_no_gpu_is_a_resource() -> None:
    bare = result()
    bare["nodes"] = {"a": {"pods": {"requested": 1}}}
    bare["devices"] = {name: {"published": 2, "claimed": 1} for name in ("a.com", "b.com")}
    text = summary(bare)
    assert "GPUs in use" not in text
    assert "Devices in use by claims: 1 of 2 (a.com), 1 of 2 (b.com)\n" in text
