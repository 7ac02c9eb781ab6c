"""Updates: what an object must keep."""

from copy import deepcopy
from typing import Any

import pytest

from gpusched.api.create import Created, create
from gpusched.api.validation import validate_update
from gpusched.api.wire import Json

MAY_CHANGE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions"
    " to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it"
    " was previously negative)\n"
)
ONLY_MORE = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "dup", "namespace": "default"},
    "spec": {
        "containers": [
            {"name": "c", "image": "cuda:12", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
        ],
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}],
    },
}
DEPLOYMENT: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "metadata": {"labels": {"app": "a", "tier": "b"}},
            "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
        },
    },
}


def stored(obj: Json) -> Json:
    result = create(obj)
    assert isinstance(result, Created)
    result.defaulted["metadata"]["resourceVersion"] = "1"
    return result.defaulted


def changed(obj: Json, *path: str | int, value: Any) -> Json:
    new = deepcopy(obj)
    place: Any = new
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return new


def problems(new: Json, old: Json) -> list[tuple[str, str]]:
    return [(error.field, error.message) for error in validate_update(new, old)]


def test_an_object_may_stay_as_it_is() -> None:
    assert problems(stored(POD), stored(POD)) == []
    assert problems(stored(DEPLOYMENT), stored(DEPLOYMENT)) == []


def test_a_pod_keeps_its_spec_and_the_difference_is_printed() -> None:
    old = stored(POD)
    new = changed(
        old, "spec", "containers", 0, "resources", "limits", value={"nvidia.com/gpu": "2"}
    )
    assert problems(new, old) == [
        (
            "spec.containers[0].resources.requests",
            'Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
        ),
        (
            "spec",
            MAY_CHANGE + '@@ -13,7 +13,7 @@\n    "Env": null,\n    "Resources": {\n'
            '     "Limits": {\n-     "nvidia.com/gpu": "1"\n+     "nvidia.com/gpu": "2"\n     },\n'
            '     "Requests": {\n      "nvidia.com/gpu": "1"\n',
        ),
    ]


def test_a_pods_image_may_change() -> None:
    old = stored(POD)
    assert problems(changed(old, "spec", "containers", 0, "image", value="cuda:13"), old) == []


def test_tolerations_may_be_added_and_their_seconds_changed() -> None:
    old = stored(POD)
    more = [
        {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
        {"key": "b", "operator": "Exists"},
    ]
    assert problems(changed(old, "spec", "tolerations", value=more), old) == []


def test_a_toleration_may_not_be_taken_away() -> None:
    old = stored(POD)
    assert problems(changed(old, "spec", "tolerations", value=[]), old) == [
        (
            "spec.tolerations",
            "Forbidden: existing toleration can not be modified except its tolerationSeconds",
        )
    ]


def test_scheduling_gates_may_only_be_removed() -> None:
    gated = stored(changed(POD, "spec", "schedulingGates", value=[{"name": "a"}, {"name": "b"}]))
    fewer = changed(gated, "spec", "schedulingGates", value=[{"name": "b"}])
    other = changed(gated, "spec", "schedulingGates", value=[{"name": "c"}])
    assert problems(fewer, gated) == []
    assert problems(other, gated) == [
        (
            "spec.schedulingGates[0].name",
            "Forbidden: only deletion is allowed, but found new scheduling gate 'c'",
        )
    ]


def test_a_gated_pod_may_narrow_its_node_selector_but_not_widen_it() -> None:
    pod = changed(POD, "spec", "schedulingGates", value=[{"name": "a"}])
    gated = stored(changed(pod, "spec", "nodeSelector", value={"zone": "a"}))
    narrower = changed(gated, "spec", "nodeSelector", value={"zone": "a", "gpu": "h100"})
    wider = changed(gated, "spec", "nodeSelector", value={"gpu": "h100"})
    assert problems(narrower, gated) == []
    assert problems(wider, gated) == [
        (
            "spec.nodeSelector",
            f'Invalid value: {{"gpu":"h100"}}: {ONLY_MORE}',
        )
    ]


def test_a_deployment_keeps_its_selector() -> None:
    old = stored(DEPLOYMENT)
    new = changed(old, "spec", "selector", value={"matchLabels": {"tier": "b"}})
    assert problems(new, old) == [
        ("spec.selector", 'Invalid value: {"matchLabels":{"tier":"b"}}: field is immutable')
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        pytest.param("name", "e", 'Invalid value: "e": field is immutable', id="its name"),
        pytest.param("uid", "e", 'Invalid value: "e": field is immutable', id="its UID"),
        pytest.param(
            "resourceVersion",
            "",
            'Invalid value: "": must be specified for an update',
            id="the version that was read",
        ),
    ],
)
def test_any_object_keeps(name: str, value: str, problem: str) -> None:
    old = stored(DEPLOYMENT)
    new = changed(old, "metadata", name, value=value)
    assert problems(new, old) == [(f"metadata.{name}", problem)]


def test_a_priority_class_keeps_its_value() -> None:
    old = stored(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "high"},
            "value": 100,
        }
    )
    assert problems(changed(old, "value", value=200), old) == [
        ("value", "Forbidden: may not be changed in an update.")
    ]
