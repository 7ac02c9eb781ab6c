"""The evidence folder of the lesson, from the recorded cluster: items L1-50 to L1-66."""

import copy
from typing import Any

import pytest

from gpusched.kubectl import Snapshot
from gpusched.kubectl.ages import parse_time
from gpusched.kubectl.evidence import Environment, collect, console, verdicts, write_report
from tests.kubectl.recordings import load

LESSON = "lesson-age-12s"
FILES = {
    "nodes.txt": "get-nodes-wide-labels",
    "nodes-describe.txt": "describe-nodes",
    "pods-all.txt": "get-pods-A-wide",
    "pods-gpu-demo.txt": "get-pods-wide",
    "pending-pods.txt": "get-pods-pending",
    "gpu-allocatable.txt": "gpu-allocatable",
    "describe-pod-cuda-train-16gpu.txt": "describe-pod-cuda-train-16gpu",
    "describe-pod-cuda-needs-b200.txt": "describe-pod-cuda-needs-b200",
}


def lesson(objects: list[dict[str, Any]] | None = None) -> Snapshot:
    now = parse_time(load(LESSON)["now"][:26] + "Z")
    return Snapshot(load(LESSON)["objects"] if objects is None else objects, now)


def test_l1_58_there_are_eighteen_files() -> None:
    names = [file.name for file in collect(lesson())]
    assert len(names) == 18
    assert names[:7] == [
        "nodes.txt", "nodes-describe.txt", "pods-all.txt", "pods-gpu-demo.txt",
        "pending-pods.txt", "events.txt", "gpu-allocatable.txt",
    ]  # fmt: skip
    assert all(name.startswith("describe-pod-") for name in names[7:])


@pytest.mark.parametrize("name", FILES)
def test_l1_50_to_57_a_file_is_its_command_an_empty_line_and_the_recorded_rows(name: str) -> None:
    recorded = load(LESSON)["files"][FILES[name]].splitlines()
    lines = {file.name: file.text for file in collect(lesson())}[name].splitlines()
    assert lines[0] == recorded[0]
    assert not lines[1]
    assert len(lines[2:]) == len(recorded[1:])


def test_l1_57_no_pod_is_described_when_the_namespace_is_missing() -> None:
    objects = [obj for obj in load(LESSON)["objects"] if obj["metadata"]["name"] != "gpu-demo"]
    assert len(collect(lesson(objects))) == 7


def test_l1_66_the_lesson_meets_its_four_expectations() -> None:
    found = verdicts(lesson())
    assert [verdict.met for verdict in found] == [True, True, True, True]
    assert found[3].observed == "31 Running, 9 Pending, 32 of 32 GPUs used"


def test_l1_66_the_right_phase_for_the_wrong_cause_does_not_count() -> None:
    objects = copy.deepcopy(load(LESSON)["objects"])
    (pod,) = (obj for obj in objects if obj["metadata"]["name"] == "cuda-needs-b200")
    pod["status"]["conditions"][0]["message"] = "0/7 nodes are available: 7 Insufficient cpu."
    assert not verdicts(lesson(objects))[2].met


def test_l1_66_pods_that_are_not_there_meet_nothing() -> None:
    assert not any(verdict.met for verdict in verdicts(Snapshot([], 0)))


def test_l1_60_to_65_the_report_has_its_headings_and_never_claims_hardware() -> None:
    text = write_report(lesson(), Environment("evidence/k8s-x"))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Local simulation report",
        "## Environment",
        "## Simulated fleet",
        "## Scenario results",
        "## What this run proves",
        "## What this run does NOT prove",
        "## Notes / surprises",
    ]
    assert "Total: 5 nodes, 32 GPUs (simulated)." in text
    assert "Totals of namespace gpu-demo: 32 Running, 11 Pending." in text
    assert "Verdict: 4 of 4 scenarios as expected (simulated)." in text
    assert "| Evidence directory | `evidence/k8s-x` |" in text
    for missing in ("CUDA", "NCCL", "NVLink", "MIG", "GPUDirect RDMA", "GPU memory", "telemetry"):
        assert missing in text


def test_the_console_names_every_file() -> None:
    files = collect(lesson())
    said = console("evidence/k8s-x", files, "local-simulation-report.md").splitlines()
    assert said[0] == "Collecting Kubernetes evidence into evidence/k8s-x"
    assert said[1] == "  wrote nodes.txt"
    assert len(said) == 20
