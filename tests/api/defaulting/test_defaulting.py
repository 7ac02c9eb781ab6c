"""Defaults: what an object has after creation that nobody wrote."""

from copy import deepcopy
from typing import Any

import pytest

from gpusched.api.defaulting import default_object
from gpusched.api.defaulting.images import pull_policy
from gpusched.api.defaulting.qos import qos_class
from gpusched.api.wire import Json

GENERATED = {
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "j",
    "controller-uid": "u",
    "job-name": "j",
}


def pod(**spec: Any) -> Json:
    container = {"name": "c", "image": "nginx:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"app": "a"}},
        "spec": {"containers": [container], **spec},
    }


def with_resources(container: Json, **spec: Any) -> Json:
    return pod(containers=[{"name": "c", "image": "nginx:1", "resources": container}], **spec)


def test_a_bare_pod_gets_the_usual_defaults() -> None:
    defaulted = default_object(pod())
    assert defaulted["metadata"]["namespace"] == "default"
    assert defaulted["metadata"]["generation"] == 1
    assert defaulted["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert defaulted["spec"] == {
        "containers": [
            {
                "name": "c",
                "image": "nginx:1",
                "imagePullPolicy": "IfNotPresent",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "enableServiceLinks": True,
    }


def test_the_object_given_stays_as_it_is() -> None:
    given = with_resources({"limits": {"nvidia.com/gpu": 1}})
    before = deepcopy(given)
    default_object(given)
    assert given == before


def test_a_second_time_changes_nothing() -> None:
    once = default_object(with_resources({"limits": {"cpu": "0.5"}}, hostNetwork=True))
    assert default_object(once) == once


def test_a_status_can_be_kept_for_objects_that_live_already() -> None:
    given = pod() | {"status": {"phase": "Running", "nominatedNodeName": "n"}}
    assert default_object(given, keep_status=True)["status"] == given["status"]
    assert default_object(given)["status"]["phase"] == "Pending"


def test_limits_are_requested_and_rounded_up_to_thousandths() -> None:
    defaulted = default_object(with_resources({"limits": {"cpu": "0.1m", "nvidia.com/gpu": 2}}))
    resources = defaulted["spec"]["containers"][0]["resources"]
    assert resources["limits"] == resources["requests"] == {"cpu": "1m", "nvidia.com/gpu": "2"}


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        pytest.param(
            {"limits": {"cpu": "4"}},
            {"limits": {"cpu": "4"}, "requests": {"cpu": "1", "memory": "1Gi"}},
            id="requests come from the containers, what those lack from the limits",
        ),
        pytest.param(
            {"limits": {"memory": "2Gi"}, "requests": {"cpu": "2"}},
            {"limits": {"memory": "2Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}},
            id="what is requested stays",
        ),
        pytest.param(
            {"requests": {"cpu": "2"}}, {"requests": {"cpu": "2"}}, id="no limits, no defaults"
        ),
    ],
)
def test_a_pods_own_resources_are_completed(whole: Json, expected: Json) -> None:
    containers = {"requests": {"cpu": "1", "memory": "1Gi"}}
    assert (
        default_object(with_resources(containers, resources=whole))["spec"]["resources"] == expected
    )


def test_a_container_on_the_hosts_network_takes_its_ports_there() -> None:
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}
    defaulted = default_object(pod(containers=[container], hostNetwork=True))
    assert defaulted["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}
    ]


def test_match_label_keys_become_requirements_on_the_pods_own_labels() -> None:
    term = {
        "topologyKey": "zone",
        "labelSelector": {"matchLabels": {"tier": "x"}},
        "matchLabelKeys": ["app"],
        "mismatchLabelKeys": ["none"],
    }
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    constraint = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {},
        "matchLabelKeys": ["app"],
    }
    defaulted = default_object(
        pod(affinity={"podAffinity": {required: [term]}}, topologySpreadConstraints=[constraint])
    )
    wanted = [{"key": "app", "operator": "In", "values": ["a"]}]
    spec = defaulted["spec"]
    affinity = spec["affinity"]["podAffinity"][required][0]["labelSelector"]
    assert affinity == {"matchLabels": {"tier": "x"}, "matchExpressions": wanted}
    assert spec["topologySpreadConstraints"][0]["labelSelector"] == {"matchExpressions": wanted}


def test_a_gated_pod_says_so() -> None:
    status = default_object(pod(schedulingGates=[{"name": "quota"}]))["status"]
    assert status["conditions"][0]["reason"] == "SchedulingGated"


def test_a_nodes_allocatable_is_its_capacity() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"capacity": {"nvidia.com/gpu": 8}},
    }
    assert default_object(node)["status"]["allocatable"] == {"nvidia.com/gpu": "8"}


def test_a_job_selects_its_own_pods() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "uid": "u"},
        "spec": {"template": {"spec": {"containers": []}}},
    }
    spec = default_object(job)["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    assert spec["template"]["metadata"]["labels"] == GENERATED
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)


@pytest.mark.parametrize(
    ("own", "template", "wanted"),
    [
        pytest.param(None, {"app": "a"}, {"app": "a", **GENERATED}, id="shares its template's"),
        pytest.param({}, {"app": "a"}, {"app": "a", **GENERATED}, id="empty ones are none"),
        pytest.param({"app": "a"}, {"app": "a"}, {"app": "a"}, id="keeps its own"),
        pytest.param(None, {}, GENERATED, id="shares an empty map"),
        pytest.param(None, None, None, id="nothing to share"),
    ],
)
def test_a_job_without_labels_has_those_of_its_template(
    own: Json | None, template: Json | None, wanted: Json | None
) -> None:
    metadata = {"name": "j", "uid": "u"} | ({} if own is None else {"labels": own})
    pods: Json = {"spec": {"containers": []}}
    if template is not None:
        pods["metadata"] = {"labels": template}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": pods},
    }
    assert default_object(job)["metadata"].get("labels") == wanted


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/team/nginx", "Always"),
        ("registry:5000/team/nginx:1", "IfNotPresent"),
        (f"nginx@sha256:{'0' * 64}", "IfNotPresent"),
        ("UPPER/case", "Always"),
        ("no image", "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_an_image_without_a_tag_is_always_pulled(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param({}, "BestEffort", id="nothing requested"),
        pytest.param({"limits": {"nvidia.com/gpu": "1"}}, "BestEffort", id="only GPUs"),
        pytest.param({"requests": {"cpu": "1"}}, "Burstable", id="requests without limits"),
        pytest.param(
            {"requests": {"cpu": "1", "memory": "1"}, "limits": {"cpu": "1", "memory": "1"}},
            "Guaranteed",
            id="both limited to what is requested",
        ),
    ],
)
def test_the_class_of_service_follows_from_cpu_and_memory(resources: Json, expected: str) -> None:
    assert qos_class({"containers": [{"resources": resources}]}) == expected
