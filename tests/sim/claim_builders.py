"""A control plane with both engines side by side, and objects of storage and devices for it."""

from typing import Any

from gpusched.api.config import default_configuration
from gpusched.controllers.registry import default_controllers
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.latency import MODELS
from gpusched.sim.pod import Pod
from gpusched.sim.scheduler import Scheduler, SchedulerOptions
from gpusched.sim.scheduler.starting import start_scheduler

Json = dict[str, Any]
DRIVER = "gpu.example.com"
DISK = "disk.example.com"
SIZE = {"cpu": "96", "memory": "1Ti", "pods": "110"}


class World:
    """A cluster in time.

    Args:
        nodes: Names of its nodes.
        latency: The latency model's name.
        without: A controller that is not started.
    """

    def __init__(self, *nodes: str, latency: str = "zero", without: type | None = None) -> None:
        self.plane = ControlPlane(0, 0, MODELS[latency])
        self.plane.start_kwok(args=["--manage-all-nodes=true"])
        started = [each for each in default_controllers() if type(each) is not without]
        self.plane.start_controllers(0, started)
        self.add(*map(node, nodes))
        self.plane.run(1)
        options = SchedulerOptions(engine="verify", keep_log=True)
        self.scheduler: Scheduler = start_scheduler(self.plane, default_configuration(), options)

    def add(self, *objects: Json) -> None:
        for obj in objects:
            self.plane.api.create(obj)

    def until(self, seconds: float) -> None:
        self.plane.run(int(seconds * 1_000_000))

    def pod(self, name: str) -> Pod:
        found = self.plane.store.pod("default", name)
        assert found is not None
        return found

    def where(self) -> dict[str, str]:
        return {pod.name: pod.node for pod in self.plane.store.pods()}

    def get(self, kind: str, name: str, namespace: str = "default") -> Json:
        found = self.plane.store.get(kind, namespace, name)
        assert found is not None
        return found

    def names(self, kind: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.plane.store.objects(kind)]

    def messages(self, reason: str) -> list[str]:
        return [record.message for record in self.plane.store.events if record.reason == reason]

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        delete(self.plane.store, kind, (namespace, name))

    def scheduled_at(self, name: str) -> float:
        """Return when the scheduler bound a pod, in seconds."""
        rows = (at for at, what, row in self.scheduler.log.rows
                if what == "bound" and row["pod"] == f"default/{name}")  # fmt: skip
        return next(rows) / 1_000_000


def obj(kind: str, name: str, api: str = "v1", **fields: Any) -> Json:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def node(name: str) -> Json:
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{name}"}
    status = {"capacity": SIZE, "allocatable": SIZE}
    return obj("Node", name, metadata={"labels": labels}, status=status)


def pod(name: str, **spec: Any) -> Json:
    containers = [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "1"}}}]
    namespace = {"namespace": "default"}
    return obj("Pod", name, metadata=namespace, spec={"containers": containers, **spec})


# Devices.


def device_class(**spec: Any) -> Json:
    where = {"cel": {"expression": f"device.driver == '{DRIVER}'"}}
    spec = {"selectors": [where], **spec}
    return obj("DeviceClass", "gpu", "resource.k8s.io/v1", spec=spec)


def devices(node_name: str, count: int, **fields: Any) -> Json:
    pool = {"name": node_name, "generation": 1, "resourceSliceCount": 1}
    found = [{"name": f"gpu-{at}", **fields} for at in range(count)]
    spec = {"driver": DRIVER, "nodeName": node_name, "pool": pool, "devices": found}
    return obj("ResourceSlice", f"{node_name}-gpus", "resource.k8s.io/v1", spec=spec)


def _requests(count: int) -> Json:
    exactly = {"deviceClassName": "gpu", "count": count}
    return {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}


def claim(name: str, count: int = 1) -> Json:
    namespace = {"namespace": "default"}
    return obj(
        "ResourceClaim", name, "resource.k8s.io/v1", metadata=namespace, spec=_requests(count)
    )


def template(name: str, count: int = 1) -> Json:
    inner = {"metadata": {"labels": {"made": "yes"}}, "spec": _requests(count)}
    where = {"namespace": "default"}
    return obj("ResourceClaimTemplate", name, "resource.k8s.io/v1", metadata=where, spec=inner)


def claiming(name: str, **source: str) -> Json:
    """Return a pod whose one claim comes from ``source``."""
    made = pod(name, resourceClaims=[{"name": "gpu", **source}])
    made["spec"]["containers"][0]["resources"]["claims"] = [{"name": "gpu"}]
    return made


# Storage.


def storage_class(name: str, *, late: bool = True, provisioner: str = DISK, **fields: Any) -> Json:
    mode = "WaitForFirstConsumer" if late else "Immediate"
    more = {"provisioner": provisioner, "volumeBindingMode": mode, **fields}
    return obj("StorageClass", name, "storage.k8s.io/v1", **more)


def volume(name: str, size: str = "10Gi", *, on: str = "", **spec: Any) -> Json:
    """Return a volume, one that only a node reaches if ``on`` is given."""
    spec = {"storageClassName": "", **spec}
    if on:
        term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}
        terms = [{"matchExpressions": [term]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    capacity = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]}
    disk = {"csi": {"driver": DISK, "volumeHandle": name}}
    return obj("PersistentVolume", name, spec={**capacity, **disk, **spec})


def volume_claim(name: str, size: str = "5Gi", **spec: Any) -> Json:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": "",
        **spec,
    }
    return obj("PersistentVolumeClaim", name, metadata={"namespace": "default"}, spec=spec)


def storing(name: str, *claims: str, **spec: Any) -> Json:
    """Return a pod that uses volume claims."""
    volumes = [
        {"name": f"v{at}", "persistentVolumeClaim": {"claimName": each}}
        for at, each in enumerate(claims)
    ]
    return pod(name, volumes=volumes, **spec)
