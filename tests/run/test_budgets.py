"""Disruption budgets over pods that nobody can scale: what the real controller answered."""

from typing import Any

import pytest
import yaml

from gpusched.face import simulate
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay

POD: dict[str, Any] = {"containers": [{"name": "c", "image": "i"}]}
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{"
    "MatchLabels:map[string]string{app: bare,},MatchExpressions:[]LabelSelectorRequirement{},}) "
    "were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly,"
    " which may result in undefined behavior. To account for these pods please set "
    '".spec.minAvailable" field of the PDB to an integer value.'
)
NO_SCALE = "jobs.batch does not implement the scale subresource"


def budget(name: str, app: str, **spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}}
    return {**head, "spec": {"selector": {"matchLabels": {"app": app}}, **spec}}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    status = {"capacity": room, "allocatable": room}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}, "status": status}
    template = {"metadata": {"labels": {"app": "job"}}, "spec": {**POD, "restartPolicy": "Never"}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job"},
        "spec": {"parallelism": 2, "completions": 2, "template": template},
    }
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "labels": {"app": "bare"}},
        "spec": POD,
    }
    budgets = [
        budget("counted", "job", minAvailable=1),
        budget("uncountable", "job", maxUnavailable=1),
        budget("unmanaged", "bare", minAvailable="50%"),
        budget("empty", "nobody", minAvailable=1),
    ]
    steps = [{"at": "1s", "create": job}, {"at": "2s", "create": bare}]
    steps += [{"at": "5s", "create": each} for each in budgets]
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    path = tmp_path_factory.mktemp("budgets") / "s.yaml"
    spec = {"fleet": node, "steps": steps, "until": "10s"}
    path.write_text(yaml.safe_dump({**head, "spec": spec}), encoding="utf-8")
    return simulate(path).record


@pytest.mark.parametrize(
    ("name", "counts", "condition"),
    [
        pytest.param(
            "counted",
            (1, 2, 1, 2),
            ("True", "SufficientPods", ""),
            id="a Job's pods that have ended, and are still Ready under KWOK, count",
        ),
        pytest.param(
            "uncountable",
            (0, 0, 0, 0),
            ("False", "SyncFailed", NO_SCALE),
            id="nobody goes if an owner cannot be scaled",
        ),
        pytest.param(
            "unmanaged",
            (0, 1, 0, 0),
            ("False", "InsufficientPods", ""),
            id="pods without an owner are nobody's share",
        ),
        pytest.param(
            "empty", (0, 0, 1, 0), ("False", "InsufficientPods", ""), id="a budget without pods"
        ),
    ],
)
def test_a_budget_over_pods_that_nobody_can_scale(
    record: RunRecord, name: str, counts: tuple[int, ...], condition: tuple[str, ...]
) -> None:
    objects = Replay(record.rows).jump(record.ended).objects
    status = objects["PodDisruptionBudget", "default", name]["status"]
    (held,) = status["conditions"]
    names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    assert tuple(status[each] for each in names) == counts
    assert (held["status"], held["reason"], held["message"]) == condition
    assert ("observedGeneration" in status) == (name != "uncountable")


def test_budgets_tell_why_they_cannot_be_counted(record: RunRecord) -> None:
    events = Replay(record.rows).jump(record.ended).events.values()
    failed = f"Failed to calculate the number of expected pods: {NO_SCALE}"
    assert [
        (event.regarding["name"], event.type, event.reason, event.count, event.message)
        for event in events
        if event.regarding["kind"] == "PodDisruptionBudget"
    ] == [
        ("uncountable", "Warning", "CalculateExpectedPodCountFailed", 2, failed),
        ("unmanaged", "Warning", "UnmanagedPods", 2, UNMANAGED),
        ("empty", "Normal", "NoPods", 2, "No matching pods found"),
    ]
