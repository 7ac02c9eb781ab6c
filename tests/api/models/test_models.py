"""The models: what is absent, what is empty, times, and whole dumps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpusched.api.core import Node, Pod, Service
from gpusched.api.meta import format_time, parse_time
from gpusched.api.policy import PodDisruptionBudget
from gpusched.api.quantity import Quantity
from gpusched.api.workloads import Deployment


def read_pod(**spec: Any) -> Pod:
    return Pod.model_validate({"apiVersion": "v1", "kind": "Pod", "spec": spec})


def test_a_nil_map_differs_from_an_empty_one_where_upstream_tells_them_apart() -> None:
    assert read_pod().spec.node_selector is None
    assert read_pod(nodeSelector={}).spec.node_selector == {}
    empty: dict[str, Any] = {"spec": {"selector": {}}}
    assert Service.model_validate(empty).spec.selector == {}
    budget = PodDisruptionBudget.model_validate(empty)
    assert budget.spec.selector is not None
    assert PodDisruptionBudget.model_validate({}).spec.selector is None


def test_a_nil_list_of_preferences_differs_from_an_empty_one() -> None:
    name = "preferredDuringSchedulingIgnoredDuringExecution"
    empty = read_pod(affinity={"nodeAffinity": {name: []}}).spec.affinity
    absent = read_pod(affinity={"nodeAffinity": {}}).spec.affinity
    assert empty is not None
    assert absent is not None
    assert empty.node_affinity is not None
    assert absent.node_affinity is not None
    assert empty.node_affinity.preferred_during_scheduling_ignored_during_execution == ()
    assert absent.node_affinity.preferred_during_scheduling_ignored_during_execution is None


def test_null_is_read_as_absent_wherever_it_stands() -> None:
    pod = read_pod(
        tolerations=None,
        containers=[{"name": "c", "resources": None, "ports": None}],
        overhead=None,
    )
    assert pod.spec.tolerations == ()
    assert pod.spec.containers[0].resources.limits == {}
    assert pod.spec.overhead == {}


def test_resource_lists_are_rounded_up_to_milli() -> None:
    node = Node.model_validate({"status": {"allocatable": {"cpu": "0.1m", "memory": 1.5}}})
    assert node.status.allocatable == {"cpu": Quantity.parse("1m"), "memory": Quantity.parse(1.5)}
    assert Node.model_validate({}).status.allocatable is None


def test_the_names_of_the_wire_are_upstreams() -> None:
    node = Node.model_validate({"spec": {"podCIDR": "10.0.0.0/24", "providerID": "x"}})
    assert (node.spec.pod_cidr, node.spec.provider_id) == ("10.0.0.0/24", "x")
    pod = read_pod(containers=[{"ports": [{"hostIP": "10.0.0.1"}]}])
    assert pod.spec.containers[0].ports[0].host_ip == "10.0.0.1"


def test_a_deployment_reads_the_template_and_counts() -> None:
    deployment = Deployment.model_validate(
        {
            "spec": {
                "replicas": 40,
                "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
                "template": {"spec": {"containers": [{"name": "c"}]}},
            }
        }
    )
    assert deployment.spec.replicas == 40
    update = deployment.spec.strategy.rolling_update
    assert update is not None
    assert (update.max_surge, update.max_unavailable) == ("25%", 0)
    assert deployment.spec.template.spec.containers[0].name == "c"


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_pod().spec.node_name = "n"  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.property
@given(st.integers(0, 4 * 10**15))
def test_a_micro_time_printed_and_read_again_is_the_same(time: int) -> None:
    assert parse_time(format_time(time, micro=True)) == time
    assert parse_time(format_time(time)) == time - time % 10**6


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
    ],
)
def test_times_are_microseconds_since_the_epoch(text: str, time: int) -> None:
    assert parse_time(text) == time
