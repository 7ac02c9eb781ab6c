"""Volumes and their claims: bound, made, protected, released."""

from typing import Any

import pytest

from gpusched.controllers.volumes import best_match, mismatch
from tests.sim.claim_builders import (
    World,
    pod,
    storage_class,
    storing,
    volume,
    volume_claim,
)

Json = dict[str, Any]


def bound(world: World, name: str) -> tuple[str, str]:
    found = world.get("PersistentVolumeClaim", name)
    return found["spec"].get("volumeName", ""), found["status"].get("phase", "Pending")


def phase(world: World, name: str) -> str:
    return str(world.get("PersistentVolume", name, "")["status"]["phase"])


# Binding.


def test_a_claim_takes_the_smallest_volume_that_is_large_enough() -> None:
    world = World()
    world.add(volume("large", "100Gi"), volume("small", "1Gi"), volume("right", "10Gi"))
    world.until(1)
    world.add(volume_claim("data", "5Gi"))
    world.until(2)
    assert bound(world, "data") == ("right", "Bound")
    found = world.get("PersistentVolumeClaim", "data")
    assert found["status"]["capacity"] == {"storage": "10Gi"}
    assert found["metadata"]["annotations"] == {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
    }
    assert (phase(world, "right"), phase(world, "small")) == ("Bound", "Available")
    reference = world.get("PersistentVolume", "right", "")["spec"]["claimRef"]
    assert reference["uid"] == found["metadata"]["uid"]


def test_a_claim_that_waits_sees_a_new_volume_at_the_next_round() -> None:
    world = World("a")
    world.add(volume_claim("data"), storing("p", "data"))
    world.until(5)
    assert bound(world, "data") == ("", "Pending")
    world.add(volume("late"))
    world.until(14)
    assert bound(world, "data") == ("", "Pending")
    world.until(16)
    assert (bound(world, "data"), world.where()) == (("late", "Bound"), {"p": "a"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({}, "", id="a volume that suits"),
        pytest.param({"storageClassName": "x"}, "storageClassName does not match", id="its class"),
        pytest.param({"volumeMode": "Block"}, "incompatible volumeMode", id="its mode"),
        pytest.param({"accessModes": ["ReadOnlyMany"]}, "incompatible accessMode", id="its access"),
        pytest.param({"capacity": {"storage": "1Gi"}}, "requested PV is too small", id="its size"),
    ],
)
def test_why_a_claim_cannot_have_the_volume_that_it_names(changes: Json, why: str) -> None:
    assert mismatch(volume("v", **changes), volume_claim("c")) == why


def test_a_claim_that_names_a_volume_gets_that_one_or_none() -> None:
    world = World()
    world.add(volume("other"), volume("mine", "1Gi"), volume_claim("data", volumeName="mine"))
    world.until(1)
    assert bound(world, "data") == ("mine", "Pending")
    assert world.messages("VolumeMismatch")[0] == (
        'Cannot bind to requested volume "mine": requested PV is too small'
    )


def test_a_volume_that_is_kept_for_a_claim_waits_for_it() -> None:
    world = World()
    holder = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "mine"}
    world.add(volume("kept", claimRef=holder), volume_claim("other"))
    world.until(1)
    assert (bound(world, "other"), phase(world, "kept")) == (("", "Pending"), "Available")
    world.add(volume_claim("mine"))
    world.until(2)
    assert bound(world, "mine") == ("kept", "Bound")


def test_among_volumes_that_can_do_those_with_fewer_access_modes_come_first() -> None:
    many = volume("many", "5Gi", accessModes=["ReadWriteOnce", "ReadOnlyMany"])
    one = volume("one", "50Gi")
    found = [{**each, "status": {"phase": "Available"}} for each in (many, one)]
    claim = volume_claim("c")
    claim["metadata"]["uid"] = "u"
    match = best_match(claim, found, late=False)
    assert match is not None
    assert match["metadata"]["name"] == "one"
    assert best_match(claim, found, late=True) is None


def test_a_claim_whose_volume_has_gone_is_lost() -> None:
    world = World()
    world.add(volume("disk"), volume_claim("data"))
    world.until(20)
    found = world.get("PersistentVolume", "disk", "")
    world.plane.api.replace({**found, "metadata": {**found["metadata"], "finalizers": []}})
    world.delete("PersistentVolume", "disk", "")
    world.until(40)
    assert bound(world, "data") == ("disk", "Lost")
    assert world.messages("ClaimLost") == [
        "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
    ]


# Making.


