"""Claims and volumes between Reserve and Bind; every attempt is made by both engines."""

from typing import Any

import pytest

from gpusched.controllers.volume_provisioner import VolumeProvisioner
from tests.sim.claim_builders import (
    World,
    claim,
    claiming,
    device_class,
    devices,
    pod,
    storage_class,
    storing,
    template,
    volume,
    volume_claim,
)

NO_DEVICES = (
    "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2"
    " nodes are available: 2 Preemption is not helpful for scheduling."
)
LATE = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'


def with_devices(*counts: int, **fields: Any) -> World:
    """Return nodes n0, n1, … with so many devices each."""
    names = [f"n{at}" for at in range(len(counts))]
    world = World(*names)
    world.add(
        device_class(), *(devices(*each, **fields) for each in zip(names, counts, strict=True))
    )
    return world


@pytest.fixture(params=["zero", "recorded-v1.36"])
def latency(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Claims.


def test_a_claim_is_protected_allocated_and_reserved_before_its_pod_is_bound(latency: str) -> None:
    world = World("a", latency=latency)
    world.add(device_class(), devices("a", 1), claim("mine"))
    world.add(claiming("p", resourceClaimName="mine"))
    world.until(2)
    found = world.get("ResourceClaim", "mine")
    assert world.where() == {"p": "a"}
    assert found["metadata"]["finalizers"] == ["resource.kubernetes.io/delete-protection"]
    assert found["status"]["reservedFor"] == [
        {"resource": "pods", "name": "p", "uid": world.pod("p").uid}
    ]
    (result,) = found["status"]["allocation"]["devices"]["results"]
    assert result == {
        "request": "gpu",
        "driver": "gpu.example.com",
        "pool": "a",
        "device": "gpu-0",
    }
    assert found["status"]["allocation"]["allocationTimestamp"].startswith("2026-01-01T00:00:0")
    versions = [found["metadata"]["resourceVersion"], str(world.pod("p").version)]
    assert int(versions[0]) < int(versions[1])


def test_one_device_is_never_given_to_two_pods(latency: str) -> None:
    world = World("a", "b", latency=latency)
    world.add(device_class(), devices("a", 2), devices("b", 1), template("t"))
    world.add(*(claiming(f"p{at}", resourceClaimTemplateName="t") for at in range(5)))
    world.until(5)
    taken = [
        (result["pool"], result["device"])
        for each in world.plane.store.objects("ResourceClaim")
        for result in each["status"].get("allocation", {}).get("devices", {}).get("results", ())
    ]
    assert sorted(taken) == [("a", "gpu-0"), ("a", "gpu-1"), ("b", "gpu-0")]
    assert sorted(world.where().values()) == ["", "", "a", "a", "b"]
    assert NO_DEVICES in world.messages("FailedScheduling")


def test_a_pod_that_waits_for_a_device_gets_the_one_that_is_freed() -> None:
    world = with_devices(1, 1)
    world.add(
        template("t"), *(claiming(f"p{at}", resourceClaimTemplateName="t") for at in range(3))
    )
    world.until(20)
    waiting = next(name for name, node in world.where().items() if not node)
    first = next(name for name, node in world.where().items() if node)
    node = world.where()[first]
    world.delete("Pod", first)
    world.until(21)
    assert world.where()[waiting] == node
    assert len(world.names("ResourceClaim")) == 2


def test_the_scheduler_is_not_woken_by_what_it_has_written_itself() -> None:
    """A claim is written in two steps; the first, seen late, looks like a claim that was freed."""
    world = with_devices(1)
    world.add(
        template("t"), *(claiming(f"p{at}", resourceClaimTemplateName="t") for at in range(3))
    )
    world.until(20)
    woken = [name for name in world.scheduler.metrics.counters if '"ResourceClaim' in name]
    assert woken == []


def test_two_pods_share_a_claim_and_its_node() -> None:
    world = with_devices(1, 1)
    world.add(claim("shared"), *(claiming(name, resourceClaimName="shared") for name in "pq"))
    world.until(5)
    users = world.get("ResourceClaim", "shared")["status"]["reservedFor"]
    assert [each["name"] for each in users] == ["p", "q"]
    assert world.where()["p"] == world.where()["q"] != ""
    world.delete("Pod", "p")
    world.until(6)
    users = world.get("ResourceClaim", "shared")["status"]["reservedFor"]
    assert [each["name"] for each in users] == ["q"]


def test_an_extended_resource_of_a_class_is_had_through_a_claim_of_the_scheduler() -> None:
    world = World("a")
    world.add(device_class(extendedResourceName="example.com/gpu"), devices("a", 2))
    wants = pod("p")
    wants["spec"]["containers"][0]["resources"] = {"limits": {"example.com/gpu": "2"}}
    world.add(wants)
    world.until(0.5)
    (name,) = world.names("ResourceClaim")
    assert name.startswith("p-extended-resources-")
    found = world.get("ResourceClaim", name)
    assert len(found["status"]["allocation"]["devices"]["results"]) == 2
    assert found["metadata"]["ownerReferences"][0]["uid"] == world.pod("p").uid
    world.delete("Pod", "p")
    world.until(1)
    assert world.names("ResourceClaim") == []


def test_an_allocation_that_no_node_can_use_is_given_up() -> None:
    world = with_devices(1, 1)
    world.add(claim("mine"), claiming("p", resourceClaimName="mine", nodeName=""))
    world.until(1)
    node = world.where()["p"]
    found = world.get("ResourceClaim", "mine")
    world.delete("Pod", "p")
    world.until(2)
    world.plane.api.replace_status(found, {"allocation": found["status"]["allocation"]})
    elsewhere = claiming("q", resourceClaimName="mine")
    elsewhere["spec"]["nodeSelector"] = {"kubernetes.io/hostname": {"n0": "n1", "n1": "n0"}[node]}
    world.add(elsewhere)
    world.until(10)
    assert world.where()["q"] not in ("", node)
    (message,) = world.messages("FailedScheduling")
    assert "1 resourceclaim not available on the node. deallocation of ResourceClaim" in message


# Devices that become ready late.

LATE_DEVICE = {"bindingConditions": ["attached"], "bindingFailureConditions": ["broken"]}


def _report(world: World, kind: str) -> None:
    found = world.get("ResourceClaim", "mine")
    (result,) = found["status"]["allocation"]["devices"]["results"]
    condition = {"type": kind, "status": "True", "reason": "Said", "message": "so"}
    device = {part: result[part] for part in ("driver", "pool", "device")}
    status = {**found["status"], "devices": [{**device, "conditions": [condition]}]}
    world.plane.api.replace_status(found, status)


def _waits_for_device() -> World:
    world = with_devices(1, **LATE_DEVICE)
    world.add(claim("mine"), claiming("p", resourceClaimName="mine"))
    world.until(3)
    assert world.where() == {"p": ""}
    assert world.messages("BindingConditionsPending") == [
        "waiting for binding conditions for device on node n0"
    ]
    return world


def test_a_pod_is_bound_at_the_next_look_after_its_device_is_ready() -> None:
    world = _waits_for_device()
    assert world.pod("p").nominated == "n0"
    _report(world, "attached")
    world.until(30)
    assert world.scheduled_at("p") == pytest.approx(5, abs=0.1)
    assert world.pod("p").nominated == ""


def test_a_device_that_fails_sends_its_pod_back() -> None:
    world = _waits_for_device()
    _report(world, "broken")
    world.until(5.5)
    assert world.messages("FailedScheduling") == [
        (
            'running PreBind plugin "DynamicResources": device binding failed: claim=mine,'
            ' reason=Said, message="so"'
        )
    ]
    assert world.pod("p").nominated == ""
    assert "reservedFor" not in world.get("ResourceClaim", "mine")["status"]


def test_a_device_that_never_gets_ready_is_waited_for_ten_minutes() -> None:
    world = _waits_for_device()
    world.until(599)
    assert world.messages("FailedScheduling") == []
    world.until(601)
    assert world.messages("FailedScheduling")[0] == (
        'running PreBind plugin "DynamicResources": device binding timeout: context deadline'
        " exceeded"
    )


# Volumes.


def test_a_volume_of_a_node_is_bound_to_its_claim_before_the_pod(latency: str) -> None:
    world = World("a", "b", latency=latency)
    world.add(storage_class("local", provisioner="kubernetes.io/no-provisioner"))
    world.add(volume("disk", on="b", storageClassName="local"))
    world.until(1)
    world.add(volume_claim("data", storageClassName="local"), storing("p", "data"))
    world.until(5)
    found = world.get("PersistentVolumeClaim", "data")
    assert world.where() == {"p": "b"}
    assert (found["spec"]["volumeName"], found["status"]["phase"]) == ("disk", "Bound")
    assert found["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert world.scheduled_at("p") == pytest.approx(2, abs=0.05)


def test_a_volume_is_made_where_the_pod_goes_and_the_pod_bound_a_second_later(latency: str) -> None:
    world = World("a", latency=latency)
    world.add(storage_class("fast", parameters={"tier": "ssd"}))
    world.add(volume_claim("data", storageClassName="fast"))
    world.until(1)
    world.add(storing("p", "data"))
    world.until(5)
    found = world.get("PersistentVolumeClaim", "data")
    assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "a"
    assert found["spec"]["volumeName"] == f"pvc-{found['metadata']['uid']}"
    made = world.get("PersistentVolume", found["spec"]["volumeName"], "")
    assert made["spec"]["csi"]["volumeAttributes"] == {"tier": "ssd"}
    assert made["status"]["phase"] == "Bound"
    assert world.where() == {"p": "a"}
    assert world.scheduled_at("p") == pytest.approx(2, abs=0.05)


def _waits_for_volume() -> World:
    """Return a pod that waits for a driver that does not answer."""
    world = World("a", without=VolumeProvisioner)
    world.add(storage_class("fast"), volume_claim("data", storageClassName="fast"))
    world.add(storing("p", "data"))
    world.until(2)
    return world


def test_a_pod_that_waits_for_its_volume_is_seen_as_nominated_and_holds_its_place() -> None:
    world = _waits_for_volume()
    assert (world.where(), world.pod("p").nominated) == ({"p": ""}, "a")
    greedy = pod("q")
    greedy["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "95500m"}}
    world.add(greedy)
    world.until(10)
    assert world.where() == {"p": "", "q": ""}


def test_a_volume_that_never_comes_is_waited_for_ten_minutes() -> None:
    world = _waits_for_volume()
    world.until(599)
    assert world.messages("FailedScheduling") == []
    world.until(600.5)
    assert world.messages("FailedScheduling") == [LATE]
    condition = next(each for each in world.pod("p").conditions if each.type == "PodScheduled")
    assert (condition.reason, condition.message) == ("SchedulerError", LATE)
    assert world.pod("p").nominated == ""
    world.until(605)
    assert world.pod("p").nominated == "a"  # tried again


def test_a_driver_that_refuses_the_node_sends_the_pod_back_at_once() -> None:
    world = _waits_for_volume()
    found = world.get("PersistentVolumeClaim", "data")
    marks = dict(found["metadata"]["annotations"])
    del marks["volume.kubernetes.io/selected-node"]
    world.plane.api.replace({**found, "metadata": {**found["metadata"], "annotations": marks}})
    world.until(3.5)
    assert world.messages("FailedScheduling") == [
        (
            'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC'
            ' "data"'
        )
    ]


def test_a_pod_that_is_deleted_while_it_waits_leaves_its_place_to_others() -> None:
    world = _waits_for_volume()
    greedy = pod("q")
    greedy["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "95500m"}}
    world.add(greedy)
    world.until(4)
    world.delete("Pod", "p")
    world.until(8)
    assert world.where() == {"q": "a"}
    assert not [text for text in world.messages("FailedScheduling") if "PreBind" in text]


def test_what_was_reserved_is_given_back_when_the_volume_does_not_come() -> None:
    world = World("a", without=VolumeProvisioner)
    world.add(device_class(), devices("a", 1), claim("mine"))
    world.add(storage_class("fast"), volume_claim("data", storageClassName="fast"))
    both = claiming("p", resourceClaimName="mine")
    both["spec"]["volumes"] = storing("x", "data")["spec"]["volumes"]
    world.add(both)
    world.until(5)
    assert world.get("ResourceClaim", "mine")["status"]["reservedFor"][0]["name"] == "p"
    world.until(600.2)
    assert "reservedFor" not in world.get("ResourceClaim", "mine")["status"]
    assert world.messages("FailedScheduling") == [LATE]


def test_pods_that_share_a_claim_follow_the_first_to_its_node() -> None:
    world = World("a", "b")
    world.add(storage_class("fast"), volume_claim("data", storageClassName="fast"))
    world.add(storing("p", "data"), storing("q", "data"))
    world.until(10)
    assert world.where()["p"] == world.where()["q"] != ""
    assert world.messages("FailedScheduling") == [
        (
            'running PreBind plugin "VolumeBinding": Operation cannot be fulfilled on'
            ' persistentvolumeclaims "data": the object has been modified; please apply your'
            " changes to the latest version and try again"
        )
    ]


def test_the_pods_of_one_shape_wait_each_for_its_own_volume() -> None:
    """They share what the fast engine remembers of their shape."""
    world = World("a", "b", without=VolumeProvisioner)
    world.add(storage_class("fast"))
    inner = volume_claim("x", storageClassName="fast")["spec"]
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": inner}}}
    world.add(pod("p", volumes=[scratch]), pod("q", volumes=[scratch]))
    world.until(3)
    assert world.where() == {"p": "", "q": ""}
    world.add(volume("late", storageClassName="fast", claimRef={
        "kind": "PersistentVolumeClaim", "namespace": "default", "name": "p-scratch",
    }))  # fmt: skip
    world.until(30)
    assert (world.where()["p"] != "", world.where()["q"]) == (True, "")
