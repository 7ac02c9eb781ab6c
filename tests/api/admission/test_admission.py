"""Admission: what a new object gets, or is told, because of others."""

from typing import Any, ClassVar

import pytest

from gpusched.api.admission import Charged, ClusterObjects, Denied, admit, charge, check
from gpusched.api.admission.limits import apply_limit_ranges, check_limit_ranges
from gpusched.api.admission.namespace import check_namespace, check_namespace_deletion
from gpusched.api.admission.priority import check_priority_class, set_priority
from gpusched.api.admission.storage import set_storage_class
from gpusched.api.admission.tolerations import add_default_tolerations, taint_new_node
from gpusched.api.defaulting import default_object
from gpusched.api.wire import Json


def pod(resources: Json | None = None, **spec: Any) -> Json:
    container = {"name": "c", "image": "nginx:1", "resources": resources or {}}
    return default_object(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "bare", "namespace": "gpu-demo"},
            "spec": {"containers": [container], **spec},
        }
    )


def priority_class(name: str, value: int, **more: Any) -> Json:
    return default_object(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            **more,
        }
    )


def quota(hard: Json, used: Json, **spec: Any) -> Json:
    return {
        "metadata": {"name": "gpu-quota"},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used},
    }


def limit_range(*limits: Json) -> Json:
    return default_object(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "lr"},
            "spec": {"limits": list(limits)},
        }
    )


def message(result: object) -> str:
    assert isinstance(result, Denied)
    return result.message


class TestNamespaces:
    def test_a_namespace_must_exist(self) -> None:
        denied = check_namespace(pod(), {})
        assert denied == Denied('namespaces "gpu-demo" not found', "NotFound", 404)

    def test_nothing_new_comes_into_a_namespace_that_goes(self) -> None:
        going = {"gpu-demo": {"status": {"phase": "Terminating"}}}
        assert message(check_namespace(pod(), going)) == (
            'pods "bare" is forbidden: unable to create new content in namespace gpu-demo because'
            " it is being terminated"
        )

    def test_some_namespaces_stay(self) -> None:
        assert message(check_namespace_deletion("kube-system")) == (
            'namespaces "kube-system" is forbidden: this namespace may not be deleted'
        )
        assert check_namespace_deletion("gpu-demo") is None


class TestPriorities:
    classes: ClassVar[dict[str, Json]] = {
        "high": priority_class("high", 1000, preemptionPolicy="Never"),
        "normal": priority_class("normal", 10, globalDefault=True),
        "low": priority_class("low", 5, globalDefault=True),
    }

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            pytest.param("high", ("high", 1000, "Never"), id="that of its class"),
            pytest.param("", ("low", 5, "PreemptLowerPriority"), id="the lowest default"),
        ],
    )
    def test_a_pods_priority_is(self, name: str, expected: tuple[str, int, str]) -> None:
        admitted = set_priority(pod(priorityClassName=name), self.classes)
        assert not isinstance(admitted, Denied)
        spec = admitted["spec"]
        found = (spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"])
        assert found == expected

    def test_without_classes_it_is_zero(self) -> None:
        admitted = set_priority(pod(), {})
        assert not isinstance(admitted, Denied)
        assert admitted["spec"]["priority"] == 0
        assert not admitted["spec"].get("priorityClassName")

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            pytest.param(
                {"priorityClassName": "nope"},
                "no PriorityClass with name nope was found",
                id="an unknown class",
            ),
            pytest.param(
                {"priority": 7},
                "the integer value of priority (7) must not be provided in pod spec; priority"
                " admission controller computed 5 from the given PriorityClass name",
                id="a priority of one's own",
            ),
            pytest.param(
                {"preemptionPolicy": "Never"},
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec;"
                " priority admission controller computed PreemptLowerPriority from the given"
                " PriorityClass name",
                id="a preemption policy of one's own",
            ),
        ],
    )
    def test_it_refuses(self, spec: Json, why: str) -> None:
        denied = set_priority(pod(**spec), self.classes)
        assert message(denied) == f'pods "bare" is forbidden: {why}'

    def test_a_name_to_be_generated_shows_as_its_prefix(self) -> None:
        unnamed = pod(priorityClassName="nope")
        unnamed["metadata"] = {"generateName": "d-b6d64d879-", "namespace": "gpu-demo"}
        assert message(set_priority(unnamed, {})) == (
            'pods "d-b6d64d879-" is forbidden: no PriorityClass with name nope was found'
        )

    def test_there_is_one_default(self) -> None:
        another = priority_class("more", 1, globalDefault=True)
        assert message(check_priority_class(another, self.classes)) == (
            'priorityclasses.scheduling.k8s.io "more" is forbidden: PriorityClass low is already'
            " marked as default. Only one default can exist"
        )


