"""Attempts of a run, explained: found by number and time, held against what the run says."""

import json
from pathlib import Path

import pytest

import gpusched
from gpusched import Run
from gpusched.errors import InvalidInputError
from gpusched.explain import annotations, as_text, explain_pod
from gpusched.explain.annotations import PREFIX
from gpusched.run.saving import open_run

SCENARIOS = Path(__file__).parents[2] / "scenarios"
GPU_NODES = ["kwok-gpu-a100-0", "kwok-gpu-a100-1", "kwok-gpu-h100-0", "kwok-gpu-l40s-0",
             "kwok-gpu-l40s-1"]  # fmt: skip


@pytest.fixture(scope="module")
def lesson() -> Run:
    return gpusched.simulate(SCENARIOS / "lesson_all.yaml", until="11m")


def test_every_bound_pod_went_where_its_explanation_says(lesson: Run) -> None:
    bound = [row for row in lesson.pods() if row["node"]]
    assert len(bound) == 32
    for row in bound:
        found = explain_pod(lesson.record, f"{row['namespace']}/{row['name']}")
        assert (found.result, found.node, found.notes) == ("scheduled", row["node"], ())


def test_every_waiting_pod_has_the_message_of_its_explanation(lesson: Run) -> None:
    for row in lesson.pending():
        found = explain_pod(lesson.record, f"{row['namespace']}/{row['name']}")
        assert (found.message, found.notes) == (row["message"], ())


def test_the_selector_that_no_node_has(lesson: Run) -> None:
    found = explain_pod(lesson.record, "gpu-demo/cuda-needs-b200", until=60_000_000)
    assert (found.attempt, found.attempts, found.seconds) == (1, 1, 1.0)
    refused = {verdict.node: verdict.refused_by for verdict in found.nodes}
    assert refused.pop("ai-factory-lab-control-plane") == "TaintToleration"
    assert set(refused.values()) == {"NodeAffinity"}
    texts = {node: [c.text for c in changes] for node, changes in found.smallest_change.items()}
    wanted = ["label the node gpu-pool=b200", "free 1 nvidia.com/gpu"]
    assert texts == dict.fromkeys(GPU_NODES, wanted)
    assert found.changes_seconds == 60.0


def test_the_queue_tells_what_woke_the_pod(lesson: Run) -> None:
    found = explain_pod(lesson.record, "gpu-demo/cuda-needs-b200")
    assert [(move.seconds, move.event, move.queue) for move in found.history] == [
        (1.0, "UnschedulablePodAdd", "active"),
        (1.0, "attempt", "1"),
        (1.0, "ScheduleAttemptFailure", "unschedulable"),
        (320.0, "UnschedulableTimeout", "active"),
        (320.0, "attempt", "2"),
        (320.0, "ScheduleAttemptFailure", "unschedulable"),
        (620.0, "UnschedulableTimeout", "active"),
        (620.0, "attempt", "3"),
        (620.0, "ScheduleAttemptFailure", "unschedulable"),
    ]


def test_an_attempt_is_seen_with_the_cluster_of_its_time(lesson: Run) -> None:
    first = explain_pod(lesson.record, "gpu-demo/cuda-needs-b200", number=1)
    texts = {c.text for changes in first.smallest_change.values() for c in changes}
    assert texts == {"label the node gpu-pool=b200"}, "no GPU was taken yet"


def test_the_small_pod_was_scored_on_two_equal_nodes(lesson: Run) -> None:
    found = explain_pod(lesson.record, "gpu-demo/cuda-batch-small")
    scored = {v.node: v.total for v in found.nodes if v.total is not None}
    assert scored == {"kwok-gpu-a100-0": 399, "kwok-gpu-a100-1": 399}
    assert found.ties == ("kwok-gpu-a100-0", "kwok-gpu-a100-1")
    score = found.nodes[2].scores["TaintToleration"]
    assert (score.raw, score.normalized, score.weighted) == (0, 100, 300)


def test_a_saved_run_is_explained_like_the_one_that_has_just_ended(
    lesson: Run, tmp_path: Path
) -> None:
    saved = open_run(lesson.save(tmp_path / "run", pictures=False))
    for pod in ("gpu-demo/cuda-train-16gpu", "gpu-demo/cuda-batch-small"):
        assert explain_pod(saved, pod) == explain_pod(lesson.record, pod)


