"""Volumes that are made on a cluster for a scenario's own classes, and for no others."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from gpusched.controllers.volume_provisioner import FINALIZER
from gpusched.controllers.volumes import PROVISIONED_BY, PROVISIONER, SELECTED_NODE
from gpusched.live.cluster import Cluster
from gpusched.live.drivers import Drivers
from gpusched.live.preparing import LABEL

DRIVER = "disk.example.com"


def claim(storage_class: str, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "c",
            "namespace": "lab",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {PROVISIONER: DRIVER, **annotations},
        },
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def released(storage_class: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": "pvc-u",
            "annotations": {PROVISIONED_BY: DRIVER},
            "finalizers": ["kubernetes.io/pv-protection", FINALIZER],
        },
        "spec": {"storageClassName": storage_class, "persistentVolumeReclaimPolicy": "Delete"},
        "status": {"phase": "Released"},
    }


class Scripted:
    """A cluster on which one object changes once."""

    def __init__(self, changed: dict[str, Any]) -> None:
        self.changed = changed
        self.over = threading.Event()
        self.done: list[tuple[Any, ...]] = []

    def listed(self, _kind: str) -> tuple[list[Any], str]:
        return [], "1"

    def watch(self, kind: str, _version: str) -> Any:
        return _Stream(self, [self.changed] if kind == self.changed["kind"] else [])

    def find(self, kind: str, _namespace: str, name: str) -> dict[str, Any] | None:
        if kind == self.changed["kind"] and name == self.changed["metadata"]["name"]:
            return self.changed
        if kind == "StorageClass":
            late = {"volumeBindingMode": "WaitForFirstConsumer"}
            return {"metadata": {"name": name}, "provisioner": DRIVER, **late}
        return None

    def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        self.done.append(("create", obj["kind"], obj["metadata"].get("labels") or obj["reason"]))
        return obj

    def delete(self, kind: str, key: tuple[str, str]) -> None:
        self.done.append(("delete", kind, key))

    def patch(self, kind: str, key: tuple[str, str], patch: Any, form: str) -> None:
        self.done.append(("patch", kind, key, patch, form))


class _Stream:
    def __init__(self, cluster: Scripted, objects: list[dict[str, Any]]) -> None:
        self.cluster = cluster
        self.objects = objects

    def changes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for obj in self.objects:
            yield "MODIFIED", obj
            self.cluster.over.set()

    def close(self) -> None:
        self.cluster.over.set()


MADE = [
    ("create", "Event", "Provisioning"),
    ("create", "PersistentVolume", {LABEL: "p1"}),
    ("create", "Event", "ProvisioningSucceeded"),
]
REMOVED = [
    ("delete", "PersistentVolume", ("", "pvc-u")),
    (
        "patch",
        "PersistentVolume",
        ("", "pvc-u"),
        {"metadata": {"finalizers": ["kubernetes.io/pv-protection"]}},
        "merge",
    ),
]


@pytest.mark.parametrize(
    ("changed", "done"),
    [
        pytest.param(
            claim("ours", **{SELECTED_NODE: "n"}), MADE, id="a claim whose pod has a node"
        ),
        pytest.param(claim("ours"), [], id="a claim that waits for its first pod"),
        pytest.param(claim("theirs", **{SELECTED_NODE: "n"}), [], id="a class of the cluster"),
        pytest.param(released("ours"), REMOVED, id="a volume whose claim is gone"),
        pytest.param(released("theirs"), [], id="a volume of the cluster's own"),
    ],
)
def test_a_driver_acts_for_the_scenarios_classes_alone(
    changed: dict[str, Any], done: list[tuple[Any, ...]]
) -> None:
    cluster = Scripted(changed)
    drivers = Drivers(cast("Cluster", cluster), ["ours"], "p1")
    assert cluster.over.wait(10)
    assert cluster.done == done
    drivers.stop()
