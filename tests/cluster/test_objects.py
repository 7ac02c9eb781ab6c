"""Listers, and which device class stands for an extended resource."""

import pytest

from gpusched.api.resource import DeviceClass
from gpusched.api.workloads import ReplicaSet
from gpusched.cluster.objects import ClusterObjects, Lister


def device_class(name: str, resource: str | None = None, created: str | None = None) -> DeviceClass:
    return DeviceClass.model_validate(
        {
            "metadata": {"name": name, **({"creationTimestamp": created} if created else {})},
            "spec": {"extendedResourceName": resource} if resource else {},
        }
    )


def with_classes(*classes: DeviceClass) -> ClusterObjects:
    objects = ClusterObjects()
    for each in classes:
        objects.device_classes.put(each.metadata.name, each)
    return objects


OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("classes", "resource", "expected"),
    [
        pytest.param([device_class("a")], "x.com/gpu", None, id="nobody names the resource"),
        pytest.param([device_class("a", "x.com/gpu")], "x.com/gpu", "a", id="one names it"),
        pytest.param(
            [device_class("a")],
            "deviceclass.resource.kubernetes.io/a",
            "a",
            id="a class answers to a name of its own",
        ),
        pytest.param(
            [device_class("b", "x.com/gpu", NEW), device_class("a", "x.com/gpu", OLD)],
            "x.com/gpu",
            "b",
            id="the newest of two wins",
        ),
        pytest.param(
            [device_class("b", "x.com/gpu", OLD), device_class("a", "x.com/gpu", OLD)],
            "x.com/gpu",
            "a",
            id="of equally old ones the first by name wins",
        ),
    ],
)
def test_the_class_of_a_resource(
    classes: list[DeviceClass], resource: str, expected: str | None
) -> None:
    found = with_classes(*classes).class_of_resource(resource)
    assert (found.metadata.name if found else None) == expected


def test_a_changed_class_is_noticed() -> None:
    objects = with_classes(device_class("a", "x.com/gpu"))
    assert objects.class_of_resource("x.com/gpu") is not None
    objects.device_classes.delete("a")
    assert objects.class_of_resource("x.com/gpu") is None


def test_a_lister_keeps_the_order_of_arrival_and_counts_changes() -> None:
    lister: Lister[str, int] = Lister()
    for key, value in {"b": 1, "a": 2, "c": 3}.items():
        lister.put(key, value)
    lister.put("a", 4)
    lister.delete("c")
    lister.delete("gone")
    assert (list(lister), len(lister), lister.version, lister.get("c")) == ([1, 4], 2, 5, None)


def replica_set(app: str, replicas: int = 1) -> ReplicaSet:
    selector = {"matchLabels": {"app": app}}
    return ReplicaSet.model_validate({"spec": {"replicas": replicas, "selector": selector}})


def test_a_workload_s_selection_is_another_one_once_it_selects_anew() -> None:
    objects = ClusterObjects()
    sets, key = objects.replica_sets, ("default", "web")

    def now() -> int:
        return objects.selection("default", "ReplicaSet", "web")

    assert now() == 0
    seen = [now()]
    for app, replicas, is_new in (
        ("web", 1, True),
        ("web", 2, False),
        ("db", 2, True),
        ("web", 2, True),
    ):
        sets.put(key, replica_set(app, replicas))
        assert (now() not in seen) == is_new
        seen.append(now())
    sets.delete(key)
    assert now() == 0
    sets.put(key, replica_set("web"))
    assert now() not in seen
    assert objects.selection("default", "StatefulSet", "web") == 0