@pytest.mark.parametrize(
    ("pod", "number", "message"),
    [
        ("gpu-demo/nope", None, ("pod gpu-demo/nope: the run never had this pod "
                                "(see: gpusched get pods -A)")),
        ("gpu-demo/cuda-batch-small", 2, ("pod gpu-demo/cuda-batch-small: there is no attempt 2; "
                                         "it had 1")),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_said(
    lesson: Run, pod: str, number: int | None, message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        explain_pod(lesson.record, pod, number=number)
    assert str(caught.value) == message


def test_the_annotations_of_kube_scheduler_simulator(lesson: Run) -> None:
    notes = annotations(explain_pod(lesson.record, "gpu-demo/cuda-batch-small"))
    filters = json.loads(notes[f"{PREFIX}filter-result"])
    assert filters["kwok-gpu-a100-0"] == dict.fromkeys(
        ("NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodeResourcesFit"),
        "passed",
    )
    assert filters["kwok-gpu-h100-0"]["NodeAffinity"] == (
        "node(s) didn't match Pod's node affinity/selector"
    )
    final = json.loads(notes[f"{PREFIX}finalscore-result"])
    assert final["kwok-gpu-a100-1"]["TaintToleration"] == "300"
    raw = json.loads(notes[f"{PREFIX}score-result"])
    assert raw["kwok-gpu-a100-1"]["TaintToleration"] == "0"
    assert notes[f"{PREFIX}selected-node"] == "kwok-gpu-a100-0"


def test_an_explanation_reads_from_the_verdict_to_the_queue(lesson: Run) -> None:
    lines = as_text(explain_pod(lesson.record, "gpu-demo/cuda-batch-small")).splitlines()
    assert lines[0] == (
        "Pod gpu-demo/cuda-batch-small: scheduled on kwok-gpu-a100-0 "
        "(default-scheduler, attempt 1 of 1 at 1s)"
    )
    assert "2 nodes tie for the best total: kwok-gpu-a100-0, kwok-gpu-a100-1." in lines
    assert lines[-1] == "1s     attempt 1             in flight"


def test_the_json_of_an_explanation_has_its_names_in_camel_case(lesson: Run) -> None:
    value = explain_pod(lesson.record, "gpu-demo/cuda-train-16gpu").to_json()
    assert value["nodes"][0]["refusedBy"] == "TaintToleration"
    assert value["nodes"][0]["evictionCouldHelp"] is False
    assert value["smallestChange"]["kwok-gpu-a100-0"][0]["kind"] == "grow"
    json.dumps(value)


PREEMPTION = f"""
apiVersion: gpusched.dev/v1alpha1
kind: Scenario
metadata: {{name: preemption}}
spec:
  fleet: {SCENARIOS}/../fleets/ai_factory_lab.yaml
  setup:
    - {SCENARIOS}/manifests/namespace.yaml
    - apiVersion: scheduling.k8s.io/v1
      kind: PriorityClass
      metadata: {{name: urgent}}
      value: 1000
  steps:
    - {{at: 0s, apply: {SCENARIOS}/manifests/queue_pressure.yaml}}
    - at: 10s
      apply:
        apiVersion: v1
        kind: Pod
        metadata: {{name: urgent, namespace: gpu-demo}}
        spec:
          priorityClassName: urgent
          tolerations: [{{operator: Exists, key: kwok.x-k8s.io/node}}]
          containers: [{{name: c, image: i, resources: {{limits: {{nvidia.com/gpu: 2}}}}}}]
  until: 2m
"""


def test_preemption_names_the_node_and_the_victims_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(PREEMPTION)
    run = gpusched.simulate(tmp_path / "t.yaml")
    first = explain_pod(run.record, "gpu-demo/urgent", number=1)
    last = explain_pod(run.record, "gpu-demo/urgent")
    assert (first.result, last.result) == ("unschedulable", "scheduled")
    assert first.nominated == last.node
    names = {f"gpu-demo/{row['name']}" for row in run.pods()}
    assert len(first.victims) == 2
    assert not set(first.victims) & names, "they are gone"
    assert f"Preemption makes room on {last.node} by evicting " in as_text(first)
    looked_at = [verdict.node for verdict in last.nodes if verdict.looked_at]
    assert looked_at == [last.node], "the nominated node is looked at first"
    assert "6 nodes were not looked at" in as_text(last)


def test_lots_that_were_drawn_are_called_so() -> None:
    run = gpusched.simulate(SCENARIOS / "lesson_all.yaml", tie_break="random")
    found = explain_pod(run.record, "gpu-demo/cuda-batch-small")
    (row,) = run.pods().where(name="cuda-batch-small")
    assert found.node == row["node"]
    assert found.tie == "drawn from the run's own random stream"


def test_a_gated_pod_was_never_tried(tmp_path: Path) -> None:
    gated = "          schedulingGates: [{name: g/h}]\n          priorityClassName"
    text = PREEMPTION.replace("          priorityClassName", gated)
    (tmp_path / "t.yaml").write_text(text)
    run = gpusched.simulate(tmp_path / "t.yaml")
    with pytest.raises(InvalidInputError, match="no attempt to schedule it until 120s"):
        explain_pod(run.record, "gpu-demo/urgent")
