"""What quotas count, beside pods."""

from typing import Any

import pytest

from gpusched.controllers.protocol import SECOND, ApiError
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from tests.sim.builders import plane

GOLD = "gold.storageclass.storage.k8s.io/requests.storage"


def thing(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "team"}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **fields}


def claim(name: str, size: str, storage_class: str) -> dict[str, Any]:
    spec = {
        "storageClassName": storage_class,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    return thing("PersistentVolumeClaim", name, spec=spec)


def service(name: str, kind: str) -> dict[str, Any]:
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    return thing("Service", name, spec={"type": kind, "ports": ports, "selector": {"app": "x"}})


def limited(**hard: str) -> ControlPlane:
    built = plane()
    built.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    built.api.create(thing("ResourceQuota", "q", spec={"hard": hard}))
    built.run(SECOND)
    return built


def used(built: ControlPlane) -> dict[str, str]:
    quota = built.store.get("ResourceQuota", "team", "q")
    assert quota is not None
    return dict(quota["status"]["used"])


@pytest.mark.parametrize(
    ("obj", "hard"),
    [
        pytest.param(thing("ConfigMap", "a"), "configmaps", id="config maps"),
        pytest.param(thing("Secret", "a"), "secrets", id="secrets"),
        pytest.param(service("a", "ClusterIP"), "services", id="services"),
        pytest.param(service("a", "LoadBalancer"), "services.loadbalancers", id="balancers"),
        pytest.param(claim("a", "1Gi", "x"), "persistentvolumeclaims", id="claims"),
    ],
)
def test_the_first_object_of_its_kind_is_let_in_and_the_second_is_not(
    obj: dict[str, Any], hard: str
) -> None:
    built = limited(**{hard: "1"})
    assert used(built) == {hard: "0"}
    built.api.create(obj)
    assert used(built) == {hard: "1"}
    second = {**obj, "metadata": {**obj["metadata"], "name": "b"}}
    with pytest.raises(ApiError, match=f"exceeded quota: q, requested: {hard}=1, used: {hard}=1"):
        built.api.create(second)


def test_storage_is_counted_for_its_class() -> None:
    built = limited(**{GOLD: "10Gi", "requests.storage": "100Gi"})
    built.api.create(claim("a", "8Gi", "gold"))
    built.api.create(claim("b", "8Gi", "silver"))
    assert used(built) == {GOLD: "8Gi", "requests.storage": "16Gi"}
    with pytest.raises(ApiError, match=f"exceeded quota: q, requested: {GOLD}=8Gi"):
        built.api.create(claim("c", "8Gi", "gold"))


def test_node_ports_are_counted() -> None:
    built = limited(**{"services.nodeports": "4"})
    built.api.create(service("plain", "ClusterIP"))
    built.api.create(service("open", "NodePort"))
    built.api.create(service("balanced", "LoadBalancer"))
    assert used(built) == {"services.nodeports": "4"}


def test_what_is_deleted_counts_no_more() -> None:
    built = limited(secrets="1")
    built.api.create(thing("Secret", "a"))
    built.run(2 * SECOND)
    delete(built.store, "Secret", ("team", "a"))
    built.run(3 * SECOND)
    assert used(built) == {"secrets": "0"}
