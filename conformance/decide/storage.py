"""Random volumes: classes, CSI nodes, volumes, claims, and pods that use them."""

from typing import Any

from conformance.decide.draw import Draw
from conformance.decide.nodes import HOSTNAME, ZONE

Json = dict[str, Any]

DRIVER = "csi.example.com"
CLASSES = ("wffc", "imm", "local")
SIZES = ("1Gi", "5Gi", "6G", "8Gi", "5368709120")
MODES = (
    ["ReadWriteOnce"], ["ReadWriteOnce"], ["ReadWriteMany"], ["ReadWriteOncePod"],
    ["ReadOnlyMany", "ReadWriteOnce"],
)  # fmt: skip


def storage_objects(draw: Draw, nodes: int) -> list[Json]:
    """Return classes, CSINodes, volumes and claims for a cluster of ``nodes`` nodes."""
    objects = [_storage_class(draw, name) for name in CLASSES]
    objects += [_csi_node(draw, f"node-{i:02d}") for i in range(nodes) if draw.often(0.8)]
    if draw.often(0.3):
        objects.append(_csi_driver(draw))
    volumes = [_volume(draw, i, nodes) for i in range(draw.number(1, 5))]
    claims = [_claim(draw, i) for i in range(draw.number(1, 7))]
    for claim in claims:
        if draw.often(0.45):
            _bind(draw, claim, draw.one(volumes))
    return objects + volumes + claims


def use_volumes(draw: Draw, pod: Json, owned: list[int]) -> None:
    """Let a pod use some volumes; ``owned`` are the claims that nobody else may use unbound."""
    kinds = draw.many(lambda: draw.number(0, 9), 0, 2)
    volumes = [_use(draw, kind, f"v{i}", owned) for i, kind in enumerate(kinds)]
    if volumes:
        pod["spec"]["volumes"] = volumes
        pod["metadata"]["namespace"] = "default"


def _use(draw: Draw, kind: int, name: str, owned: list[int]) -> Json:
    if kind <= 4 and owned:
        return {"name": name, "persistentVolumeClaim": {"claimName": f"claim-{owned.pop()}"}}
    if kind == 5:
        claim = draw.one(("missing", "claim-0"))
        return {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    if kind == 6:
        read_only = draw.often(0.5)
        disk = draw.one(
            (
                {"gcePersistentDisk": {"pdName": "disk-a", "readOnly": read_only}},
                {"awsElasticBlockStore": {"volumeID": "vol-a"}},
                {
                    "iscsi": {
                        "targetPortal": "10.0.0.1:3260",
                        "iqn": "iqn.2026-01.com.example:a",
                        "lun": 0,
                        "readOnly": read_only,
                    }
                },
                {"rbd": {"monitors": ["m1"], "pool": "p", "image": "i", "readOnly": read_only}},
            )
        )
        return {"name": name, **disk}
    if kind == 7:
        template = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "wffc",
            "resources": {"requests": {"storage": "1Gi"}},
        }
        return {"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": template}}}
    return {"name": name, **draw.one(({"emptyDir": {}}, {"configMap": {"name": "x"}}))}


def _storage_class(draw: Draw, name: str) -> Json:
    made: Json = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner" if name == "local" else DRIVER,
        "volumeBindingMode": "Immediate" if name == "imm" else "WaitForFirstConsumer",
    }
    if name == "wffc" and draw.often(0.4):
        zones = draw.some(("z1", "z2", "z3"), 1, 2)
        made["allowedTopologies"] = [{"matchLabelExpressions": [{"key": ZONE, "values": zones}]}]
    return made


def _csi_node(draw: Draw, name: str) -> Json:
    driver: Json = {"name": DRIVER, "nodeID": name, "topologyKeys": [ZONE]}
    if draw.often(0.7):
        driver["allocatable"] = {"count": draw.one((0, 1, 2, 3))}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": name},
        "spec": {"drivers": [driver]},
    }


def _csi_driver(draw: Draw) -> Json:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER},
        "spec": {"attachRequired": draw.often(0.7), "storageCapacity": False},
    }


def _volume(draw: Draw, index: int, nodes: int) -> Json:
    name = draw.one(CLASSES)
    spec: Json = {
        "capacity": {"storage": draw.one(SIZES)},
        "accessModes": list(draw.one(MODES)),
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": name,
    }
    metadata: Json = {"name": f"pv-{index}"}
    if name == "local":
        spec["local"] = {"path": "/mnt/x"}
        spec["nodeAffinity"] = _affinity(HOSTNAME, [f"node-{draw.number(0, nodes - 1):02d}"])
    else:
        spec["csi"] = {"driver": DRIVER, "volumeHandle": f"h{index}"}
        if draw.often(0.3):
            spec["nodeAffinity"] = _affinity(ZONE, draw.some(("z1", "z2", "z3"), 1, 2))
        if draw.often(0.3):
            metadata["labels"] = {ZONE: draw.one(("z1", "z2", "z1__z2", "z9"))}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": metadata,
        "spec": spec,
        "status": {"phase": "Available"},
    }


def _affinity(key: str, values: list[str]) -> Json:
    expression = {"key": key, "operator": "In", "values": values}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def _claim(draw: Draw, index: int) -> Json:
    metadata: Json = {"name": f"claim-{index}", "namespace": "default"}
    if draw.often(0.04):
        metadata |= {
            "deletionTimestamp": "2026-03-01T00:00:00Z",
            "finalizers": ["kubernetes.io/pvc-protection"],
        }
    spec: Json = {
        "accessModes": list(draw.one(MODES)),
        "resources": {"requests": {"storage": draw.one(SIZES)}},
    }
    if draw.often(0.97):
        spec["storageClassName"] = draw.one((*CLASSES, "wffc", "gone"))
    status = {"phase": "Lost" if draw.often(0.03) else "Pending"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def _bind(draw: Draw, claim: Json, volume: Json) -> None:
    """Bind a claim to a volume, or to one that is not there."""
    name = volume["metadata"]["name"]
    if draw.often(0.05):
        name = "pv-gone"
    elif "claimRef" not in volume["spec"]:
        claimed = claim["metadata"]["name"]
        volume["spec"]["claimRef"] = {
            "kind": "PersistentVolumeClaim",
            "namespace": "default",
            "name": claimed,
            "uid": f"default/{claimed}",
        }
        volume["status"] = {"phase": "Bound"}
        claim["spec"]["storageClassName"] = volume["spec"]["storageClassName"]
        claim["spec"]["accessModes"] = volume["spec"]["accessModes"]
    else:
        return
    claim["spec"]["volumeName"] = name
    claim["metadata"].setdefault("annotations", {})["pv.kubernetes.io/bind-completed"] = "yes"
    claim["status"] = {"phase": "Bound"}