class TestTolerations:
    def test_a_pod_stays_five_minutes_on_a_node_that_fails(self) -> None:
        assert add_default_tolerations(pod())["spec"]["tolerations"] == [
            {
                "key": f"node.kubernetes.io/{key}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for key in ("not-ready", "unreachable")
        ]

    def test_a_pod_that_tolerates_everything_needs_no_more(self) -> None:
        tolerant = pod(tolerations=[{"operator": "Exists"}])
        assert add_default_tolerations(tolerant) is tolerant

    def test_a_new_node_is_not_ready(self) -> None:
        taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
        tainted = taint_new_node({"spec": {}})
        assert tainted["spec"]["taints"] == [taint]
        assert taint_new_node(tainted) is tainted


class TestLimitRanges:
    limits = limit_range(
        {
            "type": "Container",
            "max": {"cpu": "16", "nvidia.com/gpu": "4"},
            "min": {"cpu": "100m"},
            "default": {"cpu": "2"},
            "defaultRequest": {"cpu": "1", "memory": "1Gi"},
        }
    )

    def test_defaults_are_filled_in_and_noted(self) -> None:
        filled = apply_limit_ranges(pod({"limits": {"nvidia.com/gpu": "1"}}), [self.limits])
        assert filled["spec"]["containers"][0]["resources"] == {
            "limits": {"nvidia.com/gpu": "1", "cpu": "2"},
            "requests": {"nvidia.com/gpu": "1", "cpu": "1", "memory": "1Gi"},
        }
        assert filled["metadata"]["annotations"] == {
            "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for"
            " container c; cpu limit for container c"
        }

    @pytest.mark.parametrize(
        ("resources", "why"),
        [
            pytest.param(
                {"limits": {"cpu": "1", "nvidia.com/gpu": "8"}},
                "maximum nvidia.com/gpu usage per Container is 4, but limit is 8",
                id="too many GPUs",
            ),
            pytest.param(
                {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}, "requests": {"cpu": "50m"}},
                "minimum cpu usage per Container is 100m, but request is 50m",
                id="too little CPU",
            ),
            pytest.param(
                {"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "1"}},
                "maximum cpu usage per Container is 16.  No limit is specified",
                id="no limit where there is a maximum",
            ),
        ],
    )
    def test_bounds_hold(self, resources: Json, why: str) -> None:
        denied = check_limit_ranges(pod(resources), [self.limits])
        assert message(denied) == f'pods "bare" is forbidden: {why}'

    def test_the_ratio_of_limit_to_request_is_bounded(self) -> None:
        limits = limit_range({"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}})
        denied = check_limit_ranges(
            pod({"limits": {"cpu": "3"}, "requests": {"cpu": "1"}}), [limits]
        )
        assert message(denied) == (
            'pods "bare" is forbidden: cpu max limit to request ratio per Pod is 2, but provided'
            " ratio is 3.000000"
        )


class TestQuotas:
    def test_what_is_used_is_counted(self) -> None:
        gpus = quota({"requests.nvidia.com/gpu": "4", "pods": "10"},
                     {"requests.nvidia.com/gpu": "1", "pods": "1"})  # fmt: skip
        charged = charge(pod({"limits": {"nvidia.com/gpu": "2"}}), [gpus])
        assert isinstance(charged, Charged)
        assert charged.quotas[0]["status"]["used"] == {"requests.nvidia.com/gpu": "3", "pods": "2"}
        assert gpus["status"]["used"]["pods"] == "1"

    def test_more_is_refused(self) -> None:
        gpus = quota({"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": "4"})
        assert message(charge(pod({"limits": {"nvidia.com/gpu": "2"}}), [gpus])) == (
            'pods "bare" is forbidden: exceeded quota: gpu-quota, requested:'
            " requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=4, limited:"
            " requests.nvidia.com/gpu=4"
        )

    def test_what_is_limited_must_be_stated(self) -> None:
        cpus = quota({"requests.cpu": "4"}, {"requests.cpu": "0"})
        assert message(charge(pod(), [cpus])) == (
            'pods "bare" is forbidden: failed quota: gpu-quota: must specify requests.cpu for: c'
        )

    def test_a_quota_without_counts_cannot_be_used(self) -> None:
        assert message(charge(pod(), [quota({"pods": "4"}, {})])) == (
            'pods "bare" is forbidden: status unknown for quota: gpu-quota, resources: pods'
        )

    @pytest.mark.parametrize(
        ("scope", "counts"),
        [("BestEffort", True), ("NotBestEffort", False), ("Terminating", False),
         ("NotTerminating", True), ("PriorityClass", False)],
    )  # fmt: skip
    def test_scopes_narrow_a_quota_down(self, scope: str, *, counts: bool) -> None:
        charged = charge(pod(), [quota({"pods": "4"}, {"pods": "0"}, scopes=[scope])])
        assert isinstance(charged, Charged)
        assert len(charged.quotas) == counts

    def test_objects_are_counted_by_their_plural(self) -> None:
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
        full = quota({"count/deployments.apps": "1"}, {"count/deployments.apps": "1"})
        assert message(charge(deployment, [full])) == (
            'deployments.apps "d" is forbidden: exceeded quota: gpu-quota, requested:'
            " count/deployments.apps=1, used: count/deployments.apps=1, limited:"
            " count/deployments.apps=1"
        )


class TestStorage:
    def test_a_claim_takes_the_newest_default_class(self) -> None:
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        classes = {
            name: {"metadata": {"name": name, "annotations": default, "creationTimestamp": time}}
            for name, time in (("old", "2020-01-01T00:00:00Z"), ("new", "2021-01-01T00:00:00Z"))
        }
        claim = {"metadata": {"name": "c"}, "spec": {}}
        assert set_storage_class(claim, classes)["spec"] == {"storageClassName": "new"}
        chosen = {"metadata": {"name": "c"}, "spec": {"storageClassName": ""}}
        assert set_storage_class(chosen, classes) is chosen


class TestChain:
    cluster = ClusterObjects(
        namespaces={"gpu-demo": {}},
        limit_ranges=(limit_range({"type": "Container", "default": {"cpu": "1"}}),),
        quotas=(quota({"requests.cpu": "1"}, {"requests.cpu": "0"}),),
    )

    def test_a_pod_passes_all_plugins(self) -> None:
        given = pod()
        admitted = admit(given, self.cluster)
        assert not isinstance(admitted, Denied)
        assert admitted["spec"]["priority"] == 0
        assert len(admitted["spec"]["tolerations"]) == 2
        charged = check(admitted, self.cluster)
        assert isinstance(charged, Charged)
        assert charged.quotas[0]["status"]["used"] == {"requests.cpu": "1"}
        assert given == pod()

    def test_the_first_refusal_ends_it(self) -> None:
        denied = admit(pod(priorityClassName="nope"), ClusterObjects())
        assert message(denied) == 'namespaces "gpu-demo" not found'
