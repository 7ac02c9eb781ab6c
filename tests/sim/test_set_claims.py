"""A StatefulSet's claims: as a real 1.36.1 control plane made and named them."""

from tests.sim.claim_builders import DISK, World

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "wffc"},
    "provisioner": DISK,
    "volumeBindingMode": "WaitForFirstConsumer",
}


def stateful_set(replicas: int) -> dict[str, object]:
    labels = {"app": "s"}
    claim = {
        "metadata": {"name": "data", "labels": {"x": "y"}, "annotations": {"foo": "bar"}},
        "spec": {
            "storageClassName": "wffc",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    other = {"name": "scratch", "emptyDir": {}}
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": [other]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "s", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "s",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            "volumeClaimTemplates": [claim],
        },
    }


def said(world: World) -> list[str]:
    events = world.plane.store.events
    return [event.message for event in events if event.reason.endswith("Create")]


def test_each_ordinal_gets_its_claim_and_then_its_pod() -> None:
    world = World("n")
    world.add(CLASS, stateful_set(2))
    world.until(20)
    assert world.where() == {"s-0": "n", "s-1": "n"}
    assert said(world) == [
        "Create Claim data-s-0 Pod s-0 in StatefulSet s success",
        "Create Pod s-0 in StatefulSet s successful",
        "Create Claim data-s-1 Pod s-1 in StatefulSet s success",
        "Create Pod s-1 in StatefulSet s successful",
    ]
    meta = world.get("PersistentVolumeClaim", "data-s-0")["metadata"]
    assert meta["labels"] == {"app": "s", "x": "y"}
    assert meta["annotations"]["foo"] == "bar"
    assert "ownerReferences" not in meta
    volumes = world.pod("s-0").spec["volumes"]
    assert volumes[0] == {"name": "data", "persistentVolumeClaim": {"claimName": "data-s-0"}}
    assert volumes[1]["name"] == "scratch"


def test_a_claim_outlives_its_pod_and_is_taken_up_again() -> None:
    world = World("n")
    world.add(CLASS, stateful_set(2))
    world.until(20)
    before = world.get("PersistentVolumeClaim", "data-s-1")["metadata"]["uid"]
    world.plane.api.scale("StatefulSet", ("default", "s"), 1)
    world.until(40)
    assert world.names("PersistentVolumeClaim") == ["data-s-0", "data-s-1"]
    world.plane.api.scale("StatefulSet", ("default", "s"), 2)
    world.until(60)
    assert world.where() == {"s-0": "n", "s-1": "n"}
    assert world.get("PersistentVolumeClaim", "data-s-1")["metadata"]["uid"] == before


def test_without_a_claim_there_is_no_pod() -> None:
    world = World("n")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": {"persistentvolumeclaims": "0"}},
    }
    world.add(CLASS, quota)
    world.until(10)
    world.add(stateful_set(1))
    world.until(11)
    assert world.where() == {}
    refusal = (
        'persistentvolumeclaims "data-s-0" is forbidden: exceeded quota: q, '
        "requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, "
        "limited: persistentvolumeclaims=0"
    )
    pod = "Create Pod s-0 in StatefulSet s failed error"
    assert said(world)[:2] == [
        f"Create Claim data-s-0 for Pod s-0 in StatefulSet s failed error: {refusal}",
        f"{pod}: failed to create PVC data-s-0: {refusal}",
    ]
