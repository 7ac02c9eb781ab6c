"""What becomes of a scenario before it is played on a cluster."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.scenario import Create, Delete, Kubectl, KwokStart, KwokStop
from gpusched.errors import InvalidInputError
from gpusched.live.preparing import KWOK_NODE, LABEL, Preparation, prepared
from gpusched.run.runtimes import DELAY, JITTER
from tests.live.conftest import read

HOW = Preparation("p7", "p7-")
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "namespace": "lab", "labels": {"app": "train"}},
    "spec": {"containers": [{"name": "main", "image": "x"}]},
}
NODE: dict[str, Any] = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}


def document(**spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    return {**head, "spec": spec}


def rewritten(
    tmp_path: Path, pod: dict[str, Any], how: Preparation = HOW, **spec: Any
) -> dict[str, Any]:
    scenario = prepared(read(document(steps=[{"at": "0s", "create": pod}], **spec), tmp_path), how)
    (action,) = scenario.steps[0].actions
    assert isinstance(action, Create)
    return action.manifests[0].object


def test_everything_is_labelled_and_namespaces_get_the_prefix(tmp_path: Path) -> None:
    steps = [{"at": "0s", "create": POD}]
    scenario = prepared(read(document(fleet=NODE, steps=steps), tmp_path), HOW)
    (node,), (namespace,) = scenario.fleet, scenario.setup
    assert node.object["metadata"] == {
        "name": "n",
        "labels": {LABEL: "p7"},
        "annotations": {KWOK_NODE: "fake"},
    }
    assert namespace.object["metadata"] == {"name": "p7-lab", "labels": {LABEL: "p7"}}
    assert rewritten(tmp_path, POD)["metadata"] == {
        "name": "a",
        "namespace": "p7-lab",
        "labels": {"app": "train", LABEL: "p7"},
    }


def test_namespaces_in_affinity_terms_follow(tmp_path: Path) -> None:
    selector = {
        "matchLabels": {"kubernetes.io/metadata.name": "lab"},
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["lab", "other"]}
        ],
    }
    term = {"topologyKey": "zone", "namespaces": ["lab"], "namespaceSelector": selector}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    pod = {**POD, "spec": {**POD["spec"], "affinity": {"podAffinity": required}}}
    affinity = rewritten(tmp_path, pod)["spec"]["affinity"]["podAffinity"]
    (moved,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    assert moved["namespaces"] == ["p7-lab"]
    assert moved["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "p7-lab"}
    (expression,) = moved["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["p7-lab", "p7-other"]


def test_each_object_and_each_action_becomes_a_step_of_its_own(tmp_path: Path) -> None:
    steps = [
        {"at": "1s", "create": [POD, {**POD, "metadata": {**POD["metadata"], "name": "b"}}]},
        {
            "at": "2s",
            "delete": [{"kind": "Pod", "name": name, "namespace": "lab"} for name in "ab"],
        },
        {"at": "3s", "kubectl": "delete pod a -n lab"},
        {"at": "3s", "kubectl": "get pods"},
    ]
    played = prepared(read(document(steps=steps), tmp_path), HOW).steps
    actions = [step.actions[0] for step in played]
    assert [len(step.actions) for step in played] == [1] * 6
    assert [a.namespace for a in actions if isinstance(a, Delete)] == ["p7-lab"] * 2
    assert [a.arguments for a in actions if isinstance(a, Kubectl)] == [
        "delete pod a -n p7-lab",
        "get pods -n p7-default",
    ]


@pytest.mark.parametrize(
    ("drawn", "annotations"),
    [
        pytest.param({"duration": "90s"}, {DELAY: "1m30s"}, id="fixed"),
        pytest.param(
            {"uniform": {"min": "20s", "max": "40s"}},
            {DELAY: "20s", JITTER: "40s"},
            id="drawn between two",
        ),
    ],
)
def test_run_times_are_told_to_kwok(
    tmp_path: Path, drawn: dict[str, Any], annotations: dict[str, str]
) -> None:
    how = replace(HOW, configured=True)
    runtimes = [{"selector": {"matchLabels": {"app": "train"}}, **drawn}]
    meta = rewritten(tmp_path, POD, how, runtimes=runtimes)["metadata"]
    assert meta["annotations"] == annotations


def test_run_times_of_a_job_may_be_chosen_by_its_name(tmp_path: Path) -> None:
    template = {"spec": {**POD["spec"], "restartPolicy": "Never"}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": "lab"},
        "spec": {"template": template},
    }
    chosen = {"selector": {"matchLabels": {"job-name": "train"}}, "duration": "30s"}
    played = rewritten(tmp_path, job, replace(HOW, configured=True), runtimes=[chosen])
    assert played["spec"]["template"]["metadata"]["annotations"] == {DELAY: "30s"}


def test_whoever_owns_the_cluster_can_have_its_kwok_stopped(tmp_path: Path) -> None:
    spec = {
        "kwok": {"controllers": [{"name": "a"}]},
        "steps": [{"at": "1s", "kwokStop": "a"}, {"at": "2s", "kwokStart": "a"}],
    }
    how = replace(HOW, configured=True, kwok="controlplane.sh kwok")
    steps = prepared(read(document(**spec), tmp_path), how).steps
    assert [step.actions for step in steps] == [(KwokStop("a"),), (KwokStart("a"),)]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            {"steps": [{"at": "0s", "kwokStop": "kwok"}]},
            "spec.steps: kwokStop and kwokStart need a command that stops the cluster's KWOK",
            id="a KWOK process is not ours to stop",
        ),
        pytest.param(
            {"kwok": {"stages": "general"}},
            "spec.kwok: a cluster's KWOK plays its own stages; only the fast ones can be compared",
            id="stages belong to the cluster's KWOK",
        ),
        pytest.param(
            {"runtimes": [{"exponential": {"mean": "1m"}}]},
            "spec.runtimes: KWOK can only be given fixed and uniform ones with exit code 0",
            id="a run time that KWOK cannot draw",
        ),
        pytest.param(
            {"runtimes": [{"duration": "1m", "exitCode": 1}]},
            "spec.runtimes: KWOK can only be given fixed and uniform ones with exit code 0",
            id="a pod that fails",
        ),
        pytest.param(
            {"kwok": {"controllers": [{"name": "a", "nodes": {"pool": "a"}}]}},
            "spec.kwok.controllers: the cluster has KWOK processes of its own;"
            " say --configured if it is the same",
            id="KWOK processes that the cluster may not have",
        ),
        pytest.param(
            {"schedulerFlags": ["--feature-gates=SchedulerPopFromBackoffQ=false"]},
            "spec.schedulerConfiguration: the cluster's scheduler has a configuration of its own;"
            " say --configured if it is the same",
            id="a configuration that the cluster's scheduler may not have",
        ),
    ],
)
def test_what_cannot_be_done_from_outside_is_refused(
    tmp_path: Path, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        prepared(read(document(**spec), tmp_path), HOW)
    assert [fault.message for fault in caught.value.faults] == [message]