def test_a_class_makes_a_volume_at_once_if_it_binds_at_once() -> None:
    world = World()
    world.add(storage_class("now", late=False, parameters={"type": "ssd"}, reclaimPolicy="Retain"))
    world.add(volume_claim("data", storageClassName="now"))
    world.until(1)
    uid = world.get("PersistentVolumeClaim", "data")["metadata"]["uid"]
    assert bound(world, "data") == (f"pvc-{uid}", "Bound")
    spec = world.get("PersistentVolume", f"pvc-{uid}", "")["spec"]
    assert spec["csi"]["volumeAttributes"] == {"type": "ssd"}
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("name", "reason", "text"),
    [
        pytest.param(
            "late",
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding",
            id="nobody uses it yet",
        ),
        pytest.param(
            "",
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
            id="no class",
        ),
        pytest.param(
            "absent",
            "ProvisioningFailed",
            'storageclass.storage.k8s.io "absent" not found',
            id="unknown class",
        ),
        pytest.param(
            "by-hand",
            "ProvisioningFailed",
            "no volume plugin matched name: kubernetes.io/no-provisioner",
            id="a class that makes nothing",
        ),
    ],
)
def test_what_a_claim_that_stays_open_is_told(name: str, reason: str, text: str) -> None:
    world = World()
    world.add(
        storage_class("late"),
        storage_class("by-hand", late=False, provisioner="kubernetes.io/no-provisioner"),
        volume_claim("data", storageClassName=name),
    )
    world.until(1)
    assert bound(world, "data") == ("", "Pending")
    assert set(world.messages(reason)) == {text}


def test_a_made_volume_is_reached_where_the_drivers_topology_says() -> None:
    world = World("a")
    keys = ["topology.kubernetes.io/zone"]
    driver = {"name": "disk.example.com", "nodeID": "a", "topologyKeys": keys}
    metadata = {"name": "a"}
    world.add(
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": metadata,
         "spec": {"drivers": [driver]}},
        storage_class("fast"), volume_claim("data", storageClassName="fast"), storing("p", "data"),
    )  # fmt: skip
    world.until(3)
    made = world.get("PersistentVolume", bound(world, "data")[0], "")
    (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    expression = {"key": keys[0], "operator": "In", "values": ["zone-a"]}
    assert term == {"matchExpressions": [expression]}


# The end.


def test_a_claim_that_a_pod_uses_stays_until_the_pod_has_gone() -> None:
    world = World("a")
    world.add(volume("disk"), volume_claim("data"), storing("p", "data"))
    world.until(2)
    world.delete("PersistentVolumeClaim", "data")
    world.until(3)
    assert world.get("PersistentVolumeClaim", "data")["metadata"]["deletionTimestamp"]
    world.delete("Pod", "p")
    world.until(4)
    assert world.names("PersistentVolumeClaim") == []


@pytest.mark.parametrize(
    ("policy", "source", "left"),
    [
        pytest.param("Retain", {}, {"disk": "Released"}, id="it is kept"),
        pytest.param(
            "Delete",
            {"csi": None, "hostPath": {"path": "/tmp/data"}},
            {},
            id="it goes if upstream can empty it",
        ),
        pytest.param("Delete", {}, {"disk": "Failed"}, id="nobody can delete a foreign volume"),
    ],
)
def test_what_becomes_of_a_volume_whose_claim_has_gone(
    policy: str, source: Json, left: dict[str, str]
) -> None:
    world = World()
    disk = volume("disk", persistentVolumeReclaimPolicy=policy, **source)
    disk["spec"] = {name: value for name, value in disk["spec"].items() if value is not None}
    world.add(disk, volume_claim("data"))
    world.until(20)
    world.delete("PersistentVolumeClaim", "data")
    world.until(40)
    assert {name: phase(world, name) for name in world.names("PersistentVolume")} == left


def test_a_made_volume_goes_with_its_claim() -> None:
    world = World()
    world.add(storage_class("now", late=False), volume_claim("data", storageClassName="now"))
    world.until(1)
    world.delete("PersistentVolumeClaim", "data")
    world.until(2)
    assert world.names("PersistentVolume") == []


def test_an_ephemeral_volume_comes_and_goes_with_its_pod() -> None:
    world = World("a")
    spec = volume_claim("x", storageClassName="fast")["spec"]
    inner = {"metadata": {"labels": {"made": "yes"}}, "spec": spec}
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": inner}}
    world.add(storage_class("fast"), pod("p", volumes=[scratch]))
    world.until(3)
    made = world.get("PersistentVolumeClaim", "p-scratch")
    assert made["metadata"]["labels"] == {"made": "yes"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == world.pod("p").uid
    assert (bound(world, "p-scratch")[1], world.where()) == ("Bound", {"p": "a"})
    world.delete("Pod", "p")
    world.until(4)
    assert world.names("PersistentVolumeClaim") == []
    assert world.names("PersistentVolume") == []


def test_a_claim_of_another_owner_is_no_ephemeral_volume() -> None:
    world = World("a")
    spec = volume_claim("x")["spec"]
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    world.add(volume_claim("p-scratch"), pod("p", volumes=[scratch]))
    world.until(1)
    assert set(world.messages("FailedBinding")) >= {
        (
            "ephemeral volume scratch: PVC default/p-scratch was not created for pod default/p (pod"
            " is not owner)"
        )
    }
