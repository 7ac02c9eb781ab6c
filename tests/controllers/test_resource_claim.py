"""ResourceClaims of pods from their making to their end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.controllers.resource_claim import claim_prefix
from tests.sim.claim_builders import World, claim, claiming, device_class, devices, template

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=63)
PROTECTION = "resource.kubernetes.io/delete-protection"


def with_devices(count: int) -> World:
    world = World("a")
    world.add(device_class(), devices("a", count), template("t"))
    return world


def test_a_claim_is_made_from_the_template_and_owned_by_its_pod() -> None:
    world = World("a")
    world.add(template("t"), claiming("p", resourceClaimTemplateName="t"))
    world.until(1)
    (name,) = world.names("ResourceClaim")
    made = world.get("ResourceClaim", name)
    assert name.startswith("p-gpu-")
    assert made["metadata"]["labels"] == {"made": "yes"}
    assert made["metadata"]["annotations"] == {"resource.kubernetes.io/pod-claim-name": "gpu"}
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "p",
            "uid": world.pod("p").uid,
            "controller": True,
        }
    ]
    assert made["spec"]["devices"]["requests"][0]["exactly"]["count"] == 1
    status = world.plane.api.read("Pod", "default", "p")["status"]
    assert status["resourceClaimStatuses"] == [{"name": "gpu", "resourceClaimName": name}]


def test_a_pod_whose_template_is_missing_is_told_so_and_helped_once_it_is_there() -> None:
    world = with_devices(1)
    world.add(claiming("p", resourceClaimTemplateName="later"))
    world.until(3)
    assert set(world.messages("FailedResourceClaimCreation")) == {
        (
            'PodResourceClaim gpu: resource claim template "later":'
            ' resourceclaimtemplate.resource.k8s.io "later" not found'
        )
    }
    world.add(template("later"))
    world.until(4)
    assert world.where() == {"p": "a"}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_gives_its_devices_to_the_next(phase: str) -> None:
    world = with_devices(1)
    world.add(claiming("p", resourceClaimTemplateName="t"))
    world.until(1)
    world.add(claiming("q", resourceClaimTemplateName="t"))
    world.until(20)
    assert world.where() == {"p": "a", "q": ""}
    world.plane.api.patch_pod(("default", "p"), phase=phase)
    world.until(21)
    assert world.where() == {"p": "a", "q": "a"}
    assert [name[:2] for name in world.names("ResourceClaim")] == ["q-"]


def test_a_claim_of_the_users_own_is_freed_by_its_last_pod_and_stays() -> None:
    world = with_devices(1)
    world.add(claim("mine"), *(claiming(name, resourceClaimName="mine") for name in "pq"))
    world.until(2)
    world.delete("Pod", "p")
    world.until(3)
    assert world.get("ResourceClaim", "mine")["status"]["allocation"]
    world.delete("Pod", "q")
    world.until(4)
    left = world.get("ResourceClaim", "mine")
    assert left["status"] == {}
    assert "finalizers" not in left["metadata"]


def test_a_claim_in_use_that_is_deleted_goes_when_its_pod_does() -> None:
    world = with_devices(1)
    world.add(claim("mine"), claiming("p", resourceClaimName="mine"))
    world.until(2)
    world.delete("ResourceClaim", "mine")
    world.until(3)
    assert world.get("ResourceClaim", "mine")["metadata"]["finalizers"] == [PROTECTION]
    world.delete("Pod", "p")
    world.until(4)
    assert world.names("ResourceClaim") == []


def test_a_generated_claim_goes_with_its_pod() -> None:
    world = with_devices(1)
    world.add(claiming("p", resourceClaimTemplateName="t"))
    world.until(2)
    world.delete("Pod", "p")
    world.until(3)
    assert world.names("ResourceClaim") == []


def test_a_generated_claim_that_somebody_deletes_is_made_anew() -> None:
    world = World("a")
    world.add(template("t"), claiming("p", resourceClaimTemplateName="t"))
    world.until(1)
    (old,) = world.names("ResourceClaim")
    world.delete("ResourceClaim", old)
    world.until(2)
    (new,) = world.names("ResourceClaim")
    status = world.plane.api.read("Pod", "default", "p")["status"]
    assert new != old
    assert status["resourceClaimStatuses"] == [{"name": "gpu", "resourceClaimName": new}]


def test_a_pod_that_came_to_its_node_past_the_scheduler_is_added_to_the_consumers() -> None:
    world = with_devices(1)
    world.add(claim("mine"), claiming("p", resourceClaimName="mine"))
    world.until(2)
    placed = claiming("q", resourceClaimName="mine")
    placed["spec"]["nodeName"] = "a"
    world.add(placed)
    world.until(3)
    users = world.get("ResourceClaim", "mine")["status"]["reservedFor"]
    assert [each["name"] for each in users] == ["p", "q"]


@pytest.mark.property
@given(NAMES, NAMES)
def test_the_prefix_of_a_generated_name_leaves_room_for_the_rest(pod: str, entry: str) -> None:
    prefix = claim_prefix(pod, entry)
    assert len(prefix) <= 57 + 1
    assert prefix.startswith(pod[:1])
    assert len(pod) + len(entry) + 2 > 57 or prefix == f"{pod}-{entry}-"
